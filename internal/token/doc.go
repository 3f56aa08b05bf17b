// Package token keeps the bearer tokens of a tenant in one small file and tells
// a valid one from any other text.
//
//	stateDir/tokens/okta.json    {"tokens": [{"id", "sha256", "label", "subject", "created", "expires"}]}
//	stateDir/used/okta.json      {"used": {"<id>": when it was used last}}
//
// Only hashes are kept; the text of a token, scimgate_<id>_<secret>, is shown
// when it is made and never again. Commands and gateways of several processes can
// share the file (package state), and a Verifier notices a new one by itself. The
// file can be somewhere else, and be a secret that is only read; when a token was
// used is kept apart for that, and can be lost without harm.
//
// The package knows neither HTTP nor what a token permits.
package token
