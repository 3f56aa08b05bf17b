package brake

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"scimgate/internal/state"
)

// Refused says why changes may not be made. Nothing was counted then.
type Refused struct {
	Tenant  string
	Limit   Limit
	Changes int  // that were asked for
	Alone   bool // they are more by themselves than may come within the time
}

func (r *Refused) Error() string {
	if r.Alone {
		return fmt.Sprintf("brake: %d changes in one request, and %d in %s are the most", r.Changes, r.Limit.Changes, r.Limit.Per)
	}
	return fmt.Sprintf("brake: it is on, after more than %d changes in %s", r.Limit.Changes, r.Limit.Per)
}

// Brake is that of one tenant. It is safe for concurrent use.
type Brake struct {
	limit Limit
	*memory
}

// memory is what the brakes of a tenant share that follow each other under other
// limits.
type memory struct {
	file   *state.File[document]
	tenant string
	log    *zap.Logger
	now    func() time.Time

	on atomic.Bool // as far as is known, for Look

	mu sync.Mutex
	// known is the document as it was read last. What is counted while the file
	// cannot be changed is in adrift, and comes into the file later.
	known, adrift document
	blind         bool
}

// New returns the brake of a tenant, whose document need not exist yet.
func New(stateDir, tenant string, limit Limit, log *zap.Logger) *Brake {
	return &Brake{limit, &memory{file: open(stateDir, tenant), tenant: tenant, log: log.With(zap.String("tenant", tenant)), now: time.Now}}
}

// Under returns the brake of the same tenant under another limit. What was counted
// counts there, also what could not be written yet.
func (b *Brake) Under(limit Limit) *Brake { return &Brake{limit, b.memory} }

func open(stateDir, tenant string) *state.File[document] {
	return state.Open(stateDir, "brake", tenant, document.check)
}

// Limit is what the brake goes by.
func (b *Brake) Limit() Limit { return b.limit }

// Receipt is what was counted. Its zero value is nothing.
type Receipt struct {
	at      time.Time
	changes int
	allowed bool
	until   time.Time // of the allowance
}

// Take counts n changes of one request, which is to be done before any of them is
// made. The error is a *Refused, and then none may be made.
//
// Where the file cannot be read or written the brake goes on with what it knows:
// this gateway counts alone then. To refuse everything would leave people in who
// have to be out, to let everything pass would be no brake.
func (b *Brake) Take(n int) (Receipt, error) {
	if n <= 0 {
		return Receipt{}, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if d, err := b.file.Read(); err == nil && !d.Tripped.IsZero() && d.allowance(b.now()) < n { // nobody has to queue for that
		b.learn(d)
		return Receipt{}, b.refused(n, n > b.limit.Changes)
	}
	var now time.Time
	var next document
	var v verdict
	decide := func(d document) (document, error) {
		now = b.now().UTC() // the time when the lock is held: others have counted meanwhile
		b.known = d
		next, v = d.with(b.limit, b.adrift).take(b.limit, now, n)
		if (v == alone || v == stopped) && b.adrift.empty() {
			return d, errUnchanged
		}
		return next, nil
	}
	err := b.file.Change(decide)
	switch {
	case err == nil:
		b.adrift = document{}
		b.sees()
		b.learn(next)
	case errors.Is(err, errUnchanged):
		b.sees()
		b.learn(next)
	default:
		b.isBlind(err)
		_, _ = decide(b.known)
		b.drift(next, v, count{now, now, n})
	}
	if v == counted || v == allowed {
		return Receipt{now, n, v == allowed, next.Until}, nil
	}
	return Receipt{}, b.refused(n, v == alone)
}

// Fits refuses what Take would refuse however little was counted before.
func (b *Brake) Fits(n int) error {
	if n <= b.limit.Changes || b.State().Allowed >= n {
		return nil
	}
	return b.refused(n, true)
}

// errUnchanged ends a look at the file that changes nothing.
var errUnchanged = errors.New("nothing to write")

func (b *Brake) refused(n int, alone bool) error {
	return &Refused{Tenant: b.tenant, Limit: b.limit, Changes: n, Alone: alone}
}

// drift keeps what could not be written.
func (b *Brake) drift(next document, v verdict, c count) {
	switch v {
	case counted:
		b.adrift = b.adrift.add(b.limit, c)
	case allowed:
		b.known.Allowed = next.Allowed
	case trips:
		b.adrift.Tripped = next.Tripped
		b.tell(next)
	}
}

// GiveBack takes back what was counted for a change that certainly was not made.
// A brake that came on by it stays on.
func (b *Brake) GiveBack(r Receipt) {
	if r.changes == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.file.Change(func(d document) (document, error) {
		if !r.allowed {
			return d.giveBack(r.at, r.changes), nil
		}
		if d.Until.Equal(r.until) {
			d.Allowed += r.changes
		}
		return d, nil
	})
	if err != nil && !r.allowed { // too much is counted, unless it was counted here
		b.adrift = b.adrift.giveBack(r.at, r.changes)
	}
}

// Look notices that the brake has been released by somebody, if it was on.
func (b *Brake) Look() {
	if b.on.Load() {
		b.State()
	}
}

// learn remembers what the file says, and tells if that is news.
func (b *Brake) learn(d document) {
	b.known = d
	b.tell(d)
}

func (b *Brake) tell(d document) {
	if on := !d.Tripped.IsZero(); b.on.Swap(on) != on {
		if on {
			b.log.Warn("the brake is on: deactivations, deletions and removals of members are refused until it is released",
				zap.Int("changes", b.limit.Changes), zap.Duration("per", b.limit.Per), zap.Time("since", d.Tripped))
		} else {
			b.log.Info("the brake was released", zap.Int("allowed", d.allowance(b.now())))
		}
	}
}

// isBlind says, once, that the file cannot be used.
func (b *Brake) isBlind(err error) {
	if !b.blind {
		b.log.Error("the count of the brake cannot be read or written; this gateway goes on counting by itself", zap.Error(err))
	}
	b.blind = true
}

// sees says, once, that it can be used again.
func (b *Brake) sees() {
	if b.blind {
		b.log.Info("the count of the brake can be written again")
	}
	b.blind = false
}
