package ldapsink

import (
	"context"
	"crypto/x509"
	"errors"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Step is a part of the way to a bound connection.
type Step string

// The steps, in their order.
const (
	StepDial     Step = "dial"
	StepTLS      Step = "TLS"
	StepStartTLS Step = "start TLS"
	StepBind     Step = "bind"
	StepRead     Step = "read root DSE"
)

// stepError says at which step a connection did not come about.
type stepError struct {
	step Step
	err  error
}

func (e *stepError) Error() string { return string(e.step) + ": " + e.err.Error() }

func (e *stepError) Unwrap() error { return e.err }

// Server is what one server of a directory shows the bind account of itself.
type Server struct {
	URL string
	// Fits is the flavor that the server shows to be, "" where it shows none.
	Fits string
	// Vendor is what the server calls itself, as far as it says.
	Vendor string
	// Contexts are the tops of its trees.
	Contexts []string
	// Certificate is the server's own; nil without TLS.
	Certificate *x509.Certificate
	// IDs are those of the names asked for, "" where there is no such entry.
	IDs map[string]string

	controls map[string]bool
}

// Supports reports whether the server announces a control.
func (s Server) Supports(oid string) bool { return s.controls[oid] }

// URLs returns the configured addresses of the directory's servers.
func (s *Sink) URLs() []string { return s.pool.cfg.URLs }

// Servers returns the servers that a configured address stands for: itself, or
// those that the DNS has for a domain.
func (s *Sink) Servers(ctx context.Context, address string) ([]string, error) {
	if !isDomain(address) {
		return []string{address}, nil
	}
	names := newDiscovery(s.pool.connector)
	names.urls = []string{address}
	return names.list(ctx, true, s.log)
}

// Probe dials a server, secures and binds as every connection
// does, and reads what the server shows of itself and the ids of some entries.
// The error can be given to Why.
func (s *Sink) Probe(ctx context.Context, address string, names []string) (Server, error) {
	l, err := s.pool.connect(ctx, address)
	if err != nil {
		return Server{}, err
	}
	defer l.close()
	server := Server{URL: address, Contexts: l.contexts, controls: l.controls, IDs: map[string]string{}}
	if state, ok := l.conn.TLSConnectionState(); ok && len(state.PeerCertificates) > 0 {
		server.Certificate = state.PeerCertificates[0]
	}
	dse, err := s.baseOn(ctx, l, "", []string{"*", "+"})
	if err != nil {
		return server, &stepError{StepRead, err}
	}
	if dse == nil {
		return server, &stepError{StepRead, errors.New("it has none")}
	}
	server.Fits = fits(dse)
	server.Vendor = strings.TrimSpace(first(dse, "vendorName") + " " + first(dse, "vendorVersion"))
	for _, name := range names {
		entry, err := s.baseOn(ctx, l, name, []string{s.flavor.id})
		if err != nil {
			return server, &stepError{StepRead, err}
		}
		if entry != nil {
			server.IDs[name] = s.flavor.idOf(entry)
		}
	}
	return server, nil
}

// Refusal is why a server could not be used.
type Refusal struct {
	Step Step
	Code uint16 // the server's result; 0 where it gave none
	Data string // what Active Directory adds to a refused bind: 52e
	// What is wrong with the server's certificate.
	Untrusted, Expired, OtherName bool
}

var bindData = regexp.MustCompile(`\bdata ([0-9a-f]+)\b`)

// Why takes the error of a Probe apart.
func Why(err error) Refusal {
	r := Refusal{Step: StepDial}
	var step *stepError
	if errors.As(err, &step) {
		r.Step = step.step
	}
	var answer *ldap.Error
	if errors.As(err, &answer) && answer.ResultCode < ldap.ErrorNetwork {
		r.Code = answer.ResultCode
		if m := bindData.FindStringSubmatch(answer.Error()); m != nil {
			r.Data = m[1]
		}
	}
	// The library keeps only the text of a failed StartTLS.
	text := err.Error()
	r.Untrusted = untrusted(err)
	r.Expired = r.Untrusted && strings.Contains(text, "has expired or is not yet valid")
	r.OtherName = r.Untrusted && (strings.Contains(text, "certificate is valid for") || strings.Contains(text, "is not valid for any names") ||
		strings.Contains(text, "doesn't contain any IP SANs"))
	return r
}

// Values reads one attribute of one entry; false where the account sees no such
// entry.
func (s *Sink) Values(ctx context.Context, dn, attribute string) ([]string, bool, error) {
	e, err := s.base(ctx, dn, []string{attribute})
	if err != nil || e == nil {
		return nil, false, wrap("search", err)
	}
	return values(e, attribute), true, nil
}

// Example returns the name of some entry of an object class below a base, ""
// where there is none.
func (s *Sink) Example(ctx context.Context, base, class string) (string, error) {
	ctx, enough := context.WithCancel(ctx) // not every server obeys a limit
	defer enough()
	top, name := directory.FoldDN(base), ""
	filter, err := renderer{flavor: s.flavor}.render(directory.Eq("objectClass", class))
	if err != nil {
		return "", wrap("search", fail(directory.Internal, err))
	}
	_, err = searchFor(ctx, s, base, filter, []string{"1.1"}, 2, false, func(e *ldap.Entry) (bool, bool) {
		if name == "" && directory.FoldDN(e.DN) != top {
			name = e.DN
			enough()
		}
		return true, true
	})
	if name != "" {
		return name, nil
	}
	return "", wrap("search", err)
}

// Slow reports whether the directory gave a search up that took it too long.
func Slow(err error) bool {
	return ldap.IsErrorAnyOf(err, ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultAdminLimitExceeded)
}

// Denied reports whether the directory refused something for want of rights.
func Denied(err error) bool {
	return ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights)
}
