//go:build integration

package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// What a brake has counted outlives reloads, also while it can be kept nowhere and
// if the limit is another one then. The log says how a brake stands that is in
// force, and nothing of one that never was.
func TestBrakesCountOnAfterAReload(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	braked := func(brake string, more ...string) site {
		return w.site(strings.Replace(declaredTenant("one", more...), "    users:", "    brake: "+brake+"\n    users:", 1))
	}
	w.must(os.WriteFile(w.path("state/brake"), nil, 0o600)) // where the folder should be
	w.write(braked("{changes: 2}"))
	w.start()
	remove := func(name string, want int) {
		t.Helper()
		w.want(want, "DELETE", "one", "/Users/"+w.create("one", name), nil)
	}
	remove("ann", http.StatusNoContent)
	remove("ben", http.StatusNoContent)
	w.reload(braked("{changes: 2}", "{scim: nickName, ldap: displayName}"))
	remove("cid", http.StatusTooManyRequests)
	w.refuse(strings.Replace(braked("{changes: 9}").text(w), "ldap: sn,", "ldap: snn,", 1))
	w.reload(braked("{changes: 3}"))
	remove("dan", http.StatusTooManyRequests)
	if shown := w.metrics(); !strings.Contains(shown, `scimgate_brake_on{tenant="one"} 1`) || !strings.Contains(shown, `scimgate_brake_limit{tenant="one"} 3`) {
		t.Errorf("the metrics say of the brake: %s", strings.Join(linesWith(shown, "scimgate_brake"), ""))
	}
	var said []int64
	for _, e := range w.log.FilterMessage("brake").All() {
		said = append(said, e.ContextMap()["changes"].(int64))
	}
	if len(said) != 2 || said[0] != 2 || said[1] != 3 {
		t.Errorf("the log says of brakes under the limits %v, wanted 2 and 3", said)
	}
}
