package mapping

import (
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// syntaxPrefix is what the numbers of the syntaxes of RFC 4517 begin with.
const syntaxPrefix = "1.3.6.1.4.1.1466.115.121.1."

// The syntaxes of RFC 4517 and RFC 4523 that matter to the types of SCIM.
var (
	wordSyntaxes = []string{"15", "26", "44"} // Directory, IA5 and Printable String
	nameSyntaxes = []string{"12", "34"}       // DN, Name and Optional UID
	// bytesSyntaxes hold what is no text; those in encodedSyntaxes want the
	// option binary.
	bytesSyntaxes   = []string{"4", "5", "8", "9", "10", "23", "28", "49"}
	encodedSyntaxes = []string{"8", "9", "10", "49"}
)

// holds looks whether the attribute's syntax can hold the values that a rule
// writes. A syntax that is not known here is left to the directory.
func (h *holder) holds(key string, r *rule, a directory.AttributeType) {
	syntax, known := strings.CutPrefix(a.Syntax, syntaxPrefix)
	if !known {
		return
	}
	one := func(of []string) bool { return slices.Contains(of, syntax) }
	encoded := strings.HasSuffix(strings.ToLower(r.config.LDAP), binaryOption)
	switch {
	case one(encodedSyntaxes) && !encoded:
		h.fault(key+".ldap", "%s has to be asked for as %s%s", r.config.LDAP, r.config.LDAP, binaryOption)
	case encoded && !one(encodedSyntaxes):
		h.fault(key+".ldap", "%s takes no option binary; write it without", r.config.LDAP)
	case r.isReference() && r.config.By == "" && !one(nameSyntaxes):
		h.fault(key+".ldap", "%s holds no distinguished names, which references are; use another attribute", r.config.LDAP)
	case r.isComputed() || r.isReference():
	default:
		h.typed(key, r, one)
	}
}

// typed is holds for the type of an attribute.
func (h *holder) typed(key string, r *rule, one func([]string) bool) {
	fits, instead := true, ""
	switch r.leaf.Type {
	case scim.Boolean:
		fits, instead = one(wordSyntaxes) || one([]string{"7"}), "syntax Boolean"
	case scim.Integer:
		fits, instead = one(wordSyntaxes) || one([]string{"27"}), "syntax INTEGER"
	case scim.Decimal:
		fits, instead = one(wordSyntaxes), "the syntax of a text"
	case scim.DateTime:
		fits, instead = one(wordSyntaxes) || one([]string{"24"}), "syntax Generalized Time"
	case scim.Binary:
		fits, instead = one(bytesSyntaxes) || one([]string{"40"}), "syntax Octet String, JPEG or Certificate"
	default:
		if one(bytesSyntaxes) {
			h.fault(key+".ldap", "%s holds bytes, and %s is text; map it to an attribute of type binary", r.config.LDAP, r.path.String())
		}
		return
	}
	if !fits {
		h.fault(key+".ldap", "%s cannot hold %s of type %s: its syntax in this directory is another; use an attribute with %s",
			r.config.LDAP, r.path.String(), r.leaf.Type, instead)
	}
}

// whole reports whether the attribute is written as a whole: without a rule of
// equality single values can be neither added nor deleted. What is not known to
// have one is written so too; the version that a write asserts keeps it from
// undoing what others wrote meanwhile. References can be compared, and may be
// too many to be written again.
func (r *rule) whole() bool {
	if r.leaf.Type == scim.Binary {
		return true
	}
	a, known := r.ldap()
	return !r.isReference() && (!known || a.Equality == "")
}
