package gateway

import (
	"fmt"
	"slices"
	"testing"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

const (
	fallAsleep = `{"Operations":[{"op":"replace","path":"active","value":false}]}`
	wakeUp     = `{"Operations":[{"op":"replace","path":"active","value":true}]}`
	comeIn     = `{"Operations":[{"op":"add","path":"members","value":[{"value":"id-1"}]}]}`
	goOut      = `{"Operations":[{"op":"remove","path":"members","value":[{"value":"id-1"}]}]}`
)

// leavingSite has somebody in some groups, which they leave when inactive.
func leavingSite(t *testing.T, groups int) *site {
	t.Helper()
	s := newSite(t, mapping.StepConfig{Leave: &mapping.LeaveConfig{}})
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	for i := range groups {
		is(t, s.ask("POST", "/scim/v2/Groups", fmt.Sprintf(`{"displayName":"g%d","members":[{"value":"id-1"}]}`, i)), 201)
	}
	return s
}

func (s *site) ann() *directory.Entry { return &s.users.entries[0] }

// in counts the groups that ann is in.
func (s *site) in() int {
	n := 0
	for _, g := range s.groups.entries {
		n += len(g.Attributes["member"])
	}
	return n
}

// Notes that do not fit the marker are dropped, the newest first; they keep
// nobody from being locked and from leaving the groups.
func TestNotesThatDoNotFit(t *testing.T) {
	s := leavingSite(t, 10)
	s.users.most = 3
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", fallAsleep), 200)
	if e := s.ann(); e.Attributes.First("lock") != "yes" || s.in() != 0 || len(e.Marker.Left) != 2 {
		t.Errorf("in %d groups: %+v", s.in(), e)
	}
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", wakeUp), 200)
	if s.in() != 2 || len(s.ann().Marker.Left) != 0 {
		t.Errorf("came back into %d groups: %+v", s.in(), s.ann())
	}
}

// Whoever falls asleep while they are added to a group is taken out of it again,
// and the group waits for them.
func TestFallingAsleepWhileBeingAdded(t *testing.T) {
	s := leavingSite(t, 0)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"late"}`), 201)
	s.groups.between = func() { is(t, s.ask("PATCH", "/scim/v2/Users/id-1", fallAsleep), 200) }
	is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", comeIn), 204)
	if s.in() != 0 || !slices.Equal(s.ann().Marker.Left, []string{"group-id-1"}) {
		t.Errorf("in %d groups: %+v", s.in(), s.ann())
	}
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", wakeUp), 200)
	if s.in() != 1 {
		t.Error("the group did not wait")
	}
}

// Whoever wakes up while a group is being told to wait for them is in it.
func TestWakingUpWhileAGroupIsToldToWait(t *testing.T) {
	s := leavingSite(t, 0)
	is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"late"}`), 201)
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", fallAsleep), 200)
	s.users.meantime = func() { // by another gateway, which has no lock in common with this one
		s.ann().Marker.State, s.ann().Attributes["lock"] = directory.Active, nil
		s.users.changed(s.ann())
	}
	is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", comeIn), 204)
	if s.in() != 1 || len(s.ann().Marker.Left) != 0 {
		t.Errorf("in %d groups: %+v", s.in(), s.ann())
	}
}

// Whom another gateway takes out of a group while this one brings them back into
// it stays out, and comes back into the others.
func TestRemovedWhileComingBack(t *testing.T) {
	s := leavingSite(t, 2)
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", fallAsleep), 200)
	s.users.meantime = func() { // before the state changes: then the notes are the only way to know
		s.groups.between = func() {
			s.ann().Marker.Left = []string{"group-id-2"}
			s.users.changed(s.ann())
		}
	}
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", wakeUp), 200)
	if got := s.groups.entries[0].Attributes["member"]; len(got) != 0 || s.in() != 1 || len(s.ann().Marker.Left) != 0 {
		t.Errorf("in %d groups: %+v, %v", s.in(), s.ann(), got)
	}
}

// Another gateway that brings somebody back at the same time takes nothing away.
func TestTwoGatewaysBringOneBack(t *testing.T) {
	s := leavingSite(t, 3)
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", fallAsleep), 200)
	s.users.meantime = func() {
		s.groups.between = func() {
			s.ann().Marker.Left = nil
			s.users.changed(s.ann())
		}
	}
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", wakeUp), 200)
	if s.in() != 3 {
		t.Errorf("in %d groups", s.in())
	}
}

// Who leaves a group is forgotten by it, though they are in no list of members.
func TestForgetting(t *testing.T) {
	for name, request := range map[string][3]string{
		"remove":      {"PATCH", "/scim/v2/Groups/group-id-1", goOut},
		"replace all": {"PUT", "/scim/v2/Groups/group-id-1", `{"displayName":"g0"}`},
		"with others": {"PUT", "/scim/v2/Groups/group-id-1", `{"displayName":"g0","members":[{"value":"group-id-2"}]}`},
	} {
		s := leavingSite(t, 2)
		is(t, s.ask("PATCH", "/scim/v2/Users/id-1", fallAsleep), 200)
		w := s.ask(request[0], request[1], request[2])
		if w.Code != 200 && w.Code != 204 {
			t.Fatal(w.Body)
		}
		if !slices.Equal(s.ann().Marker.Left, []string{"group-id-2"}) {
			t.Errorf("%s: %v wait", name, s.ann().Marker.Left)
		}
	}
	s := leavingSite(t, 1)
	is(t, s.ask("PATCH", "/scim/v2/Users/id-1", fallAsleep), 200)
	is(t, s.ask("PUT", "/scim/v2/Groups/group-id-1", `{"displayName":"g0","members":[{"value":"id-1"}]}`), 200)
	is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", `{"Operations":[{"op":"replace","path":"displayName","value":"other"}]}`), 204)
	if len(s.ann().Marker.Left) != 1 || s.in() != 0 {
		t.Errorf("listed, and not awaited: %+v", s.ann())
	}
}

// A random password has characters of every class, and is no other's.
func TestSecrets(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		s := secret()
		if len(s) < 48 || seen[s] {
			t.Fatalf("%d characters, or twice", len(s))
		}
		seen[s] = true
	}
}
