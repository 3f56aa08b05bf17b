//go:build integration

package integration

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// tree looks at the directory as its administrator.
type tree struct {
	t      *testing.T
	url    string
	suffix string
	conn   *ldap.Conn
}

// tree opens the directory behind a gate.
func (g *gate) tree(t *testing.T) *tree {
	t.Helper()
	return openTree(t, g.ldap, g.suffix, g.password)
}

func openTree(t *testing.T, url, suffix, password string) *tree {
	t.Helper()
	conn, err := ldap.DialURL(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetTimeout(patience)
	if err := conn.Bind("cn=admin,"+suffix, password); err != nil {
		t.Fatal(err)
	}
	return &tree{t: t, url: url, suffix: suffix, conn: conn}
}

// in returns the same directory for a subtest.
func (d *tree) in(t *testing.T) *tree {
	other := *d
	other.t = t
	return &other
}

// search returns all entries below the suffix that match, with every attribute.
func (d *tree) search(filter string, attributes ...string) []*ldap.Entry {
	d.t.Helper()
	if len(attributes) == 0 {
		attributes = []string{"*", "+"}
	}
	found, err := d.conn.Search(ldap.NewSearchRequest(d.suffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		filter, attributes, nil))
	if err != nil {
		d.t.Fatalf("%s: %v", filter, err)
	}
	return found.Entries
}

// entry returns the one entry with an id.
func (d *tree) entry(id string) *ldap.Entry {
	d.t.Helper()
	found := d.search("(entryUUID=" + ldap.EscapeFilter(id) + ")")
	if len(found) != 1 {
		d.t.Fatalf("%d entries have the entryUUID %s", len(found), id)
	}
	return found[0]
}

// named returns the entries whose attribute has the value.
func (d *tree) named(attribute, value string) []*ldap.Entry {
	d.t.Helper()
	return d.search("(" + attribute + "=" + ldap.EscapeFilter(value) + ")")
}

// canBind says whether somebody gets in with a password.
func (d *tree) canBind(dn, password string) bool {
	d.t.Helper()
	conn, err := ldap.DialURL(d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Bind(dn, password)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		d.t.Fatalf("bind as %s: %v", dn, err)
	}
	return err == nil
}

// opens says whether the person with the id gets in with a password.
func (d *tree) opens(id, password string) bool {
	d.t.Helper()
	return d.canBind(d.entry(id).DN, password)
}

// setPassword is what ldappasswd does as the administrator (RFC 3062).
func (d *tree) setPassword(id, password string) {
	d.t.Helper()
	if _, err := d.conn.PasswordModify(ldap.NewPasswordModifyRequest(d.entry(id).DN, "", password)); err != nil {
		d.t.Fatal(err)
	}
}

// add writes an entry past the gateway.
func (d *tree) add(dn string, attributes map[string][]string) {
	d.t.Helper()
	request := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		request.Attribute(name, values)
	}
	if err := d.conn.Add(request); err != nil {
		d.t.Fatalf("add %s: %v", dn, err)
	}
}

// set replaces an attribute past the gateway; without values it is removed.
func (d *tree) set(dn, attribute string, values ...string) {
	d.t.Helper()
	request := ldap.NewModifyRequest(dn, nil)
	request.Replace(attribute, values)
	if err := d.conn.Modify(request); err != nil {
		d.t.Fatalf("set %s of %s: %v", attribute, dn, err)
	}
}

// put adds values to an attribute past the gateway.
func (d *tree) put(dn, attribute string, values ...string) {
	d.t.Helper()
	request := ldap.NewModifyRequest(dn, nil)
	request.Add(attribute, values)
	if err := d.conn.Modify(request); err != nil {
		d.t.Fatalf("add %s to %s: %v", attribute, dn, err)
	}
}

// foreignGroup is a group that nobody but the administrator manages.
func (d *tree) foreignGroup(name string, members ...string) string {
	d.t.Helper()
	dn := "cn=" + name + ",ou=groups," + d.suffix
	d.add(dn, map[string][]string{"objectClass": {"top", "groupOfNames"}, "cn": {name}, "member": members})
	return dn
}

// read returns an attribute of the entry with the name.
func (d *tree) read(dn, attribute string) []string {
	d.t.Helper()
	found, err := d.conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{attribute}, nil))
	if err != nil {
		d.t.Fatalf("%s: %v", dn, err)
	}
	return found.Entries[0].GetAttributeValues(attribute)
}

// hasMember says whether an entry of that name is a member of a group.
func (d *tree) hasMember(groupDN, dn string) bool {
	d.t.Helper()
	return slices.ContainsFunc(d.read(groupDN, "member"), func(m string) bool { return strings.EqualFold(m, dn) })
}

// without returns an entry's attributes but for those that every write changes.
func without(e *ldap.Entry, names ...string) map[string][]string {
	left := map[string][]string{}
	for _, a := range e.Attributes {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, a.Name) }) {
			left[a.Name] = slices.Sorted(slices.Values(a.Values))
		}
	}
	return left
}

// unlike returns a name that no other test has.
func unlike(name string) string {
	random := make([]byte, 4)
	if _, err := rand.Read(random); err != nil {
		panic(err)
	}
	return name + "." + hex.EncodeToString(random)
}

// setAll replaces several attributes, and one more, in one Modify.
func (d *tree) setAll(dn string, attributes map[string][]string, another string, values ...string) {
	d.t.Helper()
	request := ldap.NewModifyRequest(dn, nil)
	request.Replace(another, values)
	for name, values := range attributes {
		request.Replace(name, values)
	}
	if err := d.conn.Modify(request); err != nil {
		d.t.Fatalf("write %s: %v", dn, err)
	}
}

// move puts an entry below another past the gateway.
func (d *tree) move(dn, below string) string {
	d.t.Helper()
	rdn, _, _ := strings.Cut(dn, ",")
	if err := d.conn.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, below)); err != nil {
		d.t.Fatalf("move %s: %v", dn, err)
	}
	return rdn + "," + below
}

// remove deletes an entry past the gateway.
func (d *tree) remove(dn string) error { return d.conn.Del(ldap.NewDelRequest(dn, nil)) }
