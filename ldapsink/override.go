package ldapsink

import (
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Attributes replace those by which a flavor knows entries; "" keeps the
// flavor's.
type Attributes struct{ ID, DN, Version, Created, Modified string }

// Controls say of each control whether it is used where the server announces it:
// "auto", which is the default, or "never", for a server that announces one and
// does not keep to it.
type Controls struct{ Assertion, PostRead, PasswordPolicy string }

const (
	controlAuto  = "auto"
	controlNever = "never"
)

// byOID returns what is said of each control.
func (c Controls) byOID() map[string]string {
	return map[string]string{oidAssertion: c.Assertion, oidPostRead: c.PostRead, ldap.ControlTypeBeheraPasswordPolicy: c.PasswordPolicy}
}

// idForms are the forms of ids by their attributes in lower case; others hold UUIDs.
var idForms = map[string]idForm{"objectguid": formGUID, "nsuniqueid": formUniqueID}

// ofFlavor returns the flavor with what the configuration has in its place.
func (c Config) ofFlavor() flavor {
	f := flavors[c.Flavor]
	if a := c.Attributes.ID; a != "" && !strings.EqualFold(a, f.id) {
		f.id, f.form, f.namesByID = a, idForms[strings.ToLower(a)], false
	}
	if a := c.Attributes.Version; a != "" {
		f.version, f.loose = a, false
	}
	for attribute, own := range map[*string]string{&f.dn: c.Attributes.DN, &f.created: c.Attributes.Created, &f.modified: c.Attributes.Modified} {
		if own != "" {
			*attribute = own
		}
	}
	if c.PageSize > 0 {
		f.pageSize = c.PageSize
	}
	return f
}

// checkOverrides tells what is wrong with the keys that replace the flavor's.
func (c Config) checkOverrides(fault func(key, format string, args ...any)) {
	for key, name := range map[string]string{
		"id": c.Attributes.ID, "dn": c.Attributes.DN, "version": c.Attributes.Version,
		"created": c.Attributes.Created, "modified": c.Attributes.Modified,
	} {
		if name != "" && (!validDescription(name) || strings.Contains(name, ";")) {
			fault("attributes."+key, "%q is no name of an attribute", name)
		}
	}
	for key, use := range map[string]string{
		"assertion": c.Controls.Assertion, "postRead": c.Controls.PostRead, "passwordPolicy": c.Controls.PasswordPolicy,
	} {
		if use != "" && use != controlAuto && use != controlNever {
			fault("controls."+key, "%q is neither %s, which uses the control where the server announces it, nor %s", use, controlAuto, controlNever)
		}
	}
	if c.PageSize < 0 {
		fault("pageSize", "%d is not above zero", c.PageSize)
	}
}
