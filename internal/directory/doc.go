// Package directory holds the words that the gateway's rooms share about a
// directory: an entry, a filter, a change, the marker that says who manages an
// entry, the errors a directory can answer with, and the Store that reads and
// writes the entries of one tenant and resource type.
//
// It knows neither SCIM nor the LDAP protocol. Names and filters stay
// structured here; only package ldapsink turns them into protocol text, which
// is the one place that escapes.
package directory
