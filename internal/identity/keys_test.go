package identity

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"scimgate/internal/testissuer"
)

func TestKeysAreAskedForWhenTheyAreNeeded(t *testing.T) {
	server, issuer := start(t)
	now := time.Now()
	if n := server.Asked.Load(); n != 0 {
		t.Fatalf("the issuer was asked %d times before there was a token", n)
	}
	for range 50 {
		wanted(t, issuer, server.Token(), now, "taken")
	}
	if n := server.Fetches.Load(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

// The issuer signs with a new key at once; then the old one is withdrawn, and no
// token by it is taken any more once the keys are due.
func TestRotation(t *testing.T) {
	server, issuer := start(t)
	now := time.Now()
	old, next := server.Key(), testissuer.NewRSA("second")
	before := server.Token(object{"exp": now.Add(48 * time.Hour).Unix()})
	wanted(t, issuer, before, now, "taken")
	server.Rotate(next, old)
	wanted(t, issuer, server.Token(), now, "taken")
	wanted(t, issuer, before, now, "taken")

	server.Rotate(next)
	wanted(t, issuer, before, now.Add(freshFor-time.Second), "taken")
	later := now.Add(freshFor + time.Second)
	until(t, "the withdrawn key is forgotten", func() bool { return outcome(t, issuer, before, later) == "invalid" })
	wanted(t, issuer, server.Token(), later, "taken")
}

// A key that was withdrawn while no token came opens nothing, not even once. An
// issuer that is away then is waited for once.
func TestWithdrawnWhileNobodyCame(t *testing.T) {
	server, issuer := start(t)
	now := time.Now()
	token := server.Token(object{"exp": now.Add(48 * time.Hour).Unix()})
	wanted(t, issuer, token, now, "taken")
	server.Down.Store(true)
	asked := server.Asked.Load()
	for range 20 {
		wanted(t, issuer, token, now.Add(10*time.Hour), "taken")
	}
	if n := server.Asked.Load() - asked; n != 1 {
		t.Errorf("an issuer that is away was asked %d times at once", n)
	}
	server.Down.Store(false)
	wanted(t, issuer, token, now.Add(11*time.Hour), "taken")
	until(t, "the issuer confirms the keys", func() bool {
		issuer.keys.mu.Lock()
		defer issuer.keys.mu.Unlock()
		return issuer.keys.failed.IsZero()
	})
	server.Rotate(testissuer.NewRSA("second"))
	wanted(t, issuer, token, now.Add(21*time.Hour), "invalid")
	wanted(t, issuer, server.Key().Sign(nil, server.Claims(object{"exp": now.Add(48 * time.Hour).Unix()})), now.Add(21*time.Hour), "taken")
}

// until polls: what it waits for happens beside the test.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// Some issuers name no key in their tokens, or all by one name.
func TestKeysWithoutAName(t *testing.T) {
	server, issuer := start(t)
	now := time.Now()
	server.Rotate(testissuer.NewKey(""), testissuer.NewRSA(""))
	sign := func() string { return server.Key().Sign(object{"kid": nil}, server.Claims()) }
	wanted(t, issuer, sign(), now, "taken")
	server.Rotate(testissuer.NewRSA(""))
	wanted(t, issuer, sign(), now, "taken")
	wanted(t, issuer, testissuer.NewRSA("").Sign(object{"kid": nil}, server.Claims()), now, "invalid")
}

// Tokens that name keys nobody knows make the gateway ask a few times; then they
// are not decided, and tokens by keys that are known are not hindered.
func TestAFloodOfUnknownKeysDoesNotReachTheIssuer(t *testing.T) {
	server, issuer := start(t)
	now := time.Now()
	wanted(t, issuer, server.Token(), now, "taken")
	seen := map[string]int{}
	for range 500 {
		forged := testissuer.NewKey("").Sign(object{"kid": time.Now().String()}, server.Claims())
		seen[outcome(t, issuer, forged, now)]++
	}
	if seen["invalid"] != unknownAtOnce || seen["undecided"] != 500-unknownAtOnce {
		t.Errorf("of 500 tokens %v", seen)
	}
	if n := server.Fetches.Load(); n != 1+unknownAtOnce {
		t.Errorf("the keys were asked for %d times", n)
	}
	wanted(t, issuer, server.Token(), now, "taken")
	// A key that is new just then is known a little later.
	server.Rotate(testissuer.NewKey("second"))
	wanted(t, issuer, server.Token(), now, "undecided")
	wanted(t, issuer, server.Token(), now.Add(unknownEvery+time.Second), "taken")
}

// Bad signatures by a key that is known are judged by that key, and cost the issuer nothing.
func TestAFloodOfBadSignaturesDoesNotReachTheIssuer(t *testing.T) {
	server, issuer := start(t)
	now := time.Now()
	forger := testissuer.NewKey(server.Key().ID)
	for range 200 {
		wanted(t, issuer, forger.Sign(nil, server.Claims()), now, "invalid")
	}
	if n := server.Fetches.Load(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
	foreign := server.Token(object{"iss": "https://id.example.com"})
	fresh := trusting(t, server)
	for range 10 {
		wanted(t, fresh, foreign, now, "invalid")
	}
	if n := server.Fetches.Load(); n != 1 {
		t.Errorf("the keys were asked for %d times, for tokens of another issuer as well", n)
	}
}

func TestManyAtOnceShareOneAnswer(t *testing.T) {
	server, issuer := start(t)
	now := time.Now()
	text := server.Token()
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() { wanted(t, issuer, text, now, "taken") })
	}
	wait.Wait()
	if n := server.Fetches.Load(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
}

// An issuer that is away: without its keys nothing can be told, and it is left
// alone for a while; with keys that were had before, work goes on, for a day.
func TestAnIssuerThatIsAway(t *testing.T) {
	server, issuer := start(t)
	now := time.Now()
	text := server.Token(object{"exp": now.Add(72 * time.Hour).Unix()})
	server.Down.Store(true)
	for range 20 {
		wanted(t, issuer, text, now, "undecided")
	}
	if n := server.Asked.Load(); n != 1 {
		t.Errorf("an issuer that is away was asked %d times at once", n)
	}
	server.Down.Store(false)
	wanted(t, issuer, text, now.Add(retryAfter-time.Second), "undecided")
	wanted(t, issuer, text, now.Add(retryAfter+time.Second), "taken")

	server.Down.Store(true)
	asked := server.Asked.Load()
	due := now.Add(freshFor + 2*retryAfter)
	wanted(t, issuer, text, due, "taken")
	until(t, "the issuer is asked whether the keys are still its own", func() bool { return server.Asked.Load() == asked+1 })
	wanted(t, issuer, server.Key().Sign(object{"kid": "unknown"}, server.Claims(object{"exp": now.Add(72 * time.Hour).Unix()})), due, "undecided")
	wanted(t, issuer, text, now.Add(goodFor-time.Minute), "taken")
	wanted(t, issuer, text, now.Add(goodFor+time.Hour), "undecided")
	server.Down.Store(false)
	wanted(t, issuer, text, now.Add(goodFor+2*time.Hour), "taken")
}

// An issuer that does not answer is given up. Time is a bubble's here.
func TestAnIssuerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeys("https://id.example.com", hanging())
		begin := time.Now()
		_, err := k.find("x", "RS256", begin)
		if took := time.Since(begin); err == nil || took > fetchTimeout {
			t.Errorf("error %v after %s", err, took)
		}
		begin = time.Now()
		if _, err := k.find("x", "RS256", begin); err == nil || time.Since(begin) != 0 {
			t.Errorf("error %v; it was waited for again", err)
		}
	})
}

// A stopped server refuses connections, as one that was never started.
func TestAnIssuerThatIsNotThere(t *testing.T) {
	server, issuer := start(t)
	text := server.Token()
	server.Stop()
	wanted(t, issuer, text, time.Now(), "undecided")
}

// hanging is a client of a server that takes requests and never answers.
func hanging() *http.Client {
	return &http.Client{Timeout: fetchTimeout, Transport: hang{}}
}

type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
