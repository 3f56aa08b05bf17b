// Package integration holds the tests of the whole product: the built binary,
// spoken to over HTTP as an identity provider would, in front of a real
// directory that is looked at with an LDAP client. They need the build tag
// integration and a slapd, and fail where there is none.
//
// A test sees what a customer sees: commands, URLs, the configuration file and
// the directory. It knows nothing of the code behind them, but for the text of
// the marker where a directory is filled before the gateway starts.
package integration
