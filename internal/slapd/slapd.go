// Package slapd runs a private OpenLDAP server: the directory of `scimgate demo` and of
// the integration tests.
//
// A server has a folder of its own with its configuration and its data, listens on
// loopback only, knows the gateway's schema, and belongs to the process that started it:
// it ends when Stop is called, and on Linux also when that process dies in whatever way.
// A slapd that the machine already runs, its configuration and its data are never
// touched.
//
//	s, err := slapd.Start(ctx, slapd.Config{Dir: dir, Overlays: []string{"ppolicy"}})
//	...
//	defer s.Stop()
//	go s.Supervise(ctx)            // optional: start it again when it dies
//	dial(s.URL(), s.AdminDN(), s.AdminPassword())
//
// The package speaks no LDAP beyond the one bind with which it asks whether the server
// answers; entries are loaded with slapadd before the first start. It uses nothing but
// the standard library, and knows nothing about SCIM but the schema's files.
package slapd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	startTimeout = 10 * time.Second // far beyond what a start takes; a slow machine only
	stopTimeout  = 5 * time.Second  // after SIGTERM, before SIGKILL
	pollEvery    = 10 * time.Millisecond
	portAttempts = 3 // a free port can be taken between looking and listening
)

// Config says what to run. Dir is required, everything else has a default.
type Config struct {
	Dir           string // data folder, created when absent; what it holds is kept and reused
	Listen        string // "127.0.0.1:3890"; port 0, the default, takes a free one. Loopback only
	ListenTLS     string // a second listener for ldaps://, likewise; needs TLS
	Suffix        string // "dc=example,dc=org"
	AdminDN       string // cn=admin below Suffix
	AdminPassword string // random when empty; the folder only ever holds its hash

	Overlays     []string // in this order; see overlays in conf.go for what each one is set to
	GroupSchema  bool     // load groupOfMembers, a group that may be empty
	NoScimSchema bool     // do not load the gateway's schema: a directory that may not be extended
	TLS          *TLS     // offers StartTLS at Listen, and ldaps at ListenTLS

	Access       []string // access rules ("to * by * read"), in place of the default ones
	GlobalConf   []string // lines for the head of slapd.conf, such as "serverID 1"
	DatabaseConf []string // lines for the database, such as "syncrepl ..." or "maxreaders 100"
	MaxSize      int64    // of the database in bytes; 4 GiB. The file is sparse and grows as it fills

	Empty   bool   // load no base entries: a replica gets them from its provider
	Entries string // LDIF to load after the base entries when the database is new

	Binary string    // path of slapd; found when empty
	Debug  string    // argument of slapd -d, "0" when empty; "stats" logs every operation
	Log    io.Writer // what slapd says, and what happens to it; may be nil
}

// TLS names the server's certificate and key, and the authorities it sends along.
type TLS struct{ CertFile, KeyFile, CAFile string }

// Server is a running slapd. Its methods may be called from any goroutine.
type Server struct {
	cfg  Config
	inst installation
	lock io.Closer

	change sync.Mutex // held while the process is being started or stopped

	mu      sync.Mutex // guards what follows
	proc    *process
	stopped bool          // by Stop, so that nobody starts it again
	quit    chan struct{} // closed by Stop
}

// Start writes the configuration, loads the base entries when the database is new,
// starts slapd and returns when it answers. ctx bounds the start, not the server's life.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("slapd: %w", err)
	}
	inst, err := findInstallation(cfg.Binary)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("slapd: %w", err)
	}
	// Two servers on one database destroy it.
	lock, err := lockDir(filepath.Join(cfg.Dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("slapd: %s is in use by another server: %w", cfg.Dir, err)
	}
	s := &Server{cfg: cfg, inst: inst, lock: lock, quit: make(chan struct{})}
	if err := s.first(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("slapd: %w", err), lock.Close())
	}
	return s, nil
}

// first is the first start: on a port of its own choice it tries again when somebody
// else was quicker to take it.
func (s *Server) first(ctx context.Context) error {
	wanted, wantedTLS := s.cfg.Listen, s.cfg.ListenTLS
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		var err error
		if s.cfg.Listen, err = reserve(wanted); err != nil {
			return err
		}
		if wantedTLS != "" {
			if s.cfg.ListenTLS, err = reserve(wantedTLS); err != nil {
				return err
			}
		}
		err = s.start(ctx)
		if err == nil || attempt == portAttempts || ctx.Err() != nil || !(anyPort(wanted) || anyPort(wantedTLS)) {
			return err
		}
	}
}

// prepare makes the folder: configuration, perhaps a copy of the binary, base entries.
func (s *Server) prepare(ctx context.Context) error {
	if confined(s.inst.binary) {
		private, err := copyBinary(s.inst.binary, s.cfg.Dir)
		if err != nil {
			return err
		}
		s.inst.binary = private
	}
	if err := s.cfg.write(s.inst); err != nil {
		return err
	}
	return s.load(ctx)
}

// URL is where the server answers, "ldap://127.0.0.1:3890".
func (s *Server) URL() string { return "ldap://" + s.Addr() }

// TLSURL is the ldaps:// address, empty without ListenTLS.
func (s *Server) TLSURL() string {
	if s.cfg.ListenTLS == "" {
		return ""
	}
	return "ldaps://" + s.cfg.ListenTLS
}

// Addr is host and port of URL. It does not change when the server is started again.
func (s *Server) Addr() string { return s.cfg.Listen }

// Suffix is the base of the directory, "dc=example,dc=org".
func (s *Server) Suffix() string { return s.cfg.Suffix }

// AdminDN is who may do everything.
func (s *Server) AdminDN() string { return s.cfg.AdminDN }

// AdminPassword is the password of AdminDN.
func (s *Server) AdminPassword() string { return s.cfg.AdminPassword }

// Pid is the process id of the running slapd, 0 when it does not run.
func (s *Server) Pid() int {
	p := s.current()
	if p == nil || p.exited() {
		return 0
	}
	return p.pid
}

// Done is closed when the slapd that runs now has ended, for whatever reason. After a
// restart ask again.
func (s *Server) Done() <-chan struct{} { return s.current().done }

// Stop ends the server with SIGTERM, with SIGKILL if that is not enough, and returns when
// it is gone. It is not started again. The folder stays. Stopping twice is no error.
func (s *Server) Stop() error {
	s.mu.Lock()
	again := s.stopped
	s.stopped = true
	if !again {
		close(s.quit)
	}
	s.mu.Unlock()

	s.change.Lock()
	defer s.change.Unlock()
	err := s.current().terminate(stopTimeout)
	if !again {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// Kill ends slapd with SIGKILL and returns when it is gone, as a crash would. It stays
// away until Restart, or until Supervise finds it missing.
func (s *Server) Kill() error { return s.current().kill() }

// Restart stops slapd if it runs and starts it on the same address and data. A server
// that was stopped with Stop cannot be restarted: Start it anew with the same Config.
func (s *Server) Restart(ctx context.Context) error {
	s.change.Lock()
	defer s.change.Unlock()
	if s.isStopped() {
		return errors.New("slapd: restart of a server that was stopped")
	}
	if err := s.current().terminate(stopTimeout); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("slapd: restart: %w", err)
	}
	return nil
}

// Supervise starts slapd again whenever it dies, until ctx ends or Stop is called. It
// does not stop the server when it returns.
func (s *Server) Supervise(ctx context.Context) {
	const first, last = 20 * time.Millisecond, 2 * time.Second
	delay := first
	for {
		died := s.current()
		select {
		case <-ctx.Done():
			return
		case <-s.quit:
			return
		case <-died.done:
		}
		err := s.revive(ctx, died)
		if err == nil {
			delay = first
			continue
		}
		s.logf("slapd does not start, next attempt in %s: %v", delay, err)
		select {
		case <-ctx.Done():
			return
		case <-s.quit:
			return
		case <-time.After(delay):
		}
		delay = min(2*delay, last)
	}
}

// revive replaces a process that died, unless somebody else has done so meanwhile.
func (s *Server) revive(ctx context.Context, died *process) error {
	s.change.Lock()
	defer s.change.Unlock()
	now := s.current()
	if s.isStopped() || ctx.Err() != nil || (now != died && !now.exited()) {
		return nil
	}
	s.logf("slapd (process %d) ended: %s; starting it again", died.pid, died.how())
	return s.start(ctx)
}

// start runs slapd and waits until it answers. The caller holds change, or is alone.
func (s *Server) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, addr := range []string{s.cfg.Listen, s.cfg.ListenTLS} {
		if addr == "" {
			continue
		}
		if _, err := reserve(addr); err != nil {
			return err
		}
	}
	p, err := launch(s.inst.binary, s.cfg.args(), s.cfg.Log)
	if err != nil {
		return err
	}
	if err := s.cfg.awaitAnswer(ctx, p); err != nil {
		return errors.Join(err, p.kill())
	}
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()
	return nil
}

func (s *Server) current() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

func (s *Server) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

func (s *Server) logf(format string, args ...any) {
	if s.cfg.Log != nil {
		fmt.Fprintf(s.cfg.Log, format+"\n", args...)
	}
}

// reserve says whether addr can be listened on, and with port 0 which port was free.
func reserve(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func anyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}
