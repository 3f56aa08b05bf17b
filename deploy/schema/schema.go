// Package schema holds the directory schema that scimgate brings: the gateway's own
// attributes and classes, and groupOfMembers, which Debian's OpenLDAP does not ship.
//
// The files beside it are meant for administrators. They are embedded so that the
// private OpenLDAP of `scimgate demo` needs nothing but the binary; the .ldif files are
// the same text for servers that are configured by cn=config.
package schema

import _ "embed"

// Scimgate is scimgate.schema: scimgateObject and scimgatePerson, in the form that
// slapd.conf includes. It needs core, cosine and inetorgperson.
//
//go:embed scimgate.schema
var Scimgate string

// ScimgateLDIF is the same for cn=config.
//
//go:embed scimgate.ldif
var ScimgateLDIF string

// GroupOfMembers is groupofmembers.schema: a group that may be empty.
//
//go:embed groupofmembers.schema
var GroupOfMembers string

// GroupOfMembersLDIF is the same for cn=config.
//
//go:embed groupofmembers.ldif
var GroupOfMembersLDIF string

// Scimgate389DS is the same for 389 Directory Server: a file for the schema folder of an
// instance. A test holds it to Scimgate.
//
//go:embed 60scimgate.ldif
var Scimgate389DS string
