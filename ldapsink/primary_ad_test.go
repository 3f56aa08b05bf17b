//go:build ad && !ds389

package ldapsink

import (
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Who is in a group by primaryGroupID is a member as any other, but for leaving.
func TestPrimaryGroup(t *testing.T) {
	sink := open(t, capped(t, 2))
	c := directory.Collection{Source: "okta", StateAttribute: "adminDescription", SourceAttribute: "extensionName", Naming: "cn",
		Base: "OU=groups,DC=example,DC=org", ObjectClasses: []string{"group"}, Attributes: []string{"cn", "member"}, Member: "member"}
	st := sink.Store(c)
	p0, p1 := "CN=p0000,OU=people,DC=example,DC=org", "CN=p0001,OU=people,DC=example,DC=org"
	group, err := st.Add(t.Context(), directory.NewEntry{Name: "team", Attributes: directory.Attributes{"cn": {"team"}, "member": {p0, p1}},
		Marker: directory.Marker{Source: "okta", State: directory.Active, Request: "r1"}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := sink.base(t.Context(), group.DN, []string{"primaryGroupToken"})
	if err != nil {
		t.Fatal(err)
	}
	request := ldap.NewModifyRequest(p0, nil)
	request.Replace("primaryGroupID", []string{first(raw, "primaryGroupToken")})
	if err := sink.repeat(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if raw, err = sink.base(t.Context(), group.DN, []string{"member"}); err != nil || slices.Contains(values(raw, "member"), p0) {
		t.Fatalf("the server itself lists whose primary group it is: %v, %v", raw, err)
	}
	shows := func(want ...string) {
		t.Helper()
		for _, filter := range []directory.Filter{directory.Eq(directory.AttrID, group.ID), directory.Eq("member", want[0])} {
			found, err := st.Search(t.Context(), directory.Query{Filter: filter})
			if err != nil || len(found) != 1 {
				t.Fatalf("%v: %d groups, %v", filter, len(found), err)
			}
			got := slices.Sorted(slices.Values(found[0].Attributes["member"]))
			if !slices.Equal(got, want) {
				t.Errorf("members %q, wanted %q", got, want)
			}
		}
	}
	shows(p0, p1)
	if err := st.ChangeMembers(t.Context(), group.ID, "", directory.MemberChange{Add: []string{p0, p1}}); err != nil {
		t.Errorf("adding who is in it: %v", err)
	}
	if err := st.ChangeMembers(t.Context(), group.ID, "", directory.MemberChange{Remove: []string{p0}}); !directory.Is(err, directory.Bound) {
		t.Errorf("taking somebody out of the primary group: %v", err)
	}
	if err := st.ChangeMembers(t.Context(), group.ID, "", directory.MemberChange{Remove: []string{p1}}); err != nil {
		t.Error(err)
	}
	shows(p0)
}
