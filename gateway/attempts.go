package gateway

import (
	"container/list"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"scimgate/internal/scim"
)

// addressesKept is of how many addresses failed attempts are remembered; past it
// the one is forgotten that failed longest ago.
const addressesKept = 10_000

// attempts counts, by address, the tokens that were none. Good tokens are not asked
// about: identity providers share their addresses with others.
type attempts struct {
	kept int

	mu        sync.Mutex
	perMinute int
	known     map[netip.Prefix]*list.Element // of attempt
	recent    *list.List                     // the latest first
}

// attempt is what is left to an address.
type attempt struct {
	from netip.Prefix
	left *rate.Limiter
}

// newAttempts counts nothing before it is bound.
func newAttempts(kept int) *attempts {
	return &attempts{kept: kept, known: map[netip.Prefix]*list.Element{}, recent: list.New()}
}

// bound lets each address fail so often in a minute; 0 counts nothing. With another
// bound than before all begin anew.
func (a *attempts) bound(perMinute int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if perMinute == a.perMinute {
		return
	}
	a.perMinute, a.known = perMinute, map[netip.Prefix]*list.Element{}
	a.recent.Init()
}

// failed counts a failure. The wait is zero where the address may go on, else the
// time until it may fail again.
func (a *attempts) failed(address netip.Addr, now time.Time) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.perMinute <= 0 {
		return 0
	}
	left := a.of(whose(address))
	if left.AllowN(now, 1) {
		return 0
	}
	missing := 1 - left.TokensAt(now)
	return time.Duration(missing / float64(left.Limit()) * float64(time.Second))
}

// of returns what is left to an address, and remembers that it failed now.
func (a *attempts) of(from netip.Prefix) *rate.Limiter {
	if e := a.known[from]; e != nil {
		a.recent.MoveToFront(e)
		return e.Value.(attempt).left
	}
	for a.recent.Len() >= a.kept {
		oldest := a.recent.Back()
		delete(a.known, oldest.Value.(attempt).from)
		a.recent.Remove(oldest)
	}
	left := rate.NewLimiter(rate.Limit(float64(a.perMinute)/60), a.perMinute)
	a.known[from] = a.recent.PushFront(attempt{from, left})
	return left
}

// whose is the part of the network that belongs to one client: who has an IPv6
// address has 2^64 of them.
func whose(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	from, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address; all of those count as one
	}
	return from
}

// failedAttempt is the answer to a token that is none. Nothing is said of why.
func (g *Gateway) failedAttempt(c echo.Context) error {
	wait := g.attempts.failed(g.clientAddress(c.Request()), g.now())
	if wait > 0 {
		seconds := max(1, int(math.Ceil(wait.Seconds())))
		c.Response().Header().Set("Retry-After", strconv.Itoa(seconds))
		return &scim.Error{Status: http.StatusTooManyRequests,
			Detail: fmt.Sprintf("too many tokens that are not valid here came from this address; wait %d seconds, and give the identity provider a valid token first: requests with one are never held up", seconds)}
	}
	c.Response().Header().Set(echo.HeaderWWWAuthenticate, challenge+`, error="invalid_token"`)
	return unauthorized("this token is not valid here; it may have been revoked, replaced or expired: make a new one with scimgate token create and give it to the identity provider")
}
