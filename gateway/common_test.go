package gateway

import (
	"net/url"
	"testing"
	"time"
)

// A value that few have is looked up in one search. One that many have is
// enumerated like any list: no more entries are read whole than a page shows, and
// with others that are long it waits its turn.
func TestValuesThatManyHaveAreEnumerated(t *testing.T) {
	s := peopled(t, 60, 0)
	s.config.FilterEntries = 50_000
	common, rare := "/scim/v2/Users?filter="+url.QueryEscape(`title eq "c"`), "/scim/v2/Users?filter="+url.QueryEscape(`title eq "c" and userName eq "u03"`)
	s.users.asked = nil
	if page := is(t, s.ask("GET", common, ""), 200); page["totalResults"] != 20.0 || len(names(page)) != 10 {
		t.Errorf("%v of 20, %d shown", page["totalResults"], len(names(page)))
	}
	for i, q := range s.users.asked {
		whole := q.Attributes == nil
		switch {
		case len(s.users.asked) != 3:
			t.Errorf("%d searches, want an attempt, an enumeration and a page", len(s.users.asked))
		case i == 0 && (!whole || q.Limit != 10):
			t.Errorf("the attempt reads at most %d, whole: %v", q.Limit, whole)
		case i == 1 && (whole || q.Limit != 50_000):
			t.Errorf("the enumeration reads at most %d, whole: %v", q.Limit, whole)
		}
	}
	s.users.asked = nil
	if got := names(is(t, s.ask("GET", rare, ""), 200)); len(got) != 1 || len(s.users.asked) != 1 {
		t.Errorf("%v took %d searches", got, len(s.users.asked))
	}
	if !s.enumerating.TryAcquire(enumerations) {
		t.Fatal("somebody enumerates")
	}
	is(t, s.ask("GET", rare, ""), 200)
	s.config.RequestTimeout = time.Millisecond
	isError(t, s.ask("GET", common, ""), 503, "")
}
