package gateway

import (
	"slices"
	"testing"

	"scimgate/internal/directory"
)

// Between the look-up of a person and the change of a group the person may be
// renamed or deleted: the group ends with the name of now, or without them.
func TestMembersMoveWhileTheyComeAndGo(t *testing.T) {
	const old, current = "cn=id-1,ou=people", "cn=renamed,ou=people"
	rename := func(s *site) {
		s.users.entries[0].DN = current
		members := s.groups.entries[0].Attributes["member"] // as a rename takes references along
		if i := slices.Index(members, old); i >= 0 {
			members[i] = current
		}
	}
	retire := func(s *site) { s.users.entries[0].Marker.State = directory.Deleted }
	for _, tc := range []struct {
		name, members, op string
		meanwhile         func(*site)
		want              []string
	}{
		{"added and renamed", `[]`, "add", rename, []string{current}},
		{"added and deleted", `[]`, "add", retire, nil},
		{"removed and renamed", `[{"value":"id-1"}]`, "remove", rename, nil},
		{"added", `[]`, "add", func(*site) {}, []string{old}},
	} {
		for beside, operation := range map[string]string{
			"alone":              "",
			"with attributes":    `{"op":"replace","path":"displayName","value":"some"},`,
			"with the same ones": `{"op":"replace","path":"displayName","value":"all"},`,
		} {
			t.Run(tc.name+" "+beside, func(t *testing.T) {
				s := newSite(t)
				is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
				is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"all","members":`+tc.members+`}`), 201)
				s.groups.between = func() { tc.meanwhile(s) }
				is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1",
					`{"Operations":[`+operation+`{"op":"`+tc.op+`","path":"members","value":[{"value":"id-1"}]}]}`), 204)
				if got := s.groups.entries[0].Attributes["member"]; !slices.Equal(got, tc.want) {
					t.Errorf("the group has %q, want %q", got, tc.want)
				}
			})
		}
	}
}
