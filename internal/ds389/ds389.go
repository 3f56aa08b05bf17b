// Package ds389 runs a private 389 Directory Server: a directory of the integration tests.
//
// A server has a folder of its own with its configuration, its data, its certificate and
// its logs, listens on loopback only, and belongs to the process that started it: it ends
// when Stop is called, and on Linux also when that process dies in whatever way. A 389
// Directory Server that the machine already runs, its configuration and its data are never
// touched, nor is anything else outside the folder.
//
//	s, err := ds389.Start(ctx, ds389.Config{Dir: dir, Plugins: ds389.Plugins{USN: true}})
//	...
//	defer s.Stop()
//	dial(s.TLSURL(), s.CAFile(), s.AdminDN(), s.AdminPassword())
//
// It needs neither root nor dscreate: the configuration is made from the template that the
// package of the server brings, with every path below the folder, in about a second and a
// half with the entries. Any user may run it.
package ds389

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"scimgate/internal/daemon"
)

const (
	startTimeout = 30 * time.Second // far beyond what a start takes; a slow machine only
	portAttempts = 3                // a free port can be taken between looking and listening

	suffix = "dc=example,dc=org"
)

// Config says what to run. Dir is required, everything else has a default.
type Config struct {
	Dir           string // data folder, created when absent; what it holds is kept and reused
	Listen        string // "127.0.0.1:3890"; port 0, the default, takes a free one. Loopback only
	ListenTLS     string // the same for ldaps
	AdminPassword string // random when empty; the folder only ever holds its hash

	Plugins    Plugins
	ScimSchema bool     // load the gateway's schema, and index what it searches by
	Access     []string // ACIs of the suffix, in place of the stock one: everybody reads all but passwords
	Conf       []string // attributes of cn=config, such as "nsslapd-sizelimit: 10" or "passwordCheckSyntax: on"
	Entries    string   // LDIF to load after the base entries when the database is new

	Log io.Writer // what the server says, and what happens to it; may be nil
}

// Plugins says which are on of those that a new instance has off.
type Plugins struct {
	MemberOf bool     // memberOf of the members of groups
	RefInt   bool     // referential integrity of member, uniqueMember, owner, seeAlso and manager
	USN      bool     // entryusn: a number in each entry that rises with every change
	Unique   []string // attribute uniqueness, below ou=people, of each of these by itself
}

// Server is a running 389 Directory Server, which can be stopped, killed, restarted and
// supervised. Its methods may be called from any goroutine.
type Server struct {
	*daemon.Daemon
	cfg  Config
	inst installation
}

// Start writes the configuration, loads the entries when the database is new, starts the
// server and returns when it answers. ctx bounds the start, not the server's life.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	s, err := start(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("389ds: %w", err)
	}
	return s, nil
}

func start(ctx context.Context, cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	inst, err := findInstallation()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	// Two servers on one database destroy it.
	lock, err := daemon.LockFolder(cfg.path("folder.lock"))
	if err != nil {
		return nil, fmt.Errorf("%s is in use by another server: %w", cfg.Dir, err)
	}
	s := &Server{cfg: cfg, inst: inst}
	if err := s.first(ctx, lock); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// first is the first start: on a port of its own choice it tries again when somebody else
// was quicker to take it.
func (s *Server) first(ctx context.Context, lock io.Closer) error {
	wanted, wantedTLS := s.cfg.Listen, s.cfg.ListenTLS
	if err := s.cfg.writeCertificate(ctx, s.inst); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		var err error
		if s.cfg.Listen, err = daemon.Reserve(wanted); err != nil {
			return err
		}
		if s.cfg.ListenTLS, err = daemon.Reserve(wantedTLS); err != nil {
			return err
		}
		if err := s.cfg.write(s.inst); err != nil {
			return err
		}
		if err := s.cfg.load(ctx, s.inst); err != nil {
			return err
		}
		s.Daemon, err = daemon.Start(ctx, daemon.Config{Name: "389ds", Start: s.run, Lock: lock, Log: s.cfg.Log})
		if err == nil || attempt == portAttempts || ctx.Err() != nil || !(anyPort(wanted) || anyPort(wantedTLS)) {
			return err
		}
	}
}

// run starts the server and waits until it answers.
func (s *Server) run(ctx context.Context) (*daemon.Process, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, addr := range []string{s.cfg.Listen, s.cfg.ListenTLS} {
		if _, err := daemon.Reserve(addr); err != nil {
			return nil, err
		}
	}
	p, err := daemon.Launch("389ds", s.inst.server, s.cfg.args(), s.cfg.Log)
	if err != nil {
		return nil, err
	}
	return p, p.AwaitBind(ctx, daemon.Account{Addr: s.cfg.Listen, DN: adminDN, Password: s.cfg.AdminPassword})
}

// URL is where the server answers, and StartTLS too: "ldap://127.0.0.1:3890".
func (s *Server) URL() string { return "ldap://" + s.cfg.Listen }

// TLSURL is the ldaps:// address.
func (s *Server) TLSURL() string { return "ldaps://" + s.cfg.ListenTLS }

// CAFile is what a client has to trust, in PEM. It changes with every Start.
func (s *Server) CAFile() string { return s.cfg.path(caFile) }

// Suffix is the base of the directory, "dc=example,dc=org".
func (s *Server) Suffix() string { return suffix }

// AdminDN is who may do everything. It is no entry of the directory.
func (s *Server) AdminDN() string { return adminDN }

// AdminPassword is the password of AdminDN.
func (s *Server) AdminPassword() string { return s.cfg.AdminPassword }

// AccessLog is the file in which the server notes each operation, some seconds late.
// "notes=U" and "notes=A" in it tell of a search that no index served.
func (s *Server) AccessLog() string { return s.cfg.path("log/access") }

// args starts the server in the foreground.
func (c Config) args() []string {
	return []string{"-D", c.path("etc"), "-i", c.path("run/pid"), "-d", "0"}
}

func (c Config) path(name string) string { return filepath.Join(c.Dir, name) }

func anyPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	return err == nil && port == "0"
}

// loopback refuses an address that others could reach.
func loopback(addr string) (string, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("listen address: %w", err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", fmt.Errorf("listen address %s is not on loopback", addr)
	}
	return net.JoinHostPort(host, port), nil
}

func lineBreak(values ...string) error {
	for _, v := range values {
		if strings.ContainsAny(v, "\r\n\x00") {
			return fmt.Errorf("%q has a line break", v)
		}
	}
	return nil
}
