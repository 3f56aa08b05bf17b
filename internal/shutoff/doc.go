// Package shutoff knows whether the provisioning of a tenant is switched off, who
// switched it and why. That is one small document in the state folder, which a
// command changes and every running gateway looks at:
//
//	stateDir/switch/okta.json
//
// It is safe to be wrong in one direction only. So what cannot be read leaves a
// gateway as it was, and one that has just started refuses until it can be read;
// a tenant without a document was never switched off.
//
// The package must not know what it is to refuse: that is the gateway's.
package shutoff
