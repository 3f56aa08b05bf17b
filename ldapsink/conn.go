package ldapsink

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// wire is a network connection on which no write waits for ever and which
// knows when the peer was last heard. The library's writes have no deadline:
// a peer that stops reading would hold every request of the connection.
type wire struct {
	net.Conn
	timeout time.Duration
	heard   atomic.Int64 // when bytes last came, in Unix nanoseconds
	closed  atomic.Bool
}

func (w *wire) Write(p []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

func (w *wire) Close() error {
	w.closed.Store(true)
	return w.Conn.Close()
}

// link is one bound connection to one server.
type link struct {
	conn     *ldap.Conn
	wire     *wire
	server   string          // its URL
	tag      string          // short for the server, where versions are its own; else ""
	controls map[string]bool // by number, features too
	contexts []string        // the tops of the trees that the server holds
	readOnly bool            // the server says of itself that it takes no writes

	// Guarded by the pool's mutex.
	users   int  // tries that have it in hand
	retired bool // closed when the last of them is done
}

// supports reports whether a control or a feature may be used on this server: it
// announces it, and nobody has said never.
func (l *link) supports(oid string) bool { return l.controls[oid] }

func (l *link) alive() bool { return !l.wire.closed.Load() && !l.conn.IsClosing() }

// close takes the network connection away, on which everything in the library
// that waits for it ends. The library's own Close would first wait for its turn
// behind a request that may be stuck.
func (l *link) close() { _ = l.wire.Close() } // nothing is left to be done about an error

// dialError is a connection that did not come about. Its request was not sent.
type dialError struct {
	url string
	err error
}

func (e *dialError) Error() string { return fmt.Sprintf("connect to %s: %v", e.url, e.err) }

func (e *dialError) Unwrap() error { return e.err }

// connector opens links: the one place that dials, secures and binds.
type connector struct {
	cfg      Config
	flavor   flavor
	tls      *tls.Config
	resolver *net.Resolver // nil is the system's
}

// connect opens a link to one of the servers, within the context and the
// configured time, whichever ends first.
func (c *connector) connect(ctx context.Context, server string) (*link, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, errNoAnswer)
	defer cancel()
	u, err := url.Parse(server)
	if err != nil {
		return nil, &dialError{server, err}
	}
	dialer := net.Dialer{Resolver: c.resolver}
	raw, err := dialer.DialContext(ctx, "tcp", hostPort(u))
	if err != nil {
		return nil, &dialError{server, orCause(ctx, err)}
	}
	l := &link{wire: &wire{Conn: raw, timeout: c.cfg.Timeout}, server: server}
	// Whatever the handshake and the bind wait for ends with the context.
	stop := context.AfterFunc(ctx, l.close)
	if err := c.start(ctx, l, u); err != nil {
		l.close()
		stop()
		return nil, &dialError{server, orCause(ctx, err)}
	}
	if !stop() {
		return nil, &dialError{server, context.Cause(ctx)}
	}
	return l, nil
}

// start secures and binds a link and reads what its server can do.
func (c *connector) start(ctx context.Context, l *link, u *url.URL) error {
	secure := c.tls.Clone()
	secure.ServerName = u.Hostname()
	stream := net.Conn(l.wire)
	if u.Scheme == "ldaps" {
		client := tls.Client(l.wire, secure)
		if err := client.HandshakeContext(ctx); err != nil {
			return &stepError{StepTLS, err}
		}
		stream = client
	}
	l.conn = ldap.NewConn(stream, u.Scheme == "ldaps")
	l.conn.SetTimeout(c.backstop())
	l.conn.Start()
	if u.Scheme == "ldap" && c.cfg.TLS.StartTLS {
		if err := l.conn.StartTLS(secure); err != nil {
			return &stepError{StepStartTLS, err}
		}
	}
	if err := l.conn.Bind(c.cfg.Bind.DN, c.cfg.Bind.Password); err != nil {
		return &stepError{StepBind, err}
	}
	return c.learn(l)
}

// learn reads what a link's server says of itself.
func (c *connector) learn(l *link) error {
	wanted := []string{"supportedControl", "supportedFeatures", "namingContexts"}
	if c.flavor.versionLocal {
		wanted = append(wanted, "supportedCapabilities")
	}
	if c.flavor.serverName != "" {
		wanted = append(wanted, c.flavor.serverName)
	}
	dse, err := l.conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		matchAll, wanted, nil))
	if err != nil {
		return &stepError{StepRead, err}
	}
	l.controls = map[string]bool{}
	for _, entry := range dse.Entries {
		l.contexts = values(entry, "namingContexts")
		for _, name := range []string{"supportedControl", "supportedFeatures"} {
			for _, oid := range values(entry, name) {
				l.controls[oid] = true
			}
		}
		if c.flavor.versionLocal {
			l.tag = shortFor(cmp.Or(first(entry, c.flavor.serverName), l.server))
		}
		l.readOnly = c.flavor.readOnlyCapability != "" && slices.Contains(values(entry, "supportedCapabilities"), c.flavor.readOnlyCapability)
	}
	for oid, use := range c.cfg.Controls.byOID() {
		if use == controlNever {
			delete(l.controls, oid)
		}
	}
	return nil
}

// backstop is when the library itself gives a request up. Requests end earlier
// by the rules of ask; this is for what they leave behind.
func (c *connector) backstop() time.Duration { return max(time.Minute, 2*c.cfg.Timeout) }

// hostPort returns the address to dial.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": ldap.DefaultLdapPort, "ldaps": ldap.DefaultLdapsPort}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// orCause returns why the context ended, or err where it has not.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w (%w)", err, cause)
	}
	return err
}

var errNoAnswer = errors.New("no answer in time")

// guard turns a panic into an error: it would end the process, with the
// requests of everybody, in a goroutine that nobody else watches over.
func guard[T any](do func() (T, error)) (T, error) {
	var value T
	var err error
	func() {
		defer func() {
			if p := recover(); p != nil {
				err = failf(directory.Internal, "panic: %v\n%s", p, debug.Stack())
			}
		}()
		value, err = do()
	}()
	return value, err
}

// ask sends one request over a link and waits for its answer, but no longer
// than the context and the configured time. A search gets more time for as long
// as bytes keep coming: it is the silence that is bounded. Requests run in a
// goroutine of their own because the library's know no context.
func ask[T any](ctx context.Context, p *pool, l *link, patient bool, request func(*ldap.Conn) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	done := make(chan answer, 1)
	sent := time.Now()
	go func() {
		value, err := guard(func() (T, error) { return request(l.conn) })
		done <- answer{value, err}
	}()
	timer := time.NewTimer(p.cfg.Timeout)
	defer timer.Stop()
	for {
		select {
		case a := <-done:
			if connectionLost(a.err) {
				p.drop(l, a.err)
			}
			return a.value, a.err
		case <-ctx.Done():
			return none, context.Cause(ctx)
		case <-timer.C:
			silence := time.Since(time.Unix(0, max(sent.UnixNano(), l.wire.heard.Load())))
			if left := p.cfg.Timeout - silence; patient && left > 0 {
				timer.Reset(left)
				continue
			}
			// Where others still get answers the server is slow with this
			// request only, and their requests are not lost with the connection.
			if l.wire.heard.Load() < sent.UnixNano() {
				p.drop(l, errNoAnswer)
			}
			return none, errNoAnswer
		}
	}
}
