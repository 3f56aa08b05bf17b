// Package token keeps the bearer tokens of a tenant in one small file and tells
// a valid one from any other text.
//
//	stateDir/tokens/okta.json    {"tokens": [{"id", "sha256", "label", "subject", "created", "expires"}]}
//	stateDir/tokens/okta.lock    held while that file is read, changed and replaced
//	stateDir/cursor.key          with which gateways seal the cursors of lists
//
// Only hashes are kept; the text of a token, scimgate_<id>_<secret>, is shown
// when it is made and never again. The file is replaced in one step, so that a
// reader sees the old tokens or the new ones and a crash loses neither. Commands
// and gateways of several processes can share it: writers queue at the lock, and
// a Verifier notices a new file by itself.
//
// The package knows neither HTTP nor what a token permits. The name of a tenant
// becomes part of a path: the configuration has checked it.
package token
