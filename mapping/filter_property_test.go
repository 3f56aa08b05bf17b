package mapping

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
)

// holds evaluates a filter as a directory does (RFC 4511 section 4.5.1.7), with
// matching that ignores case.
func holds(f directory.Filter, e directory.Entry) bool {
	holds := func(part directory.Filter) bool { return holds(part, e) }
	switch f.Op {
	case directory.All:
		return true
	case directory.None:
		return false
	case directory.And:
		return !slices.ContainsFunc(f.Filters, func(part directory.Filter) bool { return !holds(part) })
	case directory.Or:
		return slices.ContainsFunc(f.Filters, holds)
	case directory.Not:
		return !holds(f.Filters[0])
	}
	return slices.ContainsFunc(valuesOf(f.Attribute, e), func(v string) bool { return meets(f, v) })
}

// valuesOf returns the values of an attribute, also of those that every
// directory has under a name of its own.
func valuesOf(name string, e directory.Entry) []string {
	switch name {
	case directory.AttrID:
		return []string{e.ID}
	case directory.AttrState:
		return []string{string(e.Marker.State)}
	case directory.AttrCreated:
		return []string{e.Created.Format(time.RFC3339)}
	case directory.AttrModified:
		return []string{e.Modified.Format(time.RFC3339)}
	}
	return e.Attributes[name]
}

func meets(f directory.Filter, value string) bool {
	v, w := strings.ToLower(value), strings.ToLower(f.Value)
	switch f.Op {
	case directory.Present:
		return true
	case directory.Equal:
		return v == w
	case directory.Prefix:
		return strings.HasPrefix(v, w)
	case directory.Suffix:
		return strings.HasSuffix(v, w)
	case directory.Contains:
		return strings.Contains(v, w)
	case directory.AtLeast:
		return v >= w
	case directory.AtMost:
		return v <= w
	}
	return false
}

// words are few, so that filters and entries meet.
var words = rapid.SampledFrom([]string{"a", "A", "b", "ab", "a b", "Ba", "7"})

// drawEntry draws an entry of the demo. most is how many values an attribute
// has at most; sn and cn are always there, because the directory demands them.
func drawEntry(t *rapid.T, c Config, most int) directory.Entry {
	e := directory.Entry{
		ID: rapid.SampledFrom([]string{"id-ann", "id-bob"}).Draw(t, "id"), Version: "v1",
		Created: earlier, Modified: stamp.Now.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "second")) * time.Second),
		Marker: directory.Marker{Source: "okta", State: rapid.SampledFrom([]directory.State{
			directory.Active, directory.Inactive}).Draw(t, "state"), Request: "r1", Since: earlier},
		Attributes: directory.Attributes{},
	}
	for _, r := range c.Attributes {
		switch {
		case r.LDAP == "userPassword" || r.LDAP == "cn" && r.Template != "":
		case len(r.Reference) > 0:
			names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{foreignDN, "cn=nobody,dc=example,dc=org", dn("id-ann"), dn("id-bob"), dn("id-all")}),
				0, most, rapid.ID[string]).Draw(t, r.LDAP)
			e.Attributes[r.LDAP] = names
		case r.Required || r.LDAP == "sn":
			e.Attributes[r.LDAP] = rapid.SliceOfNDistinct(words, 1, most, strings.ToLower).Draw(t, r.LDAP)
		case rapid.Bool().Draw(t, "has "+r.LDAP):
			e.Attributes[r.LDAP] = rapid.SliceOfNDistinct(words, 1, most, strings.ToLower).Draw(t, r.LDAP)
		}
		if len(e.Attributes[r.LDAP]) == 0 {
			delete(e.Attributes, r.LDAP)
		}
	}
	if e.Marker.State == directory.Inactive {
		e.Attributes[lock] = []string{lockedForever}
		e.Marker.Undo = undoes()
	}
	return e
}

// drawFilter draws a filter from leaves.
func drawFilter(t *rapid.T, leaf func(*rapid.T) scim.Filter, depth int) scim.Filter {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		return leaf(t)
	}
	if kind == 1 {
		return scim.Not{Filter: drawFilter(t, leaf, depth-1)}
	}
	parts := []scim.Filter{drawFilter(t, leaf, depth-1), drawFilter(t, leaf, depth-1)}
	if kind == 2 {
		return scim.And{Filters: parts}
	}
	return scim.Or{Filters: parts}
}

func parsePath(t *rapid.T, text string) scim.Path {
	p, err := scim.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var operators = []scim.Op{scim.Eq, scim.Ne, scim.Co, scim.Sw, scim.Ew, scim.Gt, scim.Ge, scim.Lt, scim.Le}

// drawCompare draws a comparison or a test for presence of one of the paths.
func drawCompare(t *rapid.T, paths ...string) scim.Filter {
	p := parsePath(t, rapid.SampledFrom(paths).Draw(t, "path"))
	switch rapid.IntRange(0, 5).Draw(t, "leaf") {
	case 0:
		return scim.Present{Path: p}
	case 1:
		return scim.Compare{Path: p, Op: rapid.SampledFrom([]scim.Op{scim.Eq, scim.Ne}).Draw(t, "op")} // null
	}
	return scim.Compare{Path: p, Op: rapid.SampledFrom(operators).Draw(t, "op"), Value: words.Draw(t, "word")}
}

// The families of filters, from simple to odd, so that a failure says which
// part of the language is to blame.
func TestFilterNeverMissesWhatMatchAccepts(t *testing.T) {
	element := func(t *rapid.T) scim.Filter {
		return drawFilter(t, func(t *rapid.T) scim.Filter {
			if rapid.Bool().Draw(t, "of the type") {
				return scim.Compare{Path: scim.Path{Attr: "type"}, Op: rapid.SampledFrom([]scim.Op{scim.Eq, scim.Ne}).Draw(t, "op"),
					Value: rapid.SampledFrom([]string{"work", "home", "fax"}).Draw(t, "type")}
			}
			return drawCompare(t, "value")
		}, 2)
	}
	for _, family := range []struct {
		name  string
		typ   string
		most  int
		leaf  func(*rapid.T) scim.Filter
		depth int
	}{
		{"single values", "User", 1, func(t *rapid.T) scim.Filter {
			return drawCompare(t, "userName", "title", "externalId", "name.familyName", "enterprise:department", "nickName", "ims")
		}, 3},
		{"single values with hidden ones", "User", 3, func(t *rapid.T) scim.Filter {
			return drawCompare(t, "title", "name.familyName", "enterprise:department")
		}, 2},
		{"active, id and times", "User", 1, func(t *rapid.T) scim.Filter {
			times := rapid.SampledFrom([]string{"2026-05-06T07:08:09Z", "2026-05-06T07:08:08.5Z", "2026-05-06T09:08:10+02:00", "2026-01-02T03:04:05Z"})
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				return scim.Compare{Path: scim.Path{Attr: "active"}, Op: rapid.SampledFrom(operators[:2]).Draw(t, "op"), Value: rapid.Bool().Draw(t, "active")}
			case 1:
				return scim.Compare{Path: scim.Path{Attr: "id"}, Op: rapid.SampledFrom(operators).Draw(t, "op"), Value: rapid.SampledFrom([]string{"id-ann", "id-bob", "id"}).Draw(t, "id")}
			}
			return scim.Compare{Path: scim.Path{Attr: "meta", Sub: rapid.SampledFrom([]string{"created", "lastModified"}).Draw(t, "sub")},
				Op: rapid.SampledFrom([]scim.Op{scim.Eq, scim.Ne, scim.Gt, scim.Ge, scim.Lt, scim.Le}).Draw(t, "op"), Value: times.Draw(t, "time")}
		}, 3},
		{"lists", "User", 2, func(t *rapid.T) scim.Filter {
			return drawCompare(t, "emails", "emails.value", "emails.type", "phoneNumbers.value", "addresses.locality", "addresses.region")
		}, 2},
		{"elements", "User", 2, func(t *rapid.T) scim.Filter {
			return scim.ValuePath{Path: scim.Path{Attr: rapid.SampledFrom([]string{"emails", "phoneNumbers"}).Draw(t, "list")}, Filter: element(t)}
		}, 1},
		{"parts of elements", "User", 2, func(t *rapid.T) scim.Filter {
			return drawCompare(t, `emails[type eq "work"].value`, `emails[type eq "home"].value`, `emails[type eq "fax"].value`,
				`addresses[type eq "work"].locality`, `phoneNumbers[type eq "mobile"].value`)
		}, 1},
		{"complex values", "User", 1, func(t *rapid.T) scim.Filter {
			p := parsePath(t, rapid.SampledFrom([]string{"name", "addresses", "enterprise:manager", "emails", scim.EnterpriseURN}).Draw(t, "path"))
			return scim.Present{Path: p}
		}, 1},
		{"references", "User", 3, func(t *rapid.T) scim.Filter { return drawReference(t, "manager", "manager.value") }, 1},
		{"members", "Group", 4, func(t *rapid.T) scim.Filter { return drawReference(t, "members", "members.value") }, 1},
	} {
		t.Run(family.name, func(t *testing.T) {
			c := people()
			if family.typ == "Group" {
				c = groups()
			}
			m := compile(t, c, family.typ)
			rapid.Check(t, func(t *rapid.T) {
				compareAnswers(t, m, drawFilter(t, family.leaf, family.depth), drawEntry(t, c, family.most))
			})
		})
	}
}

func drawReference(t *rapid.T, paths ...string) scim.Filter {
	p := parsePath(t, rapid.SampledFrom(paths).Draw(t, "path"))
	if rapid.Bool().Draw(t, "pr") {
		return scim.Present{Path: p}
	}
	return scim.Compare{Path: p, Op: rapid.SampledFrom(operators[:2]).Draw(t, "op"),
		Value: rapid.SampledFrom([]any{"id-ann", "id-bob", "id-who", nil}).Draw(t, "id")}
}

func compareAnswers(t *rapid.T, m *Mapping, f scim.Filter, e directory.Entry) {
	res := m.Resource(e, known)
	want, err := scim.Match(f, res, m.Definition())
	if err != nil {
		return // a filter that makes no sense
	}
	asked, exact, err := m.Filter(f, known.Names())
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	found := holds(asked, e)
	if want && !found {
		t.Fatalf("%s misses %v; asked was %+v", f, e.Attributes, asked)
	}
	if exact && found != want {
		t.Fatalf("%s finds %v and calls itself exact; asked was %+v", f, e.Attributes, asked)
	}
}
