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
// The package speaks no LDAP: entries are loaded with slapadd before the first start. It
// uses nothing but the standard library, and knows nothing about SCIM but the schema's files.
package slapd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"scimgate/internal/daemon"
)

const (
	startTimeout = 10 * time.Second // far beyond what a start takes; a slow machine only
	portAttempts = 3                // a free port can be taken between looking and listening
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

// Server is a running slapd, which can be stopped, killed, restarted and supervised. Its
// methods may be called from any goroutine.
type Server struct {
	*daemon.Daemon
	cfg  Config
	inst installation
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
	lock, err := daemon.LockFolder(filepath.Join(cfg.Dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("slapd: %s is in use by another server: %w", cfg.Dir, err)
	}
	s := &Server{cfg: cfg, inst: inst}
	if err := s.first(ctx, lock); err != nil {
		return nil, errors.Join(fmt.Errorf("slapd: %w", err), lock.Close())
	}
	return s, nil
}

// first is the first start: on a port of its own choice it tries again when somebody
// else was quicker to take it.
func (s *Server) first(ctx context.Context, lock io.Closer) error {
	wanted, wantedTLS := s.cfg.Listen, s.cfg.ListenTLS
	if err := s.prepare(ctx); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		var err error
		if s.cfg.Listen, err = daemon.Reserve(wanted); err != nil {
			return err
		}
		if wantedTLS != "" {
			if s.cfg.ListenTLS, err = daemon.Reserve(wantedTLS); err != nil {
				return err
			}
		}
		s.Daemon, err = daemon.Start(ctx, daemon.Config{Name: "slapd", Start: s.start, Lock: lock, Log: s.cfg.Log})
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

// start runs slapd and waits until it answers.
func (s *Server) start(ctx context.Context) (*daemon.Process, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, addr := range []string{s.cfg.Listen, s.cfg.ListenTLS} {
		if addr == "" {
			continue
		}
		if _, err := daemon.Reserve(addr); err != nil {
			return nil, err
		}
	}
	p, err := daemon.Launch("slapd", s.inst.binary, s.cfg.args(), s.cfg.Log)
	if err != nil {
		return nil, err
	}
	return p, p.AwaitBind(ctx, daemon.Account{Addr: s.cfg.Listen, DN: s.cfg.AdminDN, Password: s.cfg.AdminPassword})
}

func anyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}
