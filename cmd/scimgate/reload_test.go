//go:build integration

package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Each kind of change takes effect with the next request, what is no change
// stays, and nobody needs another token.
func TestReloadOfEachKind(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.write(w.site(declaredTenant("one")))
	w.start()
	ann := w.create("one", "ann", "nickName", "Annie")
	if got := w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)["nickName"]; got != nil {
		t.Errorf("nickName is %v, and there is no rule for it", got)
	}
	_, connections := w.wire.connections()

	w.want(http.StatusNotFound, "GET", "two", "/Users", nil)
	w.reload(w.site(declaredTenant("one"), declaredTenant("two")))
	w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)
	w.create("two", "ben")
	w.want(http.StatusNotFound, "GET", "two", "/Users/"+ann, nil)

	w.reload(w.site(declaredTenant("one", "{scim: nickName, ldap: displayName}"), declaredTenant("two")))
	w.want(http.StatusOK, "PATCH", "one", "/Users/"+ann, map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []any{map[string]any{"op": "replace", "path": "nickName", "value": "Annie"}},
	})
	if got := w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)["nickName"]; got != "Annie" {
		t.Errorf("nickName is %v after there was a rule", got)
	}

	profiled := strings.Replace(declaredTenant("one"), "    users:", "    profile: okta\n    users:", 1)
	w.reload(w.site(profiled, declaredTenant("two")))
	w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)

	w.reload(w.site(declaredTenant("one")))
	w.want(http.StatusNotFound, "GET", "two", "/Users", nil)
	w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)
	if _, now := w.wire.connections(); now > max(connections, 4) {
		t.Errorf("%d connections were made, though the directory stayed as it was", now)
	}
}

// A file with faults changes nothing. One line of the log has them all with their
// places, and readyz says that there was one, until it is mended.
func TestBadFileChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	good := w.site(declaredTenant("one"))
	w.write(good)
	w.start()
	ann := w.create("one", "ann")
	for _, c := range []struct {
		what    string
		content string
		faults  string
	}{
		{"no YAML", "server: [", `scimgate\.yaml:1:\d+: `},
		{"an unknown key", good.text(w) + "colour: red\n", `scimgate\.yaml:\d+:1: colour: `},
		{"two faults", strings.NewReplacer("uid,", "uid, colour: red,", "basePath: /one", "basePath: one").Replace(good.text(w)),
			`scimgate\.yaml:\d+:\d+: tenants\[0\]\.basePath: .*scimgate\.yaml:\d+:\d+: tenants\[0\]\.users\.attributes\[0\]\.colour: `},
		{"an attribute that the directory does not have", strings.Replace(good.text(w), "ldap: sn,", "ldap: snn,", 1),
			`scimgate\.yaml:\d+:\d+: tenants\[0\]\.users.*snn`},
		{"no such file", strings.Replace(good.text(w), "passwordFile: \""+w.path("password"), "passwordFile: \""+w.path("none"), 1),
			`scimgate\.yaml:\d+:\d+: directories\.corp\.bind\.passwordFile: .*none`},
	} {
		faults := w.refuse(c.content)
		if !regexp.MustCompile(c.faults).MatchString(faults) {
			t.Errorf("%s: the log has %s", c.what, faults)
		}
		w.want(http.StatusOK, "GET", "one", "/Users/"+ann, nil)
		if got := w.ready(); !strings.HasPrefix(got, "ok\n") || !strings.Contains(got, "configuration: the file was refused at ") {
			t.Errorf("%s: readyz says %q", c.what, got)
		}
	}
	w.reload(good)
	if got := w.ready(); !strings.Contains(got, "configuration: in force since ") {
		t.Errorf("readyz says %q", got)
	}
	// A file that is gone is a fault as well, and mended when it is back.
	w.outcome(notTaken, func() { w.must(os.Remove(w.file)) })
	w.outcome(reloaded, func() { w.write(good) })
}

// What a bad configuration names is watched too: it may be what mends it.
func TestMissingFileMendsTheConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.write(w.site(declaredTenant("one")))
	w.start()
	s := w.site(declaredTenant("one"), declaredTenant("two"))
	s.password = "later"
	w.refuse(s.text(w))
	w.want(http.StatusNotFound, "GET", "two", "/Users", nil)
	w.outcome(reloaded, func() { w.put("later", w.server.AdminPassword()) })
	w.want(http.StatusOK, "GET", "two", "/Users", nil)
}

// What the listeners are made of stays until the gateway is started again. The
// log says so, and the rest is in force.
func TestKeysThatNeedAStart(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.write(w.site(declaredTenant("one")))
	w.start()
	s := w.site(declaredTenant("one"), declaredTenant("two"))
	s.state = "elsewhere"
	text := strings.NewReplacer("listen: 127.0.0.1:0\n", "listen: 127.0.0.9:0\n", "admin: {listen: 127.0.0.1:0}", "admin: {listen: 127.0.0.1:1}").Replace(s.text(w))
	w.signalled(reloaded, text)
	w.create("two", "ben")
	w.ready()
	var told []string
	for _, e := range w.log.FilterMessage(late).All() {
		told = append(told, e.ContextMap()["key"].(string))
	}
	for i, key := range []string{"server.listen", "admin.listen", "stateDir"} {
		if len(told) != 3 || !regexp.MustCompile(`scimgate\.yaml:\d+:\d+: `+regexp.QuoteMeta(key)+`: it stays "`).MatchString(told[i]) {
			t.Fatalf("the log has %q", told)
		}
	}
}
