package gateway

import (
	"testing"

	"scimgate/internal/directory"
)

// nested is a site with the group inner in the group outer.
func nested(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"inner"}`), 201)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"outer","members":[{"value":"group-id-1"}]}`), 201)
	return s
}

// outerMembers counts the members of the outer group.
func (s *site) outerMembers() int {
	return len(s.groups.entries[len(s.groups.entries)-1].Attributes["member"])
}

// Who loses the race for the version of an entry that is deleted for good has
// ended none of its memberships.
func TestALostDeleteEndsNoMembership(t *testing.T) {
	s := nested(t)
	s.groups.afterSearch = func() { s.groups.changed(&s.groups.entries[0]) }
	isError(t, s.ask("DELETE", "/scim/v2/Groups/group-id-1", "", "If-Match", `W/"1"`), 412, "")
	if s.outerMembers() != 1 || s.groups.entries[0].Marker.State != directory.Active {
		t.Errorf("%d members, %+v", s.outerMembers(), s.groups.entries[0])
	}
	is(t, s.ask("DELETE", "/scim/v2/Groups/group-id-1", "", "If-Match", `W/"2"`), 204)
	if s.outerMembers() != 0 || len(s.groups.entries) != 1 {
		t.Errorf("%d members, %+v", s.outerMembers(), s.groups.entries)
	}
}

// A delete that was interrupted is completed by the same request, though the
// version is another by now, and undone by a PUT.
func TestAnInterruptedDeleteForGood(t *testing.T) {
	for _, method := range []string{"DELETE", "PUT"} {
		s := nested(t)
		s.groups.deaf = true
		isError(t, s.ask("DELETE", "/scim/v2/Groups/group-id-1", "", "If-Match", `W/"1"`), 503, "")
		s.groups.deaf = false
		if s.outerMembers() != 0 || s.groups.entries[0].Marker.State != directory.Deleting {
			t.Errorf("%d members, %+v", s.outerMembers(), s.groups.entries[0])
		}
		if method == "PUT" {
			is(t, s.ask("PUT", "/scim/v2/Groups/group-id-1", `{"displayName":"inner"}`), 200)
			if e := s.groups.entries[0]; e.Marker.State != directory.Active || s.outerMembers() != 0 {
				t.Errorf("%d members, %+v", s.outerMembers(), e)
			}
			continue
		}
		is(t, s.ask("DELETE", "/scim/v2/Groups/group-id-1", "", "If-Match", `W/"1"`), 204)
		if len(s.groups.entries) != 1 {
			t.Errorf("%+v", s.groups.entries)
		}
	}
}
