package main

import (
	"maps"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/config"
	"scimgate/internal/token"
)

const (
	// tokenRound is how often the keeper of tokens looks at them.
	tokenRound = time.Minute
	// warnEvery is how often the log says that a token is close to its end.
	warnEvery = 24 * time.Hour
	// lastUses is how long a gateway that ends waits for the disk to take them.
	lastUses = 3 * time.Second
)

// tokenFile is where the tokens of a tenant are.
func tokenFile(cfg *config.Config, t config.Tenant) *token.File {
	return token.Of(cfg.StateDir, t.Name, t.Tokens.File)
}

// tokenKeeper does for the tokens of a running gateway what no request waits for:
// it keeps when they were used last, and warns of those that are close to their
// end. It lives as long as the process; serve tells it what is served now.
type tokenKeeper struct {
	stateDir string
	log      *zap.Logger

	mu     sync.Mutex
	known  map[string]*knownTokens // by tenant and path of the token file
	served []servedTokens
	warned map[string]time.Time // by tenant and token
	failed bool                 // what was used last could not be written
}

// knownTokens are the tokens of a tenant as they were last read, and what is noted
// of their use.
type knownTokens struct {
	verifier *token.Verifier
	uses     *token.Uses
}

// servedTokens are the tokens of a tenant that is served.
type servedTokens struct {
	*knownTokens
	tenant string
	warn   time.Duration
}

func newTokenKeeper(stateDir string, log *zap.Logger) *tokenKeeper {
	return &tokenKeeper{stateDir: stateDir, log: log, known: map[string]*knownTokens{}, warned: map[string]time.Time{}}
}

// of returns the tokens of a tenant: the same as long as their file is the same, so
// that the last good ones hold while it is damaged, whatever else is configured anew.
func (k *tokenKeeper) of(tenant string, file *token.File) *knownTokens {
	k.mu.Lock()
	defer k.mu.Unlock()
	key := tenant + " " + file.Path()
	if k.known[key] == nil {
		k.known[key] = &knownTokens{token.NewVerifier(file), token.OpenUses(k.stateDir, tenant, file)}
	}
	return k.known[key]
}

// Verify implements gateway.Authenticator, and notes which tokens are used.
func (k *knownTokens) Verify(text string, now time.Time) (token.Identity, bool, error) {
	id, ok, err := k.verifier.Verify(text, now)
	if ok {
		k.uses.Note(id.ID, now)
	}
	return id, ok, err
}

// serve tells the keeper which tenants are served from now on. What is known of
// others is forgotten.
func (k *tokenKeeper) serve(cfg *config.Config) {
	var served []servedTokens
	needed := map[*knownTokens]bool{}
	for _, t := range cfg.Tenants {
		file := tokenFile(cfg, t)
		if _, err := os.Stat(file.Path()); err != nil && t.Tokens.File != "" {
			k.log.Warn("the token file of tokens.file is not there, so the tenant has no tokens until it is", zap.String("tenant", t.Name), zap.Error(err))
		}
		known := k.of(t.Name, file)
		needed[known] = true
		served = append(served, servedTokens{known, t.Name, t.Tokens.Warn})
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.served = served
	maps.DeleteFunc(k.known, func(_ string, known *knownTokens) bool { return !needed[known] })
}

// run works until the function that it returns is called, which writes what was
// used last.
func (k *tokenKeeper) run() (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		k.warnAll(time.Now())
		round := time.NewTicker(tokenRound)
		defer round.Stop()
		look := time.NewTicker(time.Second)
		defer look.Stop()
		for {
			select {
			case <-stop:
				k.keep(time.Now(), true)
				return
			case <-look.C:
				k.keep(time.Now(), false)
			case <-round.C:
				k.keep(time.Now(), true)
				k.warnAll(time.Now())
			}
		}
	}()
	return func() {
		close(stop)
		select {
		case <-stopped:
		case <-time.After(lastUses): // a disk that hangs does not keep the gateway
		}
	}
}

// keep writes the last uses: all of them, or those of tenants whose token was not
// used for a while, so that list shows a new token's first use soon.
func (k *tokenKeeper) keep(now time.Time, all bool) {
	k.mu.Lock()
	served := k.served
	k.mu.Unlock()
	for _, s := range served {
		select {
		case <-s.uses.Due():
		default:
			if !all {
				continue
			}
		}
		k.report(s.uses.Keep(now))
	}
}

// report says once that uses cannot be kept, and once that they can again.
func (k *tokenKeeper) report(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil && !k.failed:
		k.log.Warn("when tokens were used last cannot be kept in stateDir; everything else goes on", zap.Error(err))
	case err == nil && k.failed:
		k.log.Info("when tokens were used last can be kept again")
	}
	k.failed = err != nil
}

// warnAll warns of the tokens that are close to their end: of each once a day.
func (k *tokenKeeper) warnAll(now time.Time) {
	for _, t := range k.live(now) {
		if !t.ending || !k.due(t.tenant+" "+t.ID, now) {
			continue
		}
		fields := []zap.Field{zap.String("tenant", t.tenant), zap.String("token", t.ID),
			zap.Time("expires", t.Expires), zap.Int("days", days(t.Expires.Sub(now)))}
		if t.Subject == "" && t.Label != "" { // what a person is called has no place in the log
			fields = append(fields, zap.String("label", t.Label))
		}
		k.log.Warn("a token is close to its end: make a new one with scimgate token create, and give it to the identity provider", fields...)
	}
}

// due says whether a day has gone since the last warning of a token, and notes this
// one.
func (k *tokenKeeper) due(key string, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for other, at := range k.warned { // tokens come and go
		if now.Sub(at) >= 2*warnEvery {
			delete(k.warned, other)
		}
	}
	if at, ok := k.warned[key]; ok && now.Sub(at) < warnEvery {
		return false
	}
	k.warned[key] = now
	return true
}

// liveToken is a token that is good, and whether it is close to its end.
type liveToken struct {
	token.Token
	tenant string
	ending bool
}

// live lists the good tokens of all tenants that are served, for the metrics too.
// Where a file cannot be read it goes by what was read last, as the requests do.
func (k *tokenKeeper) live(now time.Time) []liveToken {
	k.mu.Lock()
	served := k.served
	k.mu.Unlock()
	var all []liveToken
	for _, s := range served {
		live, _ := s.verifier.Live(now) // the requests' own look says what is wrong
		for _, t := range live {
			all = append(all, liveToken{t, s.tenant, t.Ending(now, s.warn)})
		}
	}
	return all
}

// days are the whole days of a time that is left.
func days(left time.Duration) int { return int(left / (24 * time.Hour)) }
