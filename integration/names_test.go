//go:build integration

package integration

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// nasty are names with everything that some layer between HTTP and the
// directory gives a meaning to. %s is where a test puts its own part.
var nasty = []string{
	"lee, %s", "lee+%s", "lee %s+x, y=z", `"%s"`, `lee "the" %s`, "'%s'", "#%s", "##%s#", " lead%s", "trail%s ", "  both%s  ",
	"a/%s/b", "%s/", "*%s*", "*%s", "(%s)", "lee)(uid=*%s", "(&(uid=%s", `\%s`, `%s\`, `\2c%s`, `\\%s\20`, "<%s>", "a;%s",
	"a=%s", "uid=%s,ou=people", "cn=admin,dc=example,dc=org %s", "Jürgen %s Größe", "名前 %s", "👩‍💻 %s", "%s é", "ß%s",
	"%%%s", "%%2F%s", "?%s&x=1", "%s#fragment", "a:b%s", "[%s]", "{%s}", "${%s}", "|%s|", "^%s$", "~%s~", "`%s`", "!%s",
	"%s@example.net", "a%sb c  d", "null%s", "%s.json", "-%s", "_%s", ".%s.", "@%s",
	strings.Repeat("long", 22) + "%s", "%s" + strings.Repeat("ü", 88),
}

func nastyNames(part string) []string {
	names := make([]string, len(nasty))
	for i, pattern := range nasty {
		names[i] = fmt.Sprintf(pattern, part)
	}
	return names
}

func filterText(s string) string { return `"` + quoted(s) + `"` }

// kind is what differs between users and groups where it comes to names.
type kind struct {
	endpoint, scim, ldap string
	make                 func(name string) object
}

var (
	users  = kind{"Users", "userName", "uid", func(name string) object { return person(name) }}
	groups = kind{"Groups", "displayName", "cn", func(name string) object { return group(name) }}
)

// refused says whether the directory cannot have a name.
func (k kind) refused(name string) bool {
	bad := here.badGroups
	if k.ldap == "uid" {
		bad = here.badNames
	} else if here.longest > 0 && len([]rune(name)) > here.longest {
		return true
	}
	return bad != "" && regexp.MustCompile(bad).MatchString(name)
}

// possible are the names that the directory can have; the others are refused
// with words.
func (k kind) possible(c *client, names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		if !k.refused(name) {
			return false
		}
		c.post("/"+k.endpoint, k.make(name)).wantError(http.StatusBadRequest, "invalidValue")
		return true
	})
}

// named returns the first value in a name. Samba escapes characters that need it
// not, which the library does not understand.
func (k kind) named(dn string) string {
	rest := dn[strings.Index(dn, "=")+1:]
	var value []byte
	for i := 0; i < len(rest) && rest[i] != ','; i++ {
		if rest[i] != '\\' || i+1 == len(rest) {
			value = append(value, rest[i])
			continue
		}
		if raw, err := hex.DecodeString(rest[i+1 : min(i+3, len(rest))]); err == nil {
			value, i = append(value, raw...), i+2
			continue
		}
		i++
		value = append(value, rest[i])
	}
	return string(value)
}

// holds says what is wrong with the entry of a resource that has a name.
func (k kind) holds(c *client, d *tree, id, name string) error {
	e := d.entry(id)
	if got := e.GetAttributeValues(k.ldap); !slices.Equal(got, []string{name}) {
		return fmt.Errorf("%s is %q, want %q", k.ldap, got, name)
	}
	if same := d.named(k.ldap, name); len(same) != 1 || same[0].DN != e.DN {
		return fmt.Errorf("%d entries have the name", len(same))
	}
	if rdn := k.named(e.DN); !here.unnamed && rdn != name && !(here.blanks && rdn == strings.Join(strings.Fields(name), " ")) {
		return fmt.Errorf("the entry's name is %s", e.DN)
	}
	found := c.find(k.endpoint, k.scim+" eq "+filterText(name))
	if found.total() != 1 || found.ids()[0] != id || found.resources()[0][k.scim] != name {
		return fmt.Errorf("not found by its name: %s", found.raw)
	}
	if got := c.get("/" + k.endpoint + "/" + id).want(http.StatusOK).text("$." + k.scim); got != name {
		return fmt.Errorf("GET shows %q", got)
	}
	return nil
}

// A name may have every character that people and products put into names: it
// becomes one correct entry, is found and listed once, and can be changed to
// another of them, keeping id and groups.
func TestNastyNames(t *testing.T) {
	t.Parallel()
	for _, k := range []kind{users, groups} {
		t.Run(k.endpoint, func(t *testing.T) {
			t.Parallel()
			g := fresh(t)
			c, d := g.client(t), g.tree(t)
			names := k.possible(c, nastyNames("one"))
			ids := make([]string, len(names))
			for i, name := range names {
				a := c.post("/"+k.endpoint, k.make(name))
				if ids[i] = a.id(); a.status != http.StatusCreated {
					t.Fatalf("%q: %d %s", name, a.status, a.raw)
				}
				if err := k.holds(c, d, ids[i], name); err != nil {
					t.Errorf("%q: %v", name, err)
				}
				c.post("/"+k.endpoint, k.make(name)).wantError(http.StatusConflict, "uniqueness")
			}
			k.listedOnce(t, c, ids)
			team := c.createGroup("team", ids...)
			k.renameAll(t, c, d, ids)
			got := c.get("/Groups/" + team).members()
			if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(ids))) {
				t.Errorf("after all the renames the group has %d members, want %d", len(got), len(ids))
				for _, id := range ids {
					if !slices.Contains(got, id) {
						t.Errorf("%s is not there", d.entry(id).DN)
					}
				}
			}
		})
	}
}

// listedOnce walks the whole list.
func (k kind) listedOnce(t *testing.T, c *client, ids []string) {
	t.Helper()
	var listed []string
	for start := 1; ; start += 20 {
		page := c.get(fmt.Sprintf("/%s?startIndex=%d&count=20", k.endpoint, start)).want(http.StatusOK).ids()
		if listed = append(listed, page...); len(page) < 20 {
			break
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, slices.Sorted(slices.Values(ids))) {
		t.Errorf("%d are listed, want each of %d once", len(listed), len(ids))
	}
}

// renameAll gives each the name that follows its own in the table, half of them
// by PUT, half by PATCH.
func (k kind) renameAll(t *testing.T, c *client, d *tree, ids []string) {
	t.Helper()
	names := k.possible(c, nastyNames("two"))
	for i, id := range ids {
		name := names[(i+1)%len(names)]
		if i%2 == 0 {
			c.put("/"+k.endpoint+"/"+id, k.make(name)).want(http.StatusOK)
		} else {
			a := c.patch("/"+k.endpoint+"/"+id, object{"op": "replace", "path": k.scim, "value": name})
			if a.status != http.StatusOK && a.status != http.StatusNoContent {
				t.Fatalf("renamed from %s to %q: %d %s", d.entry(id).DN, name, a.status, a.raw)
			}
		}
		if err := k.holds(c, d, id, name); err != nil {
			t.Errorf("renamed to %q: %v", name, err)
		}
	}
}

// An asterisk in a filter's value is an asterisk.
func TestFilterValueIsNoPattern(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	part := unlike("star")
	c.create(person(part + "abc"))
	literal := c.create(person(part + "*"))
	if found := c.find("Users", `userName eq "`+part+`*"`); found.total() != 1 || found.ids()[0] != literal {
		t.Errorf("found %s", found.raw)
	}
	if found := c.find("Users", `userName eq "`+part+`)(uid=*"`); found.total() != 0 {
		t.Errorf("found %s", found.raw)
	}
}

// Changing nothing but the case of a name is a rename, not a conflict with
// oneself.
func TestRenameByCase(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("case")
	id := c.create(person(name))
	upper := strings.ToUpper(name)
	if got := c.put("/Users/"+id, person(upper)).want(http.StatusOK).text("$.userName"); got != upper {
		t.Errorf("userName is %q, want %q", got, upper)
	}
	if got := d.entry(id).GetAttributeValues("uid"); !slices.Equal(got, []string{upper}) {
		t.Errorf("uid is %q", got)
	}
	c.post("/Users", person(name)).wantError(http.StatusConflict, "uniqueness")
	if c.find("Users", `userName eq "`+name+`"`).total() != 1 {
		t.Error("userName is not compared without case")
	}
}

// A name that a directory cannot have is refused with words, not with a 500.
func TestImpossibleNames(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c := g.client(t)
	for _, name := range []any{"", " ", nil, []string{}, object{}, strings.Repeat("x", 5000), "nul\x00l"} {
		a := c.post("/Users", person("", object{"userName": name}))
		if a.status != http.StatusBadRequest && a.status != http.StatusCreated {
			t.Errorf("%.40q: %d %s", name, a.status, a.raw)
		}
		if a.status == http.StatusCreated {
			if _, isText := name.(string); !isText {
				t.Errorf("%v became a name: %s", name, a.raw)
			}
			c.delete("/Users/" + a.id())
		}
	}
}
