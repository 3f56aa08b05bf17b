package config

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// validate records the faults that show only where keys are seen together.
func (c *Config) validate(s *Source) {
	c.Server.validate(s)
	listen(s, "admin.listen", c.Admin.Listen)
	if c.Admin.Listen == c.Server.Listen && !strings.HasSuffix(c.Admin.Listen, ":0") {
		s.fault("admin.listen", "is the address of server.listen; the administrator's listener needs its own")
	}
	if c.StateDir == "" {
		s.fault("stateDir", "is empty; name the folder for tokens, for example /var/lib/scimgate")
	}
	c.log(s)
	if len(c.Directories) == 0 {
		s.fault("directories", "is missing; declare at least one directory")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Directories)) {
		c.Directories[name].validate(s, "directories."+name)
	}
	if len(c.Tenants) == 0 {
		s.fault("tenants", "is missing; declare at least one tenant, beginning with - name:")
	}
	for i, t := range c.Tenants {
		t.validate(s, tenantKey(i))
		t.Limits.validate(s, tenantKey(i)+".limits", c.Server.Limits)
	}
	c.callers(s)
	c.names(s)
	c.paths(s)
	c.composed(s)
}

func tenantKey(i int) string { return fmt.Sprintf("tenants[%d]", i) }

func (v Server) validate(s *Source) {
	listen(s, "server.listen", v.Listen)
	if v.ExternalURL != "" {
		u, err := url.Parse(v.ExternalURL)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
			s.fault("server.externalURL", "%q is not an absolute URL; write for example https://scim.example.com", v.ExternalURL)
		case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
			s.fault("server.externalURL", "has more than scheme, host and path; write for example https://scim.example.com")
		}
	}
	if (v.TLS.CertFile == "") != (v.TLS.KeyFile == "") {
		s.fault("server.tls", "needs certFile and keyFile together, or neither")
	}
	if host, _, err := net.SplitHostPort(v.Listen); err == nil && v.TLS.CertFile == "" && !loopback(host) {
		s.warn("server.listen", "takes tokens in clear text; set server.tls, or listen at 127.0.0.1 behind a proxy")
	}
	positive(s, "server.limits.bodyBytes", v.Limits.BodyBytes)
	positive(s, "server.limits.pageSize", v.Limits.PageSize)
	positive(s, "server.limits.bulkOperations", v.Limits.BulkOperations)
	positive(s, "server.limits.requestTimeout", v.Limits.RequestTimeout)
	positive(s, "server.limits.filterEntries", v.Limits.FilterEntries)
	positive(s, "server.limits.failedAttempts", v.Limits.FailedAttempts)
	v.proxies(s)
}

var directoryName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// validate leaves to ldapsink what it finds itself; there a zero stands for a
// default, here it was written.
func (d Directory) validate(s *Source, key string) {
	if !directoryName.MatchString(strings.TrimPrefix(key, "directories.")) {
		s.fault(key, "has a name with other characters than letters, digits, _ and -")
	}
	if d.PageSize != nil {
		positive(s, key+".pageSize", *d.PageSize)
	}
	positive(s, key+".connections", d.Connections)
	positive(s, key+".timeout", d.Timeout)
	positive(s, key+".comeBack", d.ComeBack)
	positive(s, key+".lag", d.Lag)
	positive(s, key+".retry.attempts", d.Retry.Attempts)
	positive(s, key+".retry.base", d.Retry.Base)
	positive(s, key+".retry.cap", d.Retry.Cap)
	if d.Retry.Cap > 0 && d.Retry.Base > d.Retry.Cap {
		s.fault(key+".retry", "has a base of %s above its cap of %s; delays grow from base to cap", d.Retry.Base, d.Retry.Cap)
	}
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func listen(s *Source, key, address string) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		s.fault(key, "%q is not an address to listen at; write for example \":8443\" or 127.0.0.1:8081", address)
	}
}

// positive records a fault about a number that has to be above zero.
func positive[N ~int | ~int64](s *Source, key string, n N) {
	if n <= 0 {
		s.fault(key, "%v is not above zero", n)
	}
}
