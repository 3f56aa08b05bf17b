package ldapsink

import (
	"context"
	"errors"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/sethvargo/go-retry"

	"scimgate/internal/directory"
)

// class says what can be done about an error.
type class int

const (
	// permanent errors stay, however often the request is sent.
	permanent class = iota
	// transient ones pass by themselves, and nothing was done.
	transient
	// unknown ones say nothing about whether the request was done. A read is
	// sent again; before a write is, the directory is asked.
	unknown
)

// classify decides what an error means.
func classify(err error) class {
	var away *awayError
	var dial *dialError
	var reader *noWriterError
	var elsewhere *elsewhereError
	var answer *ldap.Error
	switch {
	case err == nil, errors.As(err, &away), errors.As(err, &reader), errors.Is(err, errClosed):
		return permanent
	case errors.As(err, &elsewhere):
		return transient
	case errors.As(err, &dial):
		if errors.As(err, &answer) && !connectionLost(answer) && !busy(answer) || untrusted(err) {
			return permanent
		}
		return transient
	case errors.As(err, &answer) && busy(answer):
		return transient
	case connectionLost(err):
		return unknown
	}
	return permanent
}

// busy reports whether an answer says that another moment may be better.
func busy(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultBusy, ldap.LDAPResultUnavailable)
}

// connectionLost reports whether an error is anything but an answer of the
// directory. The library gives plain errors where a write or a read failed,
// and codes of its own from 200 on where it could make nothing of what came.
func connectionLost(err error) bool {
	if err == nil {
		return false
	}
	var own *directory.Error
	if errors.As(err, &own) {
		return false
	}
	var answer *ldap.Error
	if !errors.As(err, &answer) {
		return true
	}
	switch answer.ResultCode {
	case ldap.ErrorFilterCompile, ldap.ErrorEmptyPassword:
		return false
	}
	return answer.ResultCode >= ldap.ErrorNetwork && answer.ResultCode < 4096
}

// policy returns the waits between the attempts of one request: doubling, with
// jitter so that many gateways do not come back at the same instant, capped.
func (r Retry) policy() retry.Backoff {
	return retry.WithMaxRetries(uint64(max(r.Attempts, 1)-1), r.endless())
}

// endless returns the waits without counting attempts.
func (r Retry) endless() retry.Backoff {
	const jitter = 25 // per cent
	return retry.WithCappedDuration(r.Cap, retry.WithJitterPercent(jitter, retry.NewExponential(r.Base)))
}

// attempt is one try of a request on a link. What is left to be done about its
// error follows from classify.
type attempt func(ctx context.Context, l *link) error

// settle finds out on the same server whether a write whose answer was lost has
// been done. false without an error means that it has not, and can be sent
// again; a *directory.Error means that it can no longer be.
type settle func(ctx context.Context, l *link) (done bool, err error)

// read sends a request that changes nothing, again where that can help.
func (s *Sink) read(ctx context.Context, try attempt) error {
	return s.persist(ctx, func(ctx context.Context) error {
		l, err := s.pool.get(ctx)
		if err != nil {
			return err
		}
		defer s.pool.release(l)
		err = try(ctx, l)
		s.pool.judge(l, err, false)
		traceOf(ctx).asked(l.server)
		return err
	})
}

// write sends a request that changes something. After an answer that was lost
// it looks before it sends again, and before it believes a refusal: the
// first request may have been carried out late, and the refusal be its echo. It
// stays with the server that may have done it, whichever is in use by then, and if
// that is out of reach nothing is sent anywhere: there would be two. Without a
// look twice is as good as once.
func (s *Sink) write(ctx context.Context, try attempt, look settle) error {
	doubt := "" // the server that may have done it
	tries := 0
	return s.persist(ctx, func(ctx context.Context) error {
		tries++
		directory.TrailOf(ctx).Tried(tries)
		l, err := s.linkFor(ctx, doubt)
		if err != nil {
			return err
		}
		defer s.pool.release(l)
		if doubt != "" {
			if done, err := look(ctx, l); done || err != nil {
				traceOf(ctx).settled(l.server, done)
				return err
			}
		}
		err = try(ctx, l)
		s.pool.judge(l, err, true)
		switch {
		case err == nil:
			s.pool.wrote(l)
			traceOf(ctx).settled(l.server, true)
		case refusesWrites(err):
			return s.pool.refused(ctx, l, err)
		case classify(err) == unknown && look != nil:
			doubt = l.server
			traceOf(ctx).doubts(l.server)
		case doubt != "" && classify(err) == permanent:
			if done, settled := look(ctx, l); done || settled != nil {
				traceOf(ctx).settled(l.server, done)
				return settled
			}
		}
		return err
	})
}

// linkFor returns a link for a write; doubt is the server that may have done it.
func (s *Sink) linkFor(ctx context.Context, doubt string) (*link, error) {
	if doubt != "" {
		return s.pool.getOn(ctx, doubt)
	}
	return s.pool.writer(ctx)
}

// persist repeats a try for as long as its error can pass by itself, the
// attempts last, the context lives and the directory is not known to be away.
func (s *Sink) persist(ctx context.Context, try func(context.Context) error) error {
	waits := s.pool.cfg.Retry.policy()
	for {
		err := try(ctx)
		if err == nil || classify(err) == permanent {
			return err
		}
		wait, stop := waits.Next()
		if !stop && s.pause(ctx, wait) {
			continue
		}
		var dial *dialError
		if errors.As(err, &dial) && !errors.Is(context.Cause(ctx), context.Canceled) {
			s.pool.giveUp(err)
		}
		return fail(directory.Unavailable, err)
	}
}

// pause waits; false means that there is nothing to wait for.
func (s *Sink) pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-s.pool.lost():
		return true // the next try fails at once and says why
	case <-timer.C:
		return true
	}
}
