//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"scimgate/internal/directory"
)

// crowd is how many members the large group has.
const crowd = 10000

// largeGroup is the LDIF of people whom the gateway made earlier, and of a
// group of all of them. It returns the ids too.
func largeGroup(t *testing.T) (ldif, groupID string, people []string) {
	t.Helper()
	marker, err := directory.Marker{Source: "okta", State: directory.Active, Request: "LARGE", Since: time.Unix(1700000000, 0).UTC()}.Text()
	if err != nil {
		t.Fatal(err)
	}
	var b, members strings.Builder
	for i := range crowd {
		id := uuid.NewString()
		people = append(people, id)
		dn := fmt.Sprintf("uid=p%05d,ou=people,dc=example,dc=org", i)
		fmt.Fprintf(&b, "dn: %s\nobjectClass: inetOrgPerson\nobjectClass: scimgateObject\nuid: p%05d\nsn: P\ncn: P\n"+
			"scimState: %s\nscimSource: okta\nentryUUID: %s\n\n", dn, i, marker, id)
		fmt.Fprintf(&members, "member: %s\n", dn)
	}
	groupID = uuid.NewString()
	fmt.Fprintf(&b, "dn: cn=crowd,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\nobjectClass: scimgateObject\ncn: crowd\n"+
		"scimState: %s\nscimSource: okta\nentryUUID: %s\n%s\n", marker, groupID, members.String())
	return b.String(), groupID, people
}

// A group of 10,000 takes one more and loses one, and neither on the side of
// the identity provider nor on that of the directory does anybody carry the
// other members along.
func TestLargeGroupIsNotCarried(t *testing.T) {
	t.Parallel()
	ldif, team, people := largeGroup(t)
	s := usual()
	s.Entries, s.Database = ldif, []string{"dbnosync"}
	var wire *proxy
	s.Through = func(address string) string {
		wire = newProxy(t, address)
		return wire.address()
	}
	g := serve(t, s)
	web := newProxy(t, strings.TrimSuffix(strings.TrimPrefix(g.base, "http://"), "/scim/v2"))
	c, d := g.client(t), g.tree(t)
	c.base = "http://" + web.address() + "/scim/v2"
	one := c.create(person(unlike("one")))
	together(32, func(int) { // every connection to the directory is open and has read the schema
		if a, err := c.try("GET", "/Users/"+one, nil); err != nil || a.status != http.StatusOK {
			t.Errorf("GET: %v %v", a, err)
		}
	})
	groupDN := "cn=crowd,ou=groups," + d.suffix

	const few = 16 << 10 // the other members are half a megabyte
	count := func() int { return len(d.read(groupDN, "member")) }
	path := "/Groups/" + team
	for _, step := range []struct {
		what string
		do   func()
		want int
	}{
		{"add one", func() {
			c.patch(path, object{"op": "add", "path": "members", "value": values(one)}).want(http.StatusNoContent)
		}, crowd + 1},
		{"add one again", func() {
			c.patch(path, object{"op": "Add", "path": "members", "value": values(one)}).want(http.StatusNoContent)
		}, crowd + 1},
		{"remove one by filter", func() {
			c.patch(path, object{"op": "remove", "path": `members[value eq "` + one + `"]`}).want(http.StatusNoContent)
		}, crowd},
		{"remove one by value", func() {
			c.patch(path, object{"op": "Remove", "path": "members", "value": values(people[0])}).want(http.StatusNoContent)
		}, crowd - 1},
		{"change the name and add one", func() {
			c.patch(path, object{"op": "replace", "value": object{"id": team, "externalId": "crowd-1"}},
				object{"op": "add", "path": "members", "value": values(people[0])}).want(http.StatusNoContent)
		}, crowd},
		{"one out, one in", func() {
			c.patch(path, object{"op": "remove", "path": `members[value eq "` + people[1] + `"]`},
				object{"op": "add", "path": "members", "value": values(one)}).want(http.StatusNoContent)
		}, crowd},
		{"read without members", func() { c.get(path + "?excludedAttributes=members").want(http.StatusOK) }, crowd},
		{"match by name without members", func() {
			c.get("/Groups?excludedAttributes=members&filter=displayName+eq+%22crowd%22").want(http.StatusOK)
		}, crowd},
		{"is one a member", func() {
			a := c.get("/Groups?attributes=id&filter=" + strings.ReplaceAll(`id eq "`+team+`" and members eq "`+one+`"`, " ", "+")).want(http.StatusOK)
			if a.total() != 1 {
				t.Errorf("the member is not found: %s", a.raw)
			}
		}, crowd},
		{"delete one of the members", func() { c.delete("/Users/" + people[2]).want(http.StatusNoContent) }, crowd - 1},
	} {
		var overHTTP int64
		overLDAP := wire.during(func() { overHTTP = web.during(step.do) })
		if overHTTP > few || overLDAP > few {
			t.Errorf("%s: %d bytes over HTTP and %d over LDAP, want at most %d", step.what, overHTTP, overLDAP, few)
		}
		if got := count(); got != step.want {
			t.Errorf("%s: %d members, want %d", step.what, got, step.want)
		}
	}
	if got := len(c.get(path).want(http.StatusOK).members()); got != crowd-1 {
		t.Errorf("GET shows %d members, want %d", got, crowd-1)
	}
}
