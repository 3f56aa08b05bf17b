package brake

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

// State is how a brake stands.
type State struct {
	Used    int       // changes within the time
	Tripped time.Time // when it came on; zero where it is off
	Allowed int       // changes that are let through beside the limit
	Until   time.Time // and until when
	Err     error     // the file cannot be read: this is what was known last
}

func (d document) state(l Limit, now time.Time) State {
	s := State{Used: d.used(l, now), Tripped: d.Tripped}
	if s.Allowed = d.allowance(now); s.Allowed > 0 {
		s.Until = d.Until
	}
	return s
}

// State tells how the brake stands.
func (b *Brake) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.file.Read()
	if err == nil {
		b.learn(d)
	}
	s := b.known.with(b.limit, b.adrift).state(b.limit, b.now())
	s.Err = err
	return s
}

// Announce puts into the log how the brake stands at start.
func (b *Brake) Announce() {
	s := b.State()
	fields := []zap.Field{zap.Int("used", s.Used), zap.Int("changes", b.limit.Changes), zap.Duration("per", b.limit.Per), zap.Bool("on", !s.Tripped.IsZero())}
	if s.Err != nil {
		b.log.Error("brake", append(fields, zap.Error(s.Err))...)
		return
	}
	b.log.Info("brake", fields...)
}

// Read tells how the brake of a tenant stands, for whoever runs no gateway.
func Read(stateDir, tenant string, l Limit, now time.Time) (State, error) {
	d, err := open(stateDir, tenant).Read()
	if err != nil {
		return State{}, fmt.Errorf("brake of %s: %w; if it cannot be mended, remove the file, and the count begins again", tenant, err)
	}
	return d.state(l, now), nil
}

// Release lets changes pass again: the count begins anew, and beside the limit
// allow more changes are let through until a time. An allowance of before is over.
func Release(stateDir, tenant string, now time.Time, allow int, until time.Time) error {
	err := open(stateDir, tenant).Change(func(document) (document, error) {
		d := document{Released: now.UTC()}
		if allow > 0 {
			d.Allowed, d.Until = allow, until.UTC()
		}
		return d, nil
	})
	if err != nil {
		return fmt.Errorf("release the brake of %s: %w; if the file cannot be mended, remove it, and the count begins again", tenant, err)
	}
	return nil
}
