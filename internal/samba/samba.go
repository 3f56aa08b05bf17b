// Package samba runs a private Samba as an Active Directory: the directory of the
// integration tests that need one.
//
// A server has a folder of its own with its configuration, its data and its certificate,
// listens on a loopback address of its own, and belongs to the process that started it: it
// ends when Stop is called, and on Linux also when that process dies in whatever way. A
// Samba that the machine already runs, its configuration and its data are never touched.
//
//	s, err := samba.Start(ctx, samba.Config{Dir: dir})
//	...
//	defer s.Stop()
//	dial(s.URL(), s.CAFile(), s.AdminDN(), s.AdminPassword())
//
// Samba listens on the ports 389 and 636 alone, which takes root: run the tests with
// deploy/with-namespace. It serves LDAP and nothing else, and refuses a password outside
// TLS.
//
// Making the domain takes some seconds, so it is done once for each version of Samba, kept
// in the user's cache folder, and copied for each server. All servers of a machine have the
// same domain SID and the same administrator's password for that reason.
package samba

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"scimgate/internal/daemon"
)

const (
	startTimeout = 30 * time.Second // far beyond what a start takes; a slow machine only
	addrAttempts = 3                // a free address can be taken between looking and listening
)

// Config says what to run. Dir is required, everything else has a default.
type Config struct {
	Dir     string    // data folder, created when absent; what it holds is kept and reused
	Listen  string    // loopback address, "127.10.1.1", without a port; a free one by default
	Entries string    // LDIF to load when the data are new: entries, and changes with a changetype
	Conf    []string  // lines for the global section of smb.conf, such as "log level = 3"
	Cache   string    // where made domains are kept; scimgate/samba in the user's cache folder
	Log     io.Writer // what Samba says, and what happens to it; may be nil
}

// The domain, as Samba writes its names.
const (
	realm   = "EXAMPLE.ORG"
	domain  = "EXAMPLE"
	suffix  = "DC=example,DC=org"
	host    = "dc1"
	adminDN = "CN=Administrator,CN=Users," + suffix
)

// Server is a running Samba, which can be stopped, killed, restarted and supervised. Its
// methods may be called from any goroutine.
type Server struct {
	*daemon.Daemon
	cfg      Config
	inst     installation
	password string
	trust    *tls.Config
}

// Start makes the domain or copies one that was made before, loads the entries when the
// data are new, starts Samba and returns when it answers. ctx bounds the start, not the
// server's life.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	s, err := start(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("samba: %w", err)
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

// first is the first start: on an address of its own choice it tries again when somebody
// else was quicker to take it.
func (s *Server) first(ctx context.Context, lock io.Closer) error {
	wanted := s.cfg.Listen
	for attempt := 1; ; attempt++ {
		var err error
		if s.cfg.Listen, err = reserve(wanted); err != nil {
			return err
		}
		if err := s.prepare(ctx); err != nil {
			return err
		}
		s.Daemon, err = daemon.Start(ctx, daemon.Config{Name: "samba", Start: s.run, Lock: lock, Log: s.cfg.Log})
		if err == nil || attempt == addrAttempts || ctx.Err() != nil || wanted != "" {
			return err
		}
	}
}

// prepare makes the folder: certificate and configuration, which depend on the address, and
// the data.
func (s *Server) prepare(ctx context.Context) error {
	var err error
	if s.trust, err = s.cfg.writeCertificate(); err != nil {
		return err
	}
	if err := s.cfg.write(); err != nil {
		return err
	}
	s.password, err = s.cfg.load(ctx, s.inst)
	return err
}

// run starts Samba and waits until it answers.
func (s *Server) run(ctx context.Context) (*daemon.Process, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if _, err := reserve(s.cfg.Listen); err != nil {
		return nil, err
	}
	p, err := daemon.Launch("samba", s.inst.samba, s.cfg.args(), s.cfg.Log)
	if err != nil {
		return nil, err
	}
	return p, p.AwaitBind(ctx, daemon.Account{
		Addr: net.JoinHostPort(s.cfg.Listen, "636"), TLS: s.trust, DN: adminDN, Password: s.password,
	})
}

// URL is where the server answers, "ldaps://127.10.1.1".
func (s *Server) URL() string { return "ldaps://" + s.cfg.Listen }

// PlainURL is the address for StartTLS, "ldap://127.10.1.1".
func (s *Server) PlainURL() string { return "ldap://" + s.cfg.Listen }

// CAFile is what a client has to trust, in PEM. The certificate is for the address alone.
func (s *Server) CAFile() string { return s.cfg.path(certFile) }

// Suffix is the base of the directory, "DC=example,DC=org".
func (s *Server) Suffix() string { return suffix }

// AdminDN is who may do everything.
func (s *Server) AdminDN() string { return adminDN }

// AdminPassword is the password of AdminDN.
func (s *Server) AdminPassword() string { return s.password }

// withDefaults fills in what was left out and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, errors.New("no data folder given")
	}
	var err error
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return c, err
	}
	// smb.conf knows no quotes: "%m" would be replaced, and a line break begins a new setting.
	if strings.ContainsAny(c.Dir, "\r\n\x00%") {
		return c, fmt.Errorf("the folder %q has a character that smb.conf cannot hold", c.Dir)
	}
	if c.Listen != "" {
		if ip := net.ParseIP(c.Listen).To4(); ip == nil || !ip.IsLoopback() {
			return c, fmt.Errorf("listen address %q is not an IPv4 address on loopback", c.Listen)
		}
	}
	if c.Cache == "" {
		caches, err := os.UserCacheDir()
		if err != nil {
			return c, fmt.Errorf("where to keep made domains: %w", err)
		}
		c.Cache = filepath.Join(caches, "scimgate", "samba")
	}
	c.Cache, err = filepath.Abs(c.Cache)
	return c, err
}

func (c Config) path(name string) string { return filepath.Join(c.Dir, name) }

// reserve says whether Samba could listen on the address, and without one which is free.
func reserve(addr string) (string, error) {
	for attempt := 1; ; attempt++ {
		ip := addr
		if ip == "" {
			ip = fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
		}
		err := errors.Join(listens(ip, "389"), listens(ip, "636"))
		if errors.Is(err, fs.ErrPermission) {
			return "", fmt.Errorf("%w; Samba serves LDAP on these ports alone, so run this with deploy/with-namespace", err)
		}
		if err == nil || addr != "" || attempt == addrAttempts {
			return ip, err
		}
	}
}

func listens(ip, port string) error {
	_, err := daemon.Reserve(net.JoinHostPort(ip, port))
	return err
}
