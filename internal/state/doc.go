// Package state keeps the few things that are no part of the directory: small
// documents in the state folder, which commands and gateways of several processes
// share.
//
//	stateDir/tokens/okta.json    the tokens of a tenant, and so on: JSON, one document a file
//	stateDir/tokens/okta.lock    held while that document is read, changed and replaced
//	stateDir/cursor.key          with which gateways seal the cursors of lists
//
// A document is replaced in one step, so that a reader sees the old one or the new
// one and a crash loses neither. Writers queue at the lock, and a Watch notices a
// new document by itself.
//
// The package does not know what a document says. The name of a tenant becomes
// part of a path: the configuration has checked it.
package state
