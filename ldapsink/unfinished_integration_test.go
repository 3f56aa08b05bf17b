//go:build integration && !ad && !ds389

package ldapsink

import (
	"testing"

	"scimgate/internal/directory"
	"scimgate/internal/slapd"
)

// A rename whose references cannot be brought along stays unfinished, and that
// keeps nobody from being locked.
func TestUnfinishedRenameKeepsNobodyUnlocked(t *testing.T) {
	const account = "cn=service,dc=example,dc=org"
	server := serve(t, slapd.Config{
		Entries: "dn: " + account + "\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: service\nuserPassword: secret\n",
		Access:  []string{"to attrs=userPassword by * auth", `to dn.subtree="` + groups + `" by * read`, `to * by dn.exact="` + account + `" write by * read`},
	})
	admin := open(t, configured(server))
	ann := add(t, admin.Store(users()), person("ann"))
	add(t, admin.Store(teams()), directory.NewEntry{Name: "team", Attributes: directory.Attributes{"cn": {"team"}, "member": {ann.DN}},
		Marker: directory.Marker{Source: "okta", State: directory.Active, Request: "g"}})
	cfg := configured(server)
	cfg.Bind = Bind{DN: account, Password: "secret"}
	st := open(t, cfg).Store(users())
	c := directory.Change{Name: "anna", Marker: ann.Marker}
	c.Marker.Request = "r2"
	if _, err := st.Update(t.Context(), ann, c); err == nil {
		t.Fatal("the group can be written; nothing is left to be tried")
	}
	found, err := st.Search(t.Context(), directory.Query{Filter: directory.Eq(directory.AttrID, ann.ID)})
	if err != nil || len(found) != 1 || found[0].Marker.From == "" {
		t.Fatalf("%+v, %v", found, err)
	}
	now := found[0]
	active := directory.Change{Mods: []directory.Mod{{Op: directory.ModReplace, Attribute: "sn", Values: []string{"x"}}}, Marker: now.Marker}
	if _, err := st.Update(t.Context(), now, active); err == nil {
		t.Error("an active person is written though the rename is unfinished")
	}
	lock := directory.Change{Marker: now.Marker}
	lock.Marker.State, lock.Marker.Request = directory.Deleting, "r3"
	locked, err := st.Update(t.Context(), now, lock)
	if err != nil || locked.Marker.State != directory.Deleting || locked.Marker.From != now.Marker.From {
		t.Errorf("%+v, %v", locked.Marker, err)
	}
}
