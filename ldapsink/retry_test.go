package ldapsink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

func answer(code uint16) error { return ldap.NewError(code, errors.New("the server's words")) }

func TestClassify(t *testing.T) {
	dial := func(err error) error { return &dialError{"ldap://x", err} }
	for _, tc := range []struct {
		name string
		err  error
		want class
	}{
		{"busy", answer(ldap.LDAPResultBusy), transient},
		{"unavailable", fmt.Errorf("wrapped: %w", answer(ldap.LDAPResultUnavailable)), transient},
		{"refused value", answer(ldap.LDAPResultConstraintViolation), permanent},
		{"refused right", answer(ldap.LDAPResultInsufficientAccessRights), permanent},
		{"failed assertion", answer(ldap.LDAPResultAssertionFailed), permanent},
		{"library: network", answer(ldap.ErrorNetwork), unknown},
		{"library: malformed", answer(ldap.ErrorMalformedPacket), unknown},
		{"library: filter", answer(ldap.ErrorFilterCompile), permanent},
		{"failed write", errors.New("unable to send request: broken pipe"), unknown},
		{"unexpected end", io.ErrUnexpectedEOF, unknown},
		{"no answer", errNoAnswer, unknown},
		{"caller left", context.Canceled, unknown},
		{"refused connection", dial(errors.New("connection refused")), transient},
		{"lost while binding", dial(fmt.Errorf("bind: %w", answer(ldap.ErrorNetwork))), transient},
		{"busy while binding", dial(fmt.Errorf("bind: %w", answer(ldap.LDAPResultBusy))), transient},
		{"wrong password", dial(fmt.Errorf("bind: %w", answer(ldap.LDAPResultInvalidCredentials))), permanent},
		{"untrusted certificate", dial(fmt.Errorf("TLS: %w", &tls.CertificateVerificationError{Err: errors.New("unknown authority")})), permanent},
		{"untrusted certificate after StartTLS", dial(ldap.NewError(ldap.ErrorNetwork, errors.New("TLS handshake failed (tls: failed to verify certificate: x509)"))), permanent},
		{"away", &awayError{dial(errors.New("connection refused"))}, permanent},
		{"closed", errClosed, permanent},
		{"decided", fail(directory.Changed, io.EOF), permanent},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := classify(tc.err); got != tc.want {
				t.Errorf("%v is of class %d, wanted %d", tc.err, got, tc.want)
			}
		})
	}
}

func TestPolicyDoublesUpToItsCap(t *testing.T) {
	r := Retry{Attempts: 6, Base: 100 * time.Millisecond, Cap: 700 * time.Millisecond}
	waits := r.policy()
	for i, middle := range []time.Duration{100, 200, 400, 700, 700} {
		wait, stop := waits.Next()
		low, high := middle*time.Millisecond*3/4, min(middle*time.Millisecond*5/4, r.Cap)
		if i > 2 {
			low = 600 * time.Millisecond // jitter is below the cap's reach from here on
		}
		if stop || wait < low || wait > high {
			t.Errorf("wait %d is %v (stop %v), wanted %v to %v", i, wait, stop, low, high)
		}
	}
	if _, stop := waits.Next(); !stop {
		t.Error("a sixth wait, though six attempts have five between them")
	}
	if _, stop := (Retry{Attempts: 1, Base: 1, Cap: 1}).policy().Next(); !stop {
		t.Error("one attempt has a wait")
	}
}

func TestKindOfResult(t *testing.T) {
	for _, tc := range []struct {
		err       error
		kind      directory.Kind
		attribute string
	}{
		{answer(ldap.LDAPResultNoSuchObject), directory.NotFound, ""},
		{answer(ldap.LDAPResultEntryAlreadyExists), directory.Exists, ""},
		{answer(ldap.LDAPResultSizeLimitExceeded), directory.TooMany, ""},
		{answer(ldap.LDAPResultUnwillingToPerform), directory.Internal, ""},
		{answer(ldap.LDAPResultBusy), directory.Unavailable, ""},
		{&awayError{io.EOF}, directory.Unavailable, ""},
		{errNoAnswer, directory.Unavailable, ""},
		{ldap.NewError(ldap.LDAPResultInvalidAttributeSyntax, errors.New("mail: value #0 invalid per syntax")), directory.Invalid, "mail"},
		{ldap.NewError(ldap.LDAPResultAttributeOrValueExists, errors.New("modify/add: mail: value #0 already exists")), directory.Invalid, "mail"},
		{ldap.NewError(ldap.LDAPResultObjectClassViolation, errors.New("object class 'inetOrgPerson' requires attribute 'sn'")), directory.Invalid, "sn"},
		{ldap.NewError(ldap.LDAPResultObjectClassViolation, errors.New("attribute 'loginShell' not allowed")), directory.Invalid, "loginShell"},
		{ldap.NewError(ldap.LDAPResultConstraintViolation, errors.New("Password fails quality checking policy")), directory.Invalid, "userPassword"},
		{ldap.NewError(ldap.LDAPResultUndefinedAttributeType, errors.New("unheardOf: attribute type undefined")), directory.Internal, "unheardOf"},
	} {
		err := wrap("op", tc.err)
		var own *directory.Error
		if !errors.As(err, &own) || own.Kind != tc.kind || own.Attribute != tc.attribute || own.Op != "op" || !errors.Is(err, tc.err) {
			t.Errorf("%v becomes %+v", tc.err, own)
		}
	}
	if wrap("op", nil) != nil {
		t.Error("no error becomes one")
	}
}

// A peer that does not read ends a write in time.
func TestWireWritesHaveADeadline(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	w := &wire{Conn: near, timeout: time.Millisecond}
	defer w.Close()
	if _, err := w.Write([]byte("nobody reads this")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
