//go:build integration && !ad && !ds389

package ldapsink

import (
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"scimgate/internal/directory"
)

func TestUpdateKeepsThePlaceholderOutOfSight(t *testing.T) {
	server, sink := started(t)
	store, conn := sink.Store(crowds()), raw(t, server)
	g := add(t, store, crowd("g"))
	for i, tc := range []struct {
		name string
		mods []directory.Mod
		want []string
		raw  []string
	}{
		{"members come", []directory.Mod{{Op: directory.ModAdd, Attribute: "MEMBER", Values: names([]int{1, 2})}}, names([]int{1, 2}), names([]int{1, 2})},
		{"all values go", []directory.Mod{{Op: directory.ModDelete, Attribute: "member", Values: names([]int{1, 2})}}, nil, []string{nobody}},
		{"members are replaced", []directory.Mod{{Op: directory.ModReplace, Attribute: "member", Values: names([]int{3})}}, names([]int{3}), names([]int{3})},
		{"one for another", directory.Diff(directory.Attributes{"member": names([]int{3})}, directory.Attributes{"member": names([]int{4})}), names([]int{4}), names([]int{4})},
		{"the attribute goes", []directory.Mod{{Op: directory.ModDelete, Attribute: "member"}}, nil, []string{nobody}},
		{"the attribute goes again", []directory.Mod{{Op: directory.ModReplace, Attribute: "member"}}, nil, []string{nobody}},
		{"the attribute goes and members come", []directory.Mod{{Op: directory.ModDelete, Attribute: "member"}, {Op: directory.ModAdd, Attribute: "member", Values: names([]int{5})}}, names([]int{5}), names([]int{5})},
	} {
		now, err := store.Update(t.Context(), g, directory.Change{Mods: tc.mods, Marker: active(fmt.Sprint(i))})
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if d := cmp.Diff(foldAll(tc.want), foldAll(now.Attributes["member"])); d != "" {
			t.Errorf("%s: %s", tc.name, d)
		}
		if d := cmp.Diff(foldAll(tc.raw), foldAll(readRaw(t, conn, g.DN, "member"))); d != "" {
			t.Errorf("%s: in the directory: %s", tc.name, d)
		}
		g = now
	}
}

// A member that comes while the last one goes leaves no placeholder beside it.
func TestPlaceholderDoesNotStayBesideAMember(t *testing.T) {
	server, p, sink := proxied(t)
	store, conn := sink.Store(crowds()), raw(t, server)
	g := add(t, store, crowd("g", memberDN(1)))
	before(p, ldap.ApplicationModifyRequest, 2, func() { // the one that brings the placeholder
		request := ldap.NewModifyRequest(g.DN, nil)
		request.Add("member", []string{memberDN(2)})
		if err := conn.Modify(request); err != nil {
			t.Error(err)
		}
	})
	if err := store.ChangeMembers(t.Context(), g.ID, "", directory.MemberChange{Remove: names([]int{1})}); err != nil {
		t.Fatal(err)
	}
	if got := readRaw(t, conn, g.DN, "member"); !sameNames(got, names([]int{2})) {
		t.Errorf("members %q", got)
	}
}
