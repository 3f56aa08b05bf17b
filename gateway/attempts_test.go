package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// limited counts attempts, as many a minute and of as many addresses.
func limited(perMinute, kept int) *attempts {
	a := newAttempts(kept)
	a.bound(perMinute)
	return a
}

// Each address fails so often, then has to wait, and gets its attempts back with
// the time. Who has an IPv6 address has 2^64 of them.
func TestAttemptsAreCountedByAddress(t *testing.T) {
	a := limited(6, 100)
	fails := func(address string, at time.Duration) time.Duration {
		return a.failed(netip.MustParseAddr(address), noon.Add(at)).Round(time.Second)
	}
	for range 6 {
		if wait := fails("198.51.100.1", 0); wait != 0 {
			t.Fatalf("it has to wait %s", wait)
		}
	}
	for _, tc := range []struct {
		address  string
		at, want time.Duration
	}{
		{"198.51.100.1", 0, 10 * time.Second}, {"198.51.100.1", 4 * time.Second, 6 * time.Second},
		{"198.51.100.2", 4 * time.Second, 0}, {"2001:db8::1", 4 * time.Second, 0},
		{"198.51.100.1", 10 * time.Second, 0}, {"198.51.100.1", 10 * time.Second, 10 * time.Second},
		{"198.51.100.1", 10 * time.Minute, 0},
	} {
		if got := fails(tc.address, tc.at); got != tc.want {
			t.Errorf("%s after %s waits %s, want %s", tc.address, tc.at, got, tc.want)
		}
	}
	for i := range 6 {
		fails(fmt.Sprintf("2001:db8:1:1::%d", i), 0)
	}
	if fails("2001:db8:1:1:ffff::", 0) == 0 || fails("2001:db8:1:2::1", 0) != 0 {
		t.Error("a /64 is not one client")
	}
	if a.failed(netip.Addr{}, noon) != 0 || limited(0, 100).failed(netip.Addr{}, noon) != 0 {
		t.Error("what has no address, or no bound, waits")
	}
}

// A million addresses take no more memory than those that are kept, and who fails
// all the time is not forgotten for them.
func TestAttemptsAreBounded(t *testing.T) {
	const kept = 50
	a := limited(5, kept)
	busy := netip.MustParseAddr("203.0.113.1")
	heldUp := 0
	for i := range 20_000 {
		a.failed(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), noon)
		if i%10 == 0 && a.failed(busy, noon) > 0 {
			heldUp++
		}
	}
	if len(a.known) != kept || a.recent.Len() != kept {
		t.Errorf("%d and %d addresses are kept, want %d", len(a.known), a.recent.Len(), kept)
	}
	if heldUp != 1995 {
		t.Errorf("the busy one was held up %d times of 2000, want all but 5", heldUp)
	}
}

// Another bound begins anew, and the same one, of a configuration that was read
// again, does not.
func TestAnotherBoundBeginsAnew(t *testing.T) {
	a, from := limited(1, 10), netip.MustParseAddr("203.0.113.1")
	a.failed(from, noon)
	a.bound(1)
	if a.failed(from, noon) == 0 {
		t.Error("the same bound has forgotten a failure")
	}
	a.bound(2)
	for i, free := range []bool{true, true, false} {
		if a.failed(from, noon) == 0 != free {
			t.Errorf("failure %d under another bound does not count so", i)
		}
	}
}

func TestAttemptsAtOnce(t *testing.T) {
	a := limited(100, 10)
	var wait sync.WaitGroup
	var mu sync.Mutex
	free := 0
	for range 8 {
		wait.Go(func() {
			for range 50 {
				if a.failed(netip.MustParseAddr("203.0.113.1"), noon) == 0 {
					mu.Lock()
					free++
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	if free != 100 {
		t.Errorf("%d attempts were free, want 100", free)
	}
}

// After too many wrong tokens an address is told to wait. A valid token from there
// is never held up, nor are other addresses, and spoofed headers change nothing.
func TestTooManyWrongTokens(t *testing.T) {
	s := newSite(t)
	now := noon
	s.now = func() time.Time { return now }
	s.attempts = limited(3, 100)
	s.config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	from := func(peer, forwarded, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "http://idp.example/scim/v2/Users", nil)
		r.RemoteAddr = peer
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	for i := range 3 {
		isError(t, from("198.51.100.1:1", "203.0.113."+strconv.Itoa(i), "wrong"), 401, "")
	}
	for i := range 10 {
		w := from("198.51.100.1:2", "203.0.113."+strconv.Itoa(i), "wrong"+strconv.Itoa(i))
		isError(t, w, 429, "")
		if after := w.Header().Get("Retry-After"); after != "20" {
			t.Errorf("Retry-After is %q", after)
		}
		if strings.Contains(w.Body.String(), "wrong") || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%v %s", w.Header(), w.Body)
		}
		is(t, from("198.51.100.1:2", "", "open"), 200)
	}
	isError(t, from("198.51.100.1:1", "", ""), 401, "") // no token is no attempt
	isError(t, from("198.51.100.2:1", "", "wrong"), 401, "")
	// Behind the proxy it is the client that counts, not the proxy and not what the
	// client claims to be.
	for i := range 3 {
		isError(t, from("10.0.0.1:1", "192.0.2."+strconv.Itoa(i)+", 203.0.113.9", "wrong"), 401, "")
	}
	isError(t, from("10.0.0.1:1", "192.0.2.200, 203.0.113.9", "wrong"), 429, "")
	isError(t, from("10.0.0.1:1", "203.0.113.10", "wrong"), 401, "")
	is(t, from("10.0.0.1:1", "203.0.113.9", "open"), 200)
	now = now.Add(20 * time.Second)
	isError(t, from("198.51.100.1:1", "", "wrong"), 401, "")
	isError(t, from("198.51.100.1:1", "", "wrong"), 429, "")
}

// Wrong tokens that came before a reload count after it.
func TestAttemptsOutliveAConfiguration(t *testing.T) {
	cfg := newSite(t).config
	cfg.FailedAttempts, cfg.Memory = 1, NewMemory()
	for _, want := range []int{401, 429} {
		s := &site{Gateway: must(New(cfg, []Tenant{{Name: "okta", BasePaths: []string{"/scim/v2"}, Tokens: twoTokens{}}}, zap.NewNop()))}
		s.now = func() time.Time { return noon }
		isError(t, s.ask("GET", "/scim/v2/Users", "", "Authorization", "Bearer wrong"), want, "")
	}
}
