package slapd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// awaitAnswer polls until the administrator can bind. The password proves that it is
// our own server that answers, not another one that was quicker to take the port.
func (c Config) awaitAnswer(ctx context.Context, p *process) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		answer := bind(ctx, c.Listen, c.AdminDN, c.AdminPassword)
		if answer == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("ended while starting: %s", p.how())
		case <-ctx.Done():
			return fmt.Errorf("no answer at %s: %w", c.Listen, errors.Join(ctx.Err(), answer))
		case <-ticker.C:
		}
	}
}

// bind does one LDAPv3 simple bind (RFC 4511 section 4.2) and hangs up.
func bind(ctx context.Context, addr, dn, password string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := conn.Write(bindRequest(dn, password)); err != nil {
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
