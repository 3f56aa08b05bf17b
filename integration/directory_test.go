//go:build integration

package integration

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"maps"
	"os"
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
	admin  string // its DN
	trust  *tls.Config
	conn   *ldap.Conn
}

// tree opens the directory behind a gate.
func (g *gate) tree(t *testing.T) *tree {
	t.Helper()
	d := &tree{t: t, url: g.ldap, suffix: g.suffix, admin: g.admin}
	if g.trust != "" {
		text, err := os.ReadFile(g.trust)
		if err != nil {
			t.Fatal(err)
		}
		d.trust = &tls.Config{RootCAs: x509.NewCertPool()}
		d.trust.RootCAs.AppendCertsFromPEM(text)
	}
	d.conn = d.dial()
	t.Cleanup(func() { d.conn.Close() })
	d.conn.SetTimeout(patience)
	if err := d.conn.Bind(d.admin, g.password); err != nil {
		t.Fatal(err)
	}
	return d
}

// openTree opens an OpenLDAP by its address.
func openTree(t *testing.T, url, suffix, password string) *tree {
	t.Helper()
	return (&gate{ldap: url, suffix: suffix, admin: "cn=admin," + suffix, password: password}).tree(t)
}

func (d *tree) dial() *ldap.Conn {
	d.t.Helper()
	conn, err := ldap.DialURL(d.url, ldap.DialWithTLSConfig(d.trust))
	if err != nil {
		d.t.Fatal(err)
	}
	return conn
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
		attributes = append([]string{"*", "+"}, here.hidden...)
	}
	found, err := d.conn.Search(ldap.NewSearchRequest(d.suffix, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		here.filter(filter), attributes, nil))
	if err != nil {
		d.t.Fatalf("%s: %v", filter, err)
	}
	for _, e := range found.Entries {
		here.entry(e)
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
	conn := d.dial()
	defer conn.Close()
	err := conn.Bind(dn, password)
	if err != nil && !here.refuses(err) {
		d.t.Fatalf("bind as %s: %v", dn, err)
	}
	return err == nil
}

// opens says whether the person with the id gets in with a password.
func (d *tree) opens(id, password string) bool {
	d.t.Helper()
	return d.canBind(d.entry(id).DN, password)
}

// setPassword is what an administrator does who sets a password.
func (d *tree) setPassword(id, password string) {
	d.t.Helper()
	if err := here.setPassword(d.conn, d.entry(id).DN, password); err != nil {
		d.t.Fatal(err)
	}
}

// lock locks somebody as an administrator does, in one of the ways of the directory.
func (d *tree) lock(dn, how string) {
	d.t.Helper()
	d.set(dn, here.lock.attribute, how)
}

// unlock is what the administrator does later.
func (d *tree) unlock(dn string) {
	d.t.Helper()
	d.set(dn, here.lock.attribute, here.lock.open...)
}

// add writes an entry past the gateway.
func (d *tree) add(dn string, attributes map[string][]string) {
	d.t.Helper()
	request := ldap.NewAddRequest(dn, nil)
	for name, values := range attributes {
		request.Attribute(here.word(name), values)
	}
	if err := d.conn.Add(request); err != nil {
		d.t.Fatalf("add %s: %v", dn, err)
	}
}

// set replaces an attribute past the gateway; without values it is removed.
func (d *tree) set(dn, attribute string, values ...string) {
	d.t.Helper()
	request := ldap.NewModifyRequest(dn, nil)
	request.Replace(here.word(attribute), values)
	if err := d.conn.Modify(request); err != nil {
		d.t.Fatalf("set %s of %s: %v", attribute, dn, err)
	}
}

// put adds values to an attribute past the gateway.
func (d *tree) put(dn, attribute string, values ...string) {
	d.t.Helper()
	request := ldap.NewModifyRequest(dn, nil)
	request.Add(here.word(attribute), values)
	if err := d.conn.Modify(request); err != nil {
		d.t.Fatalf("add %s to %s: %v", attribute, dn, err)
	}
}

// foreignGroup is a group that nobody but the administrator manages.
func (d *tree) foreignGroup(name string, members ...string) string {
	d.t.Helper()
	dn := "cn=" + name + ",ou=groups," + d.suffix
	d.add(dn, map[string][]string{"objectClass": {"top", here.groups[0].class}, "cn": {name}, "member": members})
	return dn
}

// foreignPerson is somebody whom nobody but the administrator manages.
func (d *tree) foreignPerson(name string, attributes map[string][]string) string {
	d.t.Helper()
	dn := here.rdn + "=" + name + ",ou=people," + d.suffix
	all := map[string][]string{"objectClass": {"inetOrgPerson"}, "uid": {name}, "sn": {name}, "cn": {name}}
	maps.Copy(all, attributes)
	d.add(dn, all)
	return dn
}

// read returns an attribute of the entry with the name.
func (d *tree) read(dn, attribute string) []string {
	d.t.Helper()
	found, err := d.conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{here.word(attribute)}, nil))
	if err != nil {
		d.t.Fatalf("%s: %v", dn, err)
	}
	here.entry(found.Entries[0])
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
	request.Replace(here.word(another), values)
	for name, values := range attributes {
		request.Replace(here.word(name), values)
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
