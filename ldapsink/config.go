package ldapsink

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Config says where a directory is and how to talk to it. Zero values of
// Flavor, Connections, Timeout and Retry stand for the documented defaults.
type Config struct {
	Flavor      string // how the directory differs from others: a name of the table in flavor.go
	Attributes  Attributes
	Controls    Controls
	PageSize    int      // entries of one search at most; 0 is the flavor's
	URLs        []string // ldap:// or ldaps://, the preferred one first; ldaps+srv:// and a domain are looked up
	Bind        Bind
	TLS         TLS
	Connections int           // shared by all requests, opened when needed
	Timeout     time.Duration // for a dial with its bind, and for one answer
	Retry       Retry
	ComeBack    time.Duration // how often a better server than the one in use is looked at
	Lag         time.Duration // how long after a write another server may not have it
	Protected   Protected
}

// Bind is who the gateway is to the directory.
type Bind struct{ DN, Password string }

// TLS is how a connection is protected.
type TLS struct {
	CAFile   string // "" trusts what the system trusts
	StartTLS bool   // for ldap:// URLs
}

// Retry is how often and how patiently a result that can pass by itself is
// tried again: the waits double from Base up to Cap.
type Retry struct {
	Attempts  int
	Base, Cap time.Duration
}

// withDefaults fills in what the configuration left open.
func (c Config) withDefaults() Config {
	setDefault(&c.Flavor, openLDAP)
	setDefault(&c.Connections, 4)
	setDefault(&c.Timeout, 5*time.Second)
	setDefault(&c.Retry.Attempts, 6)
	setDefault(&c.Retry.Base, 50*time.Millisecond)
	setDefault(&c.Retry.Cap, 2*time.Second)
	setDefault(&c.ComeBack, 10*time.Second)
	setDefault(&c.Lag, 30*time.Second)
	return c
}

func setDefault[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

// Validate returns every mistake that can be seen without the directory.
func (c Config) Validate() []directory.Fault {
	c = c.withDefaults()
	var faults []directory.Fault
	fault := func(key, format string, args ...any) {
		faults = append(faults, directory.Fault{Key: key, Problem: fmt.Sprintf(format, args...)})
	}
	if _, ok := flavors[c.Flavor]; !ok {
		fault("flavor", "%q is not supported; known: %s", c.Flavor, strings.Join(flavorNames(), ", "))
	}
	c.checkOverrides(fault)
	if len(c.URLs) == 0 {
		fault("urls", "at least one URL is needed, such as ldaps://ldap.example.com")
	}
	for i, text := range c.URLs {
		if err := c.checkURL(text); err != nil {
			fault(fmt.Sprintf("urls[%d]", i), "%v", err)
		}
	}
	if c.TLS.StartTLS && !c.anyPlain() && len(c.URLs) > 0 {
		fault("tls.startTLS", "only ldap:// URLs start TLS; ldaps:// has it from the first byte")
	}
	if _, err := c.roots(); err != nil {
		fault("tls.caFile", "%v", err)
	}
	if c.Bind.DN == "" {
		fault("bind.dn", "is required: the gateway never writes anonymously")
	}
	if c.Bind.Password == "" {
		fault("bind.password", "is required: a bind without one counts as anonymous")
	}
	for i, dn := range c.Protected.Groups {
		if _, err := ldap.ParseDN(dn); err != nil || !strings.Contains(dn, "=") {
			fault(fmt.Sprintf("protected.groups[%d]", i), "%q is no distinguished name; write for example cn=admins,ou=groups,dc=example,dc=org", dn)
		}
	}
	if c.Protected.Filter != "" {
		if err := CheckFilter(c.Protected.Filter); err != nil {
			fault("protected.filter", "%v", err)
		}
	}
	for key, v := range map[string]int64{
		"connections": int64(c.Connections), "timeout": int64(c.Timeout), "retry.attempts": int64(c.Retry.Attempts),
		"retry.base": int64(c.Retry.Base), "retry.cap": int64(c.Retry.Cap),
		"comeBack": int64(c.ComeBack), "lag": int64(c.Lag),
	} {
		if v < 0 {
			fault(key, "must be positive")
		}
	}
	return faults
}

// checkURL says what is wrong with one URL.
func (c Config) checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("is no URL; wanted something like ldaps://ldap.example.com")
	}
	scheme, looked := strings.CutSuffix(u.Scheme, srvScheme)
	switch {
	case scheme != "ldap" && scheme != "ldaps":
		return fmt.Errorf("scheme %q is not supported; wanted ldaps or ldap", u.Scheme)
	case u.Hostname() == "":
		return errors.New("names no host")
	case u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "":
		return errors.New("takes a scheme, a host and a port only")
	case looked && net.ParseIP(u.Hostname()) != nil:
		return fmt.Errorf("is looked up in the DNS by a domain, and %s is an address; wanted something like ldaps+srv://example.com", u.Hostname())
	case looked && scheme == "ldap" && !c.TLS.StartTLS:
		return errors.New("would send the password in clear; use ldaps+srv:// or set tls.startTLS")
	case scheme == "ldap" && !c.TLS.StartTLS && flavors[c.Flavor].onlyTLS:
		return errors.New("would have passwords refused: this directory takes them over TLS only; use ldaps:// or set tls.startTLS")
	case scheme == "ldap" && !looked && !c.TLS.StartTLS && !loopback(u.Hostname()):
		return errors.New("would send the password in clear; use ldaps:// or set tls.startTLS")
	}
	return nil
}

// anyPlain reports whether some URL begins without TLS.
func (c Config) anyPlain() bool {
	for _, text := range c.URLs {
		if strings.HasPrefix(text, "ldap:") || strings.HasPrefix(text, "ldap"+srvScheme+":") {
			return true
		}
	}
	return false
}

// loopback reports whether a host is this machine and nothing else.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// roots returns the certificates to trust; nil stands for the system's.
func (c Config) roots() (*x509.CertPool, error) {
	if c.TLS.CAFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.TLS.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read trusted certificates: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", c.TLS.CAFile)
	}
	return roots, nil
}
