package daemon

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

const pollEvery = 10 * time.Millisecond

// Account is who asks an LDAP server whether it answers, and where.
type Account struct {
	Addr         string
	TLS          *tls.Config // for ldaps; nil for plain LDAP
	DN, Password string
}

// AwaitBind polls until the account can bind; if it cannot before ctx ends, or the process
// ends first, the process is gone when it returns. The password proves that it is our own
// server that answers, not another one that was quicker to take the port.
func (p *Process) AwaitBind(ctx context.Context, a Account) error {
	if err := p.awaitBind(ctx, a); err != nil {
		return errors.Join(err, p.Kill())
	}
	return nil
}

func (p *Process) awaitBind(ctx context.Context, a Account) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		answer := a.Bind(ctx)
		if answer == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("ended while starting: %s", p.how())
		case <-ctx.Done():
			return fmt.Errorf("no answer at %s: %w", a.Addr, errors.Join(ctx.Err(), answer))
		case <-ticker.C:
		}
	}
}

// Bind does one LDAPv3 simple bind (RFC 4511 section 4.2) and hangs up.
func (a Account) Bind(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", a.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if a.TLS != nil {
		conn = tls.Client(conn, a.TLS)
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := conn.Write(bindRequest(a.DN, a.Password)); err != nil {
		return err
	}
	return bindResult(conn)
}

func bindRequest(dn, password string) []byte {
	op := bytes.Join([][]byte{
		tlv(0x02, []byte{3}),        // version
		tlv(0x04, []byte(dn)),       // name
		tlv(0x80, []byte(password)), // authentication: simple
	}, nil)
	return tlv(0x30, append(tlv(0x02, []byte{1}), tlv(0x60, op)...)) // message 1, BindRequest
}

// bindResult reads the answer as far as its result code.
func bindResult(r io.Reader) error {
	message := make([]byte, 512)
	n, err := io.ReadAtLeast(r, message, 10)
	if err != nil {
		return err
	}
	// ENUMERATED of one byte is the first element of BindResponse, whatever the form of
	// the lengths before it.
	_, op, found := bytes.Cut(message[:n], []byte{0x02, 0x01, 0x01, 0x61})
	if !found {
		return errors.New("the answer is not an LDAP bind response")
	}
	_, code, found := bytes.Cut(op, []byte{0x0a, 0x01})
	if !found || len(code) == 0 {
		return errors.New("the bind response has no result code")
	}
	if code[0] != 0 {
		return fmt.Errorf("bind answered with result code %d", code[0])
	}
	return nil
}

// tlv is one BER element.
func tlv(tag byte, value []byte) []byte {
	n := len(value)
	if n < 0x80 {
		return append([]byte{tag, byte(n)}, value...)
	}
	return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, value...)
}
