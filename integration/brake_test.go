//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// withBrake is the usual site with a brake.
func withBrake(brake string) site {
	s := usual()
	s.Brake = brake
	return s
}

func deactivation() object { return object{"op": "replace", "path": "active", "value": false} }

// wantBraked ends the test unless an answer is what the brake says.
func (a *answer) wantBraked(says string) {
	a.t.Helper()
	a.wantError(http.StatusTooManyRequests, "")
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || seconds < 1 || !strings.Contains(a.text("$.detail"), says) {
		a.t.Errorf("%s: Retry-After %q, %s", a.what, a.header.Get("Retry-After"), a.raw)
	}
}

// brakeStatus is what the command says.
func brakeStatus(t *testing.T, config string) (s struct {
	On                     bool
	Used, Changes, Allowed int
}) {
	t.Helper()
	code, stdout, stderr := run(t, "brake", "status", "okta", "--config", config, "--json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	return s
}

func release(t *testing.T, config string, flags ...string) {
	t.Helper()
	if code, stdout, stderr := run(t, append([]string{"brake", "release", "okta", "--config", config}, flags...)...); code != 0 || stderr != "" || !strings.Contains(stdout, "released") {
		t.Fatalf("exit code %d: %q %q", code, stdout, stderr)
	}
}

// One mistake at the identity provider is stopped after as many changes as the
// tenant has said, everything else goes on, a restart changes nothing, and an
// administrator lets it go on.
func TestTheBrake(t *testing.T) {
	t.Parallel()
	g := serve(t, withBrake("{changes: 4, per: 1h}"))
	c := g.client(t)
	var people []string
	for i := range 9 {
		people = append(people, c.create(person("p"+strconv.Itoa(i))))
	}
	team := c.createGroup("team", people...)
	c.patch("/Users/"+people[0], deactivation()).want(200)
	c.patch("/Users/"+people[0], deactivation()).want(200)
	c.delete("/Users/" + people[1]).want(204)
	c.patch("/Groups/"+team, object{"op": "remove", "path": "members", "value": values(people[1:3]...)}).want(204)
	if s := brakeStatus(t, g.config); s.On || s.Used != 3 || s.Changes != 4 {
		t.Errorf("%+v", s)
	}
	for _, a := range []*answer{
		c.put("/Groups/"+team, group("team")), c.delete("/Groups/" + team),
		c.patch("/Groups/"+team, object{"op": "remove", "path": "members"}),
		c.patch("/Groups/"+team, object{"op": "remove", "path": "members", "value": values(people[3:8]...)}),
		c.post("/Bulk", object{"schemas": []string{bulkURN}, "Operations": []object{
			{"method": "POST", "path": "/Users", "bulkId": "x", "data": person("never")},
			{"method": "DELETE", "path": "/Users/" + people[3]}, {"method": "DELETE", "path": "/Users/" + people[4]},
			{"method": "DELETE", "path": "/Users/" + people[5]},
			{"method": "PUT", "path": "/Groups/" + team, "data": group("team", people[5:]...)}}}),
	} {
		a.wantBraked("this request alone would take away")
	}
	if n := c.find("Users", `userName eq "never"`).total(); n != 0 {
		t.Error("a part of the refused Bulk was done")
	}
	if s := brakeStatus(t, g.config); s.On || s.Used != 3 {
		t.Errorf("refused as a whole, and yet counted: %+v", s)
	}
	c.patch("/Users/"+people[2], deactivation()).want(200)
	for range 2 {
		c.patch("/Users/"+people[3], deactivation()).wantBraked("scimgate brake release okta")
	}
	c.delete("/Users/" + people[3]).wantBraked("scimgate brake release okta")
	if a := c.get("/Users/" + people[3]).want(200); a.at("$.active") != true {
		t.Errorf("refused, and yet done: %s", a.raw)
	}
	goesOn := func(name string) {
		t.Helper()
		late := c.create(person(name))
		c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": values(late)}).want(204)
		c.patch("/Users/"+people[0], object{"op": "replace", "path": "active", "value": true}).want(200)
		c.patch("/Users/"+people[4], object{"op": "replace", "path": "title", "value": name}).want(200)
	}
	goesOn("late")
	for _, want := range []string{`"msg":"the brake is on`, `"cause":"brake: it is on`, `"cause":"brake: 7 changes in one request`} {
		if !strings.Contains(g.log.String(), want) {
			t.Errorf("the log does not have %s", want)
		}
	}

	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	again, err := startServe(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	again.endWith(t)
	again.of(g.server, g.token)
	c = again.client(t)
	if !strings.Contains(again.log.String(), `"msg":"brake","tenant":"okta","used":4,"changes":4,"per":"1h0m0s","on":true`) {
		t.Error("the log does not tell at start how the brake stands")
	}
	c.delete("/Users/" + people[3]).wantBraked("scimgate brake release okta")
	goesOn("later")
	if code, stdout, _ := run(t, "brake", "status", "--config", g.config); code != 0 || !strings.Contains(stdout, "okta: ON since ") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	release(t, g.config)
	c.delete("/Users/" + people[3]).want(204)
	if !strings.Contains(again.log.String(), `"msg":"the brake was released"`) {
		t.Error("the log does not tell of the release")
	}
	all := len(c.get("/Groups/" + team).want(200).members())
	release(t, g.config, "--changes", strconv.Itoa(all-1))
	c.put("/Groups/"+team, group("team")).wantBraked("--changes " + strconv.Itoa(all))
	release(t, g.config, "--changes", strconv.Itoa(all), "--for", "1h")
	c.put("/Groups/"+team, group("team")).want(200)
	if s := brakeStatus(t, g.config); s.On || s.Used != 0 || s.Allowed != 0 {
		t.Errorf("%+v", s)
	}
}

// The commands tell wrong usage from what failed.
func TestBrakeCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := usual()
	s.BindDN, s.Password = "cn=admin,dc=example,dc=org", "secret"
	without := s.writeFor(t, t.TempDir(), "ldaps://127.0.0.1:1")
	s.Brake = "{changes: 4, per: 1h}"
	with := s.writeFor(t, dir, "ldaps://127.0.0.1:1")
	for _, r := range []struct {
		code int
		args []string
	}{
		{2, []string{"brake"}}, {2, []string{"brake", "status", "nobody", "--config", with}}, {2, []string{"brake", "status", "okta", "x", "--config", with}},
		{2, []string{"brake", "release", "okta", "--config", without}}, {2, []string{"brake", "release", "okta", "--for", "1h", "--config", with}},
		{2, []string{"brake", "release", "okta", "--changes", "0", "--config", with}}, {2, []string{"brake", "release", "okta", "--config", dir}},
		{0, []string{"brake", "status", "okta", "--config", without}}, {0, []string{"brake", "release", "okta", "--config", with}},
		{0, []string{"brake", "release", "--changes", "7", "--config", with}}, {0, []string{"brake", "status", "--config", with}},
	} {
		if code, stdout, stderr := run(t, r.args...); code != r.code || stdout+stderr == "" {
			t.Errorf("%v: exit code %d, wanted %d: %s%s", r.args, code, r.code, stdout, stderr)
		}
	}
	file := filepath.Join(dir, "state", "brake", "okta.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"status", "release"} {
		if code, _, stderr := run(t, "brake", command, "--config", with); code != 1 || !strings.Contains(stderr, file) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("brake %s of a damaged file: exit code %d: %s", command, code, stderr)
		}
	}
}

// However many requests come at once to two gateways that share the state folder,
// of which one is killed in the middle, no more changes are made than the brake
// lets through.
func TestTheBrakeAtTwoGateways(t *testing.T) {
	t.Parallel()
	const most, people = 20, 60
	g := serve(t, withBrake("{changes: 20, per: 1h}"))
	other, err := startServe(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.cmd.Process.Kill() })
	other.of(g.server, g.token)
	c := g.client(t)
	ids := make([]string, people)
	for i := range ids {
		ids[i] = c.create(person("p" + strconv.Itoa(i)))
	}
	clients := []*client{c, other.client(t)}
	var done, refused, cut atomic.Int64
	var all sync.WaitGroup
	next := make(chan int)
	for worker := range 8 {
		all.Go(func() {
			for i := range next {
				body := object{"schemas": []string{patchURN}, "Operations": []object{deactivation()}}
				a, err := clients[worker%2].try("PATCH", "/Users/"+ids[i], body)
				if err != nil && worker%2 == 1 { // it may have been done
					cut.Add(1)
					a, err = c.try("PATCH", "/Users/"+ids[i], body)
				}
				switch {
				case err != nil:
					t.Error(err)
				case a.status == 200:
					if done.Add(1) == most/3 {
						_ = other.cmd.Process.Kill() // SIGKILL
					}
				case a.status == http.StatusTooManyRequests:
					refused.Add(1)
				default:
					t.Errorf("%d %s", a.status, a.raw)
				}
			}
		})
	}
	for i := range ids {
		next <- i
	}
	close(next)
	all.Wait()
	off := c.find("Users", `active eq false`).total()
	if off > most || int64(off) < done.Load() || refused.Load() == 0 {
		t.Errorf("%d are inactive, %d were answered so, %d refused, %d cut off; %d may be", off, done.Load(), refused.Load(), cut.Load(), most)
	}
	if s := brakeStatus(t, g.config); s.Used < off || s.Used > most || !s.On {
		t.Errorf("%+v, and %d are inactive", s, off)
	}
	c.patch("/Users/"+ids[0], object{"op": "replace", "path": "title", "value": "x"}).want(200)
}

// A group of many is not emptied by one request.
func TestTheBrakeHoldsALargeGroup(t *testing.T) {
	t.Parallel()
	n := here.bulk // it is more than the brake lets through, several times
	g := serve(t, withBrake(fmt.Sprintf("{changes: %d, per: 1h}", n/3)))
	c := g.client(t)
	ids := make([]string, n)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := worker; i < len(ids); i += 4 {
				a, err := c.try("POST", "/Users", person("m"+strconv.Itoa(i)))
				if err != nil || a.status != 201 {
					t.Errorf("%v %v", a, err)
					return
				}
				ids[i] = a.id()
			}
		})
	}
	all.Wait()
	team := c.createGroup("team", ids...)
	c.patch("/Groups/"+team, object{"op": "replace", "path": "members", "value": []object{}}).wantBraked(fmt.Sprint("alone would take away ", n))
	c.patch("/Groups/"+team, object{"op": "replace", "value": object{"members": values(ids[:n-n/3-1]...)}}).wantBraked(fmt.Sprint("alone would take away ", n/3+1))
	c.patch("/Groups/"+team, object{"op": "replace", "value": object{"members": values(ids[:n-n/3]...)}}).want(204)
	c.put("/Groups/"+team, group("team", ids[:n-n/3-1]...)).wantBraked("scimgate brake release okta")
	c.patch("/Groups/"+team, object{"op": "add", "path": "members", "value": values(ids[n-1])}).want(204)
	if got := len(c.get("/Groups/" + team).want(200).members()); got != n-n/3+1 {
		t.Errorf("%d members", got)
	}
}
