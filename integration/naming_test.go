//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const countEntry = "cn=uidNext,dc=example,dc=org"

// numbered is a directory whose people have names by a template and numbers, and
// gateways in front of it.
func numbered(t *testing.T, gateways int, change func(*site)) (*company, []*client) {
	t.Helper()
	s := usual("unique\nunique_uri \"ldap:///dc=example,dc=org?gecos?sub\"")
	s.Template = "names.yaml"
	s.UserRules = []string{`{ldap: uidNumber, allocate: {counter: "` + countEntry + `", min: 10000, max: 59999}}`}
	s.Entries = "dn: " + countEntry + "\nobjectClass: device\nobjectClass: extensibleObject\ncn: uidNext\nuidNumber: 10000\n"
	s.Database = []string{"index uidNumber,gecos eq"}
	if change != nil {
		change(&s)
	}
	company := serve(t, s)
	clients := []*client{company.client(t)}
	for range gateways - 1 {
		g, err := startServe(t.Context(), company.config)
		if err != nil {
			t.Fatal(err)
		}
		g.endWith(t)
		g.of(company.server, company.token)
		clients = append(clients, g.client(t))
	}
	return company, clients
}

func johnSmith(i int) object {
	return object{"schemas": []string{userURN}, "userName": fmt.Sprintf("john%d@example.org", i), "externalId": fmt.Sprint("js", i),
		"displayName": "John Smith", "name": object{"givenName": "Jöhn", "familyName": "Smith"}}
}

// createdAll creates people at once, by all gateways in turn.
func createdAll(t *testing.T, clients []*client, n int, person func(i int) object) []string {
	t.Helper()
	ids := make([]string, n)
	together(n, func(i int) {
		a, err := clients[i%len(clients)].try("POST", "/Users", person(i))
		switch {
		case err != nil:
			t.Errorf("%d: %v", i, err)
		case a.status != http.StatusCreated:
			t.Errorf("%d: %s", i, a.raw)
		default:
			ids[i] = a.id()
		}
	})
	return ids
}

// Thirty people of one name, made at once by two gateways, get the thirty lowest
// names, and keep them.
func TestThirtyOfOneName(t *testing.T) {
	t.Parallel()
	company, clients := numbered(t, 2, nil)
	d, c := company.tree(t), clients[0]
	const n = 30
	ids := createdAll(t, clients, n, johnSmith)
	if t.Failed() {
		return
	}
	var names, accounts, numbers []string
	for i, id := range ids {
		e := d.entry(id)
		cn, account := e.GetAttributeValue("cn"), e.GetAttributeValue("gecos")
		names, accounts, numbers = append(names, cn), append(accounts, account), append(numbers, e.GetAttributeValue("uidNumber"))
		if e.GetAttributeValue("uid") != fmt.Sprintf("john%d@example.org", i) {
			t.Errorf("userName became %s", e.GetAttributeValue("uid"))
		}
		c.put("/Users/"+id, johnSmith(i)).want(http.StatusOK)
		c.patch("/Users/"+id, op("replace", "title", "t")).want(http.StatusOK)
		if now := d.entry(id); now.DN != e.DN || now.GetAttributeValue("gecos") != account {
			t.Errorf("%s, %s became %s, %s", e.DN, account, now.DN, now.GetAttributeValue("gecos"))
		}
	}
	var wantNames, wantAccounts []string
	for i := range n {
		name, account := "John Smith", "john.smith"
		if i > 0 {
			name, account = fmt.Sprint(name, " ", i+1), fmt.Sprint(account, i+1)
		}
		wantNames, wantAccounts = append(wantNames, name), append(wantAccounts, account)
	}
	for what, lists := range map[string][2][]string{"cn": {names, wantNames}, "account": {accounts, wantAccounts}} {
		slices.Sort(lists[0])
		slices.Sort(lists[1])
		if !slices.Equal(lists[0], lists[1]) {
			t.Errorf("%s: %q, want %q", what, lists[0], lists[1])
		}
	}
	if slices.Sort(numbers); len(slices.Compact(numbers)) != n {
		t.Errorf("numbers: %v", numbers)
	}
	c.post("/Users", johnSmith(3)).wantError(http.StatusConflict, "uniqueness")
}

// People who all get one new name at once end with names of their own, also where
// nothing but the gateways keeps an account unique.
func TestRenamedToOneTemplate(t *testing.T) {
	t.Parallel()
	for what, overlays := range map[string][]string{"by the directory": {"unique\nunique_uri \"ldap:///dc=example,dc=org?gecos?sub\""}, "by the gateways": nil} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			company, clients := numbered(t, 2, func(s *site) { s.Overlays = overlays })
			d := company.tree(t)
			const n = 16
			ids := createdAll(t, clients, n, func(i int) object {
				p := johnSmith(i)
				p["displayName"], p["name"] = fmt.Sprint("Person ", i), object{"givenName": fmt.Sprint("g", i), "familyName": "f"}
				return p
			})
			together(n, func(i int) {
				p := johnSmith(i)
				if a, err := clients[i%2].try("PUT", "/Users/"+ids[i], p); err != nil {
					t.Error(err)
				} else if a.status != http.StatusOK {
					t.Errorf("%s", a.raw)
				}
			})
			names, accounts := map[string]bool{}, map[string]bool{}
			for _, id := range ids {
				e := d.entry(id)
				cn, account := e.GetAttributeValue("cn"), e.GetAttributeValue("gecos")
				if names[cn] || accounts[account] || !strings.HasPrefix(cn, "John Smith") || !strings.HasPrefix(account, "john.smith") {
					t.Errorf("%s, %s", cn, account)
				}
				names[cn], accounts[account] = true, true
			}
		})
	}
}

// A new name is followed by the entry, with a suffix where it is taken; a deleted
// person keeps theirs, and comes back under it.
func TestNamesThroughLife(t *testing.T) {
	t.Parallel()
	company, clients := numbered(t, 1, nil)
	d, c := company.tree(t), clients[0]
	facts := func(id string) [3]string {
		e := d.entry(id)
		return [3]string{e.GetAttributeValue("cn"), e.GetAttributeValue("gecos"), e.GetAttributeValue("uidNumber")}
	}
	is := func(what, id string, want ...string) {
		t.Helper()
		if got := facts(id); !slices.Equal(got[:], want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	first, second := c.create(johnSmith(0)), c.create(johnSmith(1))
	is("the first", first, "John Smith", "john.smith", "10000")
	is("the second", second, "John Smith 2", "john.smith2", "10001")
	rename := func(name, family string) []object {
		return []object{op("replace", "displayName", name), op("replace", "name.familyName", family)}
	}
	third := c.create(johnSmith(2))
	c.patch("/Users/"+third, rename("John Smythe", "Smythe")...).want(http.StatusOK)
	is("a new name", third, "John Smythe", "john.smythe", "10002")
	c.patch("/Users/"+second, rename("John Smythe", "Smythe")...).want(http.StatusOK)
	is("a new name that is taken", second, "John Smythe 2", "john.smythe2", "10001")
	c.patch("/Users/"+second, rename("john smythe", "Smythe")...).want(http.StatusOK)
	is("another spelling", second, "john smythe 2", "john.smythe2", "10001")
	c.patch("/Users/"+second, op("replace", "active", false)).want(http.StatusOK)
	c.delete("/Users/" + first).want(http.StatusNoContent)
	is("deleted", first, "John Smith", "john.smith", "10000")
	again := c.create(johnSmith(3))
	is("beside a tombstone", again, "John Smith 2", "john.smith2", "10003")
	if id := c.create(johnSmith(0)); id != first {
		t.Errorf("%s came back as %s", first, id)
	}
	is("revived", first, "John Smith", "john.smith", "10000")
	// A tombstone that gives up its userName keeps what takes a suffix.
	c.delete("/Users/" + first).want(http.StatusNoContent)
	other := johnSmith(0)
	other["externalId"] = "another"
	is("instead of a tombstone", c.create(other), "John Smith 3", "john.smith3", "10004")
	is("put aside", first, "John Smith", "john.smith", "10000")
	if uid := d.entry(first).GetAttributeValue("uid"); uid != "deleted-"+first {
		t.Errorf("its userName is %s", uid)
	}
	if id := c.create(johnSmith(7)); facts(id)[0] != "John Smith 4" {
		t.Errorf("%q", facts(id))
	}
	back := johnSmith(0)
	back["userName"] = "john99@example.org"
	if id := c.create(back); id != first {
		t.Errorf("%s came back as %s", first, id)
	}
	is("back after it was put aside", first, "John Smith", "john.smith", "10000")
	if uid := d.entry(first).GetAttributeValue("uid"); uid != "john99@example.org" {
		t.Errorf("its userName is %s", uid)
	}
}

// A name is taken only by who is directly below the base; what the directory keeps
// unique in the whole tree is left to whoever has it there.
func TestNamesBeyondTheBase(t *testing.T) {
	t.Parallel()
	company, clients := numbered(t, 1, nil)
	d, c := company.tree(t), clients[0]
	d.add("ou=former,ou=people,dc=example,dc=org", map[string][]string{"objectClass": {"organizationalUnit"}, "ou": {"former"}})
	d.add("cn=John Smith,ou=former,ou=people,dc=example,dc=org", map[string][]string{"objectClass": {"person"}, "sn": {"Smith"}, "cn": {"John Smith"}})
	for i, account := range []string{"john.smith", "john.smith2", "john.smith3"} {
		uid := fmt.Sprint("system", i)
		d.add("uid="+uid+",dc=example,dc=org", map[string][]string{"objectClass": {"account", "posixAccount"}, "uid": {uid}, "cn": {uid},
			"uidNumber": {strconv.Itoa(10000 + i)}, "gidNumber": {"1"}, "homeDirectory": {"/"}, "gecos": {account}})
	}
	e := d.entry(c.create(johnSmith(0)))
	if got := [3]string{e.GetAttributeValue("cn"), e.GetAttributeValue("gecos"), e.GetAttributeValue("uidNumber")}; got != [3]string{"John Smith", "john.smith4", "10003"} {
		t.Errorf("%q", got)
	}
	// Twelve characters, the suffix among them; the last letter keeps its mark.
	long := johnSmith(1)
	long["name"] = object{"givenName": "Maximiliane", "familyName": "[Schmidt]"}
	for i, want := range []string{"maximiliane", "maximiliane2", "maximiliane3"} {
		long["userName"], long["externalId"] = fmt.Sprint("long", i), fmt.Sprint("long", i)
		if got := d.entry(c.create(long)).GetAttributeValue("gecos"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Numbers are given once, however many are made at once by two gateways, and not
// again when an entry is a tombstone or gone.
func TestNumbersOfManyGateways(t *testing.T) {
	t.Parallel()
	for _, deletes := range []string{"disable", "remove"} {
		t.Run(deletes, func(t *testing.T) {
			t.Parallel()
			company, clients := numbered(t, 2, func(s *site) { s.Delete = deletes })
			d := company.tree(t)
			const n = 100
			given := map[string]bool{}
			for round := range 2 {
				ids := createdAll(t, clients, n, func(i int) object {
					i += round * n
					p := johnSmith(i)
					p["displayName"], p["name"] = fmt.Sprint("Person ", i), object{"givenName": fmt.Sprint("g", i), "familyName": "f"}
					return p
				})
				if t.Failed() {
					return
				}
				for _, id := range ids {
					number := d.entry(id).GetAttributeValue("uidNumber")
					if given[number] {
						t.Errorf("%s was given again", number)
					}
					given[number] = true
				}
				together(n, func(i int) {
					if a, err := clients[i%2].try("DELETE", "/Users/"+ids[i], nil); err != nil {
						t.Error(err)
					} else if a.status != http.StatusNoContent {
						t.Errorf("%s", a.raw)
					}
				})
			}
			if len(given) != 2*n {
				t.Errorf("%d numbers", len(given))
			}
		})
	}
}

// A number can be shown, and nobody can change it; where none is left the answer
// says so, and nothing is made.
func TestNumberIsShown(t *testing.T) {
	t.Parallel()
	company, clients := numbered(t, 1, func(s *site) {
		s.UserRules = []string{`{scim: 'enterprise:employeeNumber', ldap: uidNumber, mutability: readOnly, allocate: {min: 10000, max: 10001}}`}
		s.Entries = ""
	})
	d, c := company.tree(t), clients[0]
	p := johnSmith(0)
	p[enterpriseURN] = object{"employeeNumber": "1"}
	a := c.post("/Users", p).want(http.StatusCreated)
	path := "$." + enterpriseURN + ".employeeNumber"
	if a.text(path) != "10000" {
		t.Errorf("%s", a.raw)
	}
	c.put("/Users/"+a.id(), p).want(http.StatusOK)
	c.patch("/Users/"+a.id(), op("replace", enterpriseURN+":employeeNumber", "7")).wantError(http.StatusBadRequest, "mutability")
	if found := c.find("/Users", enterpriseURN+`:employeeNumber eq "10000"`); found.total() != 1 || c.get("/Users/"+a.id()).text(path) != "10000" {
		t.Errorf("%s", found.raw)
	}
	c.create(johnSmith(1))
	c.post("/Users", johnSmith(2)).wantError(http.StatusInsufficientStorage, "")
	if found := d.named("uid", "john2@example.org"); len(found) != 0 {
		t.Errorf("%s was made", found[0].DN)
	}
}

// A preview shows the name and the number that would be given, and gives neither.
func TestPreviewOfNamesAndNumbers(t *testing.T) {
	t.Parallel()
	company, clients := numbered(t, 1, nil)
	clients[0].create(johnSmith(0))
	bulk := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": []object{
		{"method": "POST", "path": "/Users", "bulkId": "a", "data": johnSmith(1)}, {"method": "POST", "path": "/Users", "bulkId": "b", "data": johnSmith(2)}}}
	out := company.preview(t, 0, bulk)
	for _, want := range []string{"John Smith 2,ou=people", "John Smith 3,ou=people", "uidNumber: 10001\n", "uidNumber: 10002\n", "gecos: john.smith3"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
