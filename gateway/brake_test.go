package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/brake"
	"scimgate/internal/directory"
)

// braked is a site whose first tenant has a brake, people u1, u2, ... and a group
// of them all.
type braked struct {
	*site
	t      *testing.T
	brake  *brake.Brake
	people []string
	group  string
}

func newBraked(t *testing.T, changes, people int) *braked {
	t.Helper()
	b := &braked{site: newSite(t), t: t}
	b.brake = brake.New(t.TempDir(), "okta", brake.Limit{Changes: changes, Per: time.Hour}, zap.NewNop())
	b.tenants[0].brake = b.brake
	for i := range people {
		made := is(t, b.ask("POST", "/scim/v2/Users", fmt.Sprintf(`{"userName":"u%d"}`, i+1)), 201)
		b.people = append(b.people, made["id"].(string))
	}
	b.group = b.made("team", b.people...)
	return b
}

func (b *braked) made(name string, members ...string) string {
	return is(b.t, b.ask("POST", "/scim/v2/Groups", `{"displayName":"`+name+`","members":[`+elements(members)+`]}`), 201)["id"].(string)
}

// cost sends a request, which has to succeed, and returns what it counted.
func (b *braked) cost(method, path, body string) int {
	b.t.Helper()
	before := b.brake.State().Used
	if w := b.ask(method, "/scim/v2"+path, body); w.Code >= 300 {
		b.t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return b.brake.State().Used - before
}

// refused sends a request, which the brake has to refuse, with a text in the detail.
func (b *braked) refused(method, path, body, says string) {
	b.t.Helper()
	before := fmt.Sprintf("%+v %+v", b.users.entries, b.groups.entries)
	w := b.ask(method, "/scim/v2"+path, body)
	isError(b.t, w, http.StatusTooManyRequests, "")
	if w.Header().Get("Retry-After") != "300" || !strings.Contains(w.Body.String(), says) {
		b.t.Errorf("%s %s: Retry-After %q, %s", method, path, w.Header().Get("Retry-After"), w.Body)
	}
	if after := fmt.Sprintf("%+v %+v", b.users.entries, b.groups.entries); after != before {
		b.t.Errorf("%s %s has changed something:\n%s\n%s", method, path, before, after)
	}
}

func patch(operations string) string { return `{"Operations":[` + operations + `]}` }

// Each way to take something away counts what it takes, and a change of nothing
// counts nothing.
func TestWhatCountsAtTheBrake(t *testing.T) {
	b := newBraked(t, 1000, 24)
	p, g := b.people, "/Groups/"+b.group
	big := b.made("big", p[5:]...)
	for _, r := range []struct {
		what, method, path, body string
		want                     int
	}{
		{"an update", "PATCH", "/Users/" + p[0], patch(`{"op":"replace","path":"title","value":"x"}`), 0},
		{"a deactivation", "PATCH", "/Users/" + p[0], patch(`{"op":"replace","path":"active","value":false}`), 1},
		{"the same again", "PATCH", "/Users/" + p[0], patch(`{"op":"replace","value":{"active":"False"}}`), 0},
		{"a reactivation", "PATCH", "/Users/" + p[0], patch(`{"op":"replace","path":"active","value":true}`), 0},
		{"by PUT", "PUT", "/Users/" + p[0], `{"userName":"u1","active":false}`, 1},
		{"the deletion of who is inactive", "DELETE", "/Users/" + p[0], "", 1},
		{"a deletion", "DELETE", "/Users/" + p[1], "", 1},
		{"a revival", "POST", "/Users", `{"userName":"u2"}`, 0},
		{"a create of who is inactive", "POST", "/Users", `{"userName":"sleepy","active":false}`, 0},
		{"one member", "PATCH", g, patch(`{"op":"remove","path":"members[value eq \"` + p[2] + `\"]"}`), 1},
		{"no member any more", "PATCH", g, patch(`{"op":"remove","path":"members[value eq \"` + p[2] + `\"]"}`), 0},
		{"a member added", "PATCH", g, patch(`{"op":"add","path":"members","value":[{"value":"` + p[2] + `"}]}`), 0},
		{"two of three named", "PATCH", g, patch(`{"op":"remove","path":"members","value":[` + elements([]string{p[2], p[3], "nobody"}) + `]}`), 2},
		{"many named, one of them out already", "PATCH", g, patch(`{"op":"remove","path":"members","value":[` + elements(p[3:15]) + `]}`), 11},
		{"with a new name", "PATCH", g, patch(`{"op":"replace","path":"displayName","value":"crew"},{"op":"remove","path":"members","value":[` + elements(p[14:16]) + `]}`), 1},
		{"replaced by fewer", "PATCH", g, patch(`{"op":"replace","path":"members","value":[` + elements(p[16:20]) + `]}`), 4},
		{"replaced without a path", "PATCH", g, patch(`{"op":"replace","value":{"members":[` + elements(p[17:20]) + `]}}`), 1},
		{"PUT of the same", "PUT", g, `{"displayName":"crew","members":[` + elements(p[17:20]) + `]}`, 0},
		{"PUT with one for another", "PUT", g, `{"displayName":"crew","members":[` + elements(p[18:21]) + `]}`, 1},
		{"emptied by PUT", "PUT", g, `{"displayName":"crew"}`, 3},
		{"emptied again", "PATCH", g, patch(`{"op":"remove","path":"members"}`), 0},
		{"the deletion of an empty group", "DELETE", g, "", 1},
		{"the deletion of a full group", "DELETE", "/Groups/" + big, "", 19},
	} {
		if got := b.cost(r.method, r.path, r.body); got != r.want {
			t.Errorf("%s counts %d, wanted %d", r.what, got, r.want)
		}
	}
}

// Past the limit what takes away is refused and changes nothing; all else goes on.
func TestPastTheBrake(t *testing.T) {
	b := newBraked(t, 2, 5)
	off := patch(`{"op":"replace","path":"active","value":false}`)
	b.cost("DELETE", "/Users/"+b.people[0], "")
	b.cost("PATCH", "/Users/"+b.people[1], off)
	const on = "scimgate brake release okta"
	b.refused("PATCH", "/Users/"+b.people[2], off, on)
	b.refused("PATCH", "/Users/"+b.people[2], off, on)
	b.refused("PUT", "/Users/"+b.people[2], `{"userName":"u3","active":false}`, on)
	b.refused("DELETE", "/Users/"+b.people[2], "", on)
	one := patch(`{"op":"remove","path":"members","value":[` + elements(b.people[2:3]) + `]}`)
	b.refused("PATCH", "/Groups/"+b.group, one, on)
	b.refused("PATCH", "/Groups/"+b.group, patch(`{"op":"replace","path":"displayName","value":"x"},`+one[len(`{"Operations":[`):len(one)-2]), on)
	b.cost("PATCH", "/Users/"+b.people[1], off)
	b.cost("PATCH", "/Users/"+b.people[1], patch(`{"op":"replace","path":"active","value":true}`))
	b.cost("PATCH", "/Groups/"+b.group, patch(`{"op":"add","path":"members","value":[`+elements(b.people[1:2])+`]}`))
	b.cost("POST", "/Users", `{"userName":"new"}`)
	b.cost("GET", "/Users", "")
	same(t, b.bulk(t, postUser("a", "bulky"), `{"method":"DELETE","path":"/Users/`+b.people[3]+`"}`), "POST a 201 -", "DELETE - 429 -")
}

// One request that alone takes too much away is refused as a whole, and stays so
// however little was counted before.
func TestTooMuchInOneRequest(t *testing.T) {
	b := newBraked(t, 3, 12)
	alone := func(n int) string { return fmt.Sprintf("alone would take away %d", n) }
	b.refused("PUT", "/Groups/"+b.group, `{"displayName":"team"}`, alone(12))
	b.refused("PATCH", "/Groups/"+b.group, patch(`{"op":"remove","path":"members"}`), alone(12))
	b.refused("PATCH", "/Groups/"+b.group, patch(`{"op":"remove","path":"members","value":[`+elements(b.people[:4])+`]}`), alone(4))
	b.refused("DELETE", "/Groups/"+b.group, "", alone(12))
	var all []string
	for _, id := range b.people[:4] {
		all = append(all, `{"method":"DELETE","path":"/Users/`+id+`"}`)
	}
	bulk := func(operations ...string) string { return `{"Operations":[` + strings.Join(operations, ",") + `]}` }
	b.refused("POST", "/Bulk", bulk(append(all, postUser("x", "never"))...), alone(4))
	b.refused("POST", "/Bulk", bulk(all[0], all[1], `{"method":"PUT","path":"/Groups/`+b.group+`","data":{"displayName":"team","members":[{"value":"bulkId:x"},`+
		elements(b.people[2:])+`]}}`, postUser("x", "never")), alone(4))
	b.refused("POST", "/Bulk", bulk(all[0], all[1], all[2], `{"method":"PATCH","path":"/Groups/`+b.group+`","data":{"Operations":[{"op":"remove","path":"members[value eq \"`+b.people[9]+`\"]"}]}}`), alone(4))
	if s := b.brake.State(); s.Used != 0 || !s.Tripped.IsZero() {
		t.Errorf("counted: %+v", s)
	}
	// Four operations, of which one is of nothing.
	same(t, b.bulk(t, all[0], all[1], all[2], all[0][:len(all[0])-2]+`x"}`), "DELETE - 204 -", "DELETE - 204 -", "DELETE - 204 -", "DELETE - 404 -")
	b.refused("DELETE", "/Users/"+b.people[5], "", "brake release")
}

// A create that finds somebody who is there can deactivate them, so it is weighed too.
func TestTooManyUpsertsInOneRequest(t *testing.T) {
	s := newOffering(t, Policy{}, byName)
	s.tenants[0].brake = brake.New(t.TempDir(), "okta", brake.Limit{Changes: 2, Per: time.Hour}, zap.NewNop())
	var off []string
	for _, name := range []string{"ann", "bob", "eve"} {
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"`+name+`"}`), 201)
		off = append(off, `{"method":"POST","bulkId":"`+name+`","path":"/Users","data":{"userName":"`+name+`","active":false}}`)
	}
	before := fmt.Sprintf("%+v", s.users.entries)
	w := s.ask("POST", "/scim/v2/Bulk", `{"Operations":[`+strings.Join(append(off, postUser("x", "never")), ",")+`]}`)
	isError(t, w, http.StatusTooManyRequests, "")
	if after := fmt.Sprintf("%+v", s.users.entries); after != before || !strings.Contains(w.Body.String(), "alone would take away 3") {
		t.Errorf("%s\n%s\n%s", w.Body, before, after)
	}
	same(t, s.bulk(t, off[0], off[1], postUser("x", "new"), postUser("y", "newer")), "POST ann 201 -", "POST bob 201 -", "POST x 201 -", "POST y 201 -")
}

// A write that is tried again is counted once; one that the directory refuses is
// not counted, and one whose outcome nobody knows is.
func TestTheBrakeCountsWhatWasDone(t *testing.T) {
	b := newBraked(t, 10, 4)
	id := func(i int) string { return "/Users/" + b.people[i] }
	off := patch(`{"op":"replace","path":"active","value":false}`)
	b.users.meantime = func() {
		for i := range b.users.entries {
			b.users.changed(&b.users.entries[i])
		}
	}
	if got := b.cost("PATCH", id(0), off); got != 1 {
		t.Errorf("tried twice, counted %d", got)
	}
	fails := func(kind directory.Kind, want int) {
		t.Helper()
		before := b.brake.State().Used
		b.users.meantime = func() {
			b.users.fail, b.users.once = &directory.Error{Op: "modify", Kind: kind, Err: http.ErrNotSupported}, true
		}
		if w := b.ask("PATCH", "/scim/v2"+id(1), off); w.Code < 400 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if got := b.brake.State().Used - before; got != want {
			t.Errorf("after %v counted %d, wanted %d", kind, got, want)
		}
	}
	fails(directory.Invalid, 0)
	fails(directory.Unavailable, 1)
}
