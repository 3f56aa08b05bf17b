// Package brake counts the changes of a tenant that take access away, and stops
// them where they are so many that they look like a mistake: a wrong assignment
// at the identity provider would empty a company otherwise.
//
// The count is a document of package state, which gateways that share the state
// folder change under its lock before the change itself is made. So they have one
// limit together, a restart forgets nothing, and a crash can only have counted too
// much. Once more than the limit came within its time the brake stays on until
// somebody releases it.
//
// The package does not know what a change is. What counts is decided in package
// gateway.
package brake
