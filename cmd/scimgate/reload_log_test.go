//go:build integration

package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"scimgate/internal/provlog"
)

// A reload goes on with the log that is open: where it is and how large it gets waits
// for another start, and is said; what is kept in it does not.
func TestReloadOfTheProvisioningLog(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	text := w.site(declaredTenant("one")).text(w)
	w.put("etc/scimgate.yaml", text+"log: {provisioning: "+w.path("log.jsonl")+"}\n")
	w.start()
	ann := w.create("one", "ann")
	refused := map[string]any{"userName": "ann"}
	w.want(http.StatusConflict, "POST", "one", "/Users", refused)
	again := func(keys string) {
		t.Helper()
		w.signalled(reloaded, text+"log: {"+keys+"}\n")
		w.want(http.StatusConflict, "POST", "one", "/Users", refused)
	}
	again("provisioning: " + w.path("log.jsonl") + ", values: true, keepFailedBodies: true")
	if told := w.log.FilterMessage(late).Len(); told != 0 {
		t.Errorf("%d keys are said to wait", told)
	}
	again("provisioning: " + w.path("other.jsonl") + ", maxSize: 20kB, keepFailedBodies: true")
	var told []string
	for _, e := range w.log.FilterMessage(late).All() {
		told = append(told, e.ContextMap()["key"].(string))
	}
	if len(told) != 2 || !regexp.MustCompile(`scimgate\.yaml:\d+:\d+: log\.provisioning: it stays ".*log\.jsonl" until then`).MatchString(told[0]) ||
		!strings.Contains(told[1], "maxSize and maxAge stay") {
		t.Errorf("the log has %q", told)
	}
	found, err := provlog.At(w.path("log.jsonl")).Find(t.Context(), provlog.Query{Operation: "create"}, 10)
	if err != nil || len(found.Lines) != 4 || found.Lines[0].Record.ID != ann {
		t.Fatalf("%v %v", found, err)
	}
	for i, kept := range []struct{ user, body bool }{{}, {}, {true, true}, {false, true}} {
		r := found.Lines[i].Record
		if (r.User != "") != kept.user || (r.Sent != nil) != kept.body {
			t.Errorf("line %d: %+v", i, r)
		}
	}
}
