package gateway

import (
	"testing"
)

// If-Match holds between the read and the write too, whatever a PATCH of a group
// is made of.
func TestIfMatchHoldsForAllPatchesOfAGroup(t *testing.T) {
	const member = `{"op":"add","path":"members","value":[{"value":"id-1"}]}`
	for name, operations := range map[string]string{
		"members":                         member,
		"attributes and members":          `{"op":"replace","path":"displayName","value":"some"},` + member,
		"attributes that are so, members": `{"op":"replace","path":"displayName","value":"all"},` + member,
	} {
		t.Run(name, func(t *testing.T) {
			for tag, status := range map[string]int{`W/"1"`: 412, "*": 204, "": 204} {
				s := newSite(t)
				is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
				is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"all"}`), 201)
				s.groups.between = func() { s.groups.changed(&s.groups.entries[0]) }
				is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", `{"Operations":[`+operations+`]}`, "If-Match", tag), status)
				if n := len(s.groups.entries[0].Attributes["member"]); (n == 1) != (status == 204) {
					t.Errorf("If-Match %s: %d members", tag, n)
				}
			}
		})
	}
}
