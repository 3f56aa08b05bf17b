package mapping

import (
	"fmt"

	"scimgate/internal/scim"
)

// Unaddressed says what keeps a name from being that of an attribute, or of a
// part of one, of the resource type; "" is nothing.
func (m *Mapping) Unaddressed(name string) string {
	p, err := scim.ParsePath(name)
	if err != nil {
		return fmt.Sprintf("%q is no attribute: %s", name, detail(err))
	}
	_, canonical, ok := m.def.Lookup(p)
	switch {
	case !ok:
		return fmt.Sprintf("%q is no attribute of a %s; give for example displayName", name, m.def.Name)
	case p.Filter != nil:
		return fmt.Sprintf("%q selects some values of an attribute; name the attribute as a whole, such as %s", name, canonical.Attr)
	}
	return ""
}
