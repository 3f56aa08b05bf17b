package ldapsink

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"go.uber.org/zap"
)

// refusalHolds is how long writes fail at once after a server has refused one
// and no other takes any.
const refusalHolds = time.Second

// readOnlyTexts are pieces of the diagnostics with which a server that takes no
// writes is "unwilling" (53): a consumer of OpenLDAP without updateref, a
// database of it with readonly or restrict, and 389 DS. Others refer (10).
var readOnlyTexts = []string{"shadow context", "operation restricted", "read-only"}

// refusesWrites reports whether an answer means that the server takes no writes.
func refusesWrites(err error) bool {
	return ldap.IsErrorWithCode(err, ldap.LDAPResultReferral) ||
		ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) && mentions(err, readOnlyTexts)
}

// elsewhereError is a write that one server refused and another will take.
type elsewhereError struct{ err error }

func (e *elsewhereError) Error() string { return fmt.Sprintf("the server takes no writes: %v", e.err) }

func (e *elsewhereError) Unwrap() error { return e.err }

// noWriterError says that no server of the directory takes writes.
type noWriterError struct{ err error }

func (e *noWriterError) Error() string {
	return fmt.Sprintf("no server of the directory takes writes: %v", e.err)
}

func (e *noWriterError) Unwrap() error { return e.err }

var errReadOnly = errors.New("the server in use takes none, and no other one is well")

// writer is get for a write.
func (p *pool) writer(ctx context.Context) (*link, error) {
	l, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	refused := p.servers.of(l.server).refused
	p.mu.Unlock()
	if !refused.IsZero() && time.Since(refused) < refusalHolds {
		p.release(l)
		return nil, &noWriterError{errReadOnly}
	}
	return l, nil
}

// wrote notes that a server takes writes.
func (p *pool) wrote(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers.of(l.server).refused = time.Time{}
}

// refused notes that a server takes no writes and looks for one that does,
// first where it refers to. The error says whether it found one.
func (p *pool) refused(ctx context.Context, l *link, answer error) error {
	p.mu.Lock()
	again := !p.servers.of(l.server).refused.IsZero()
	p.servers.of(l.server).refused = time.Now()
	p.mu.Unlock()
	p.wake()
	hints := p.referred(l, answer, again)
	select {
	case p.dialing <- struct{}{}:
		defer func() { <-p.dialing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if p.inUse() != l.server {
		return &elsewhereError{answer} // somebody else has found one
	}
	list, err := p.candidates(ctx)
	if err != nil {
		return &noWriterError{err}
	}
	for _, server := range append(hints, list...) {
		p.mu.Lock()
		known := p.servers.of(server)
		passed := known.refused.IsZero() && (!again || !time.Now().Before(known.until))
		p.mu.Unlock()
		if server == l.server || !passed {
			continue
		}
		other, err := p.connect(ctx, server)
		if err != nil {
			p.log.Warn("directory does not answer", zap.String("url", server), zap.Error(err))
			p.failed(server)
			continue
		}
		if other.readOnly {
			other.close()
			continue
		}
		if err := p.put(other, 0); err != nil {
			return err
		}
		p.release(other)
		return &elsewhereError{answer}
	}
	p.log.Warn("no server of the directory takes writes: add the URL of one that does to urls", zap.String("url", l.server), zap.Error(answer))
	return &noWriterError{answer}
}

// referred returns the servers that a referral names and that are configured.
// No other is ever asked: it would get the password.
func (p *pool) referred(l *link, answer error, again bool) []string {
	var servers []string
	for _, text := range referrals(answer) {
		u, err := url.Parse(text)
		if err != nil {
			continue
		}
		found := false
		p.mu.Lock()
		list := p.servers.list
		p.mu.Unlock()
		for _, server := range list {
			if own, err := url.Parse(server); err == nil && strings.EqualFold(own.Hostname(), u.Hostname()) {
				found = true
				if hostPort(own) == hostPort(u) {
					servers = append([]string{server}, servers...)
				} else {
					servers = append(servers, server)
				}
			}
		}
		if !found && !again {
			p.log.Warn("a referral is not followed, because the gateway gives its password to configured servers only; if this one is the directory's, add it to urls",
				zap.String("url", l.server), zap.String("referral", text))
		}
	}
	return servers
}

// referrals returns the URLs in an answer (RFC 4511 section 4.1.10).
func referrals(err error) []string {
	var answer *ldap.Error
	if !errors.As(err, &answer) || answer.Packet == nil || len(answer.Packet.Children) < 2 {
		return nil
	}
	var urls []string
	for _, part := range answer.Packet.Children[1].Children {
		if part.ClassType != ber.ClassContext || part.Tag != 3 {
			continue
		}
		for _, u := range part.Children {
			urls = append(urls, u.Data.String())
		}
	}
	return urls
}
