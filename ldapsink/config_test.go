package ldapsink

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigNamesEveryFault(t *testing.T) {
	good := func() Config {
		return Config{URLs: []string{"ldaps://ldap.example.com"}, Bind: Bind{"cn=scimgate,dc=example,dc=org", "secret"}}
	}
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"good", func(*Config) {}, nil},
		{"loopback in clear", func(c *Config) { c.URLs = []string{"ldap://127.0.0.1:389", "ldap://localhost", "ldap://[::1]:389"} }, nil},
		{"StartTLS", func(c *Config) { c.URLs, c.TLS.StartTLS = []string{"ldap://ldap.example.com"}, true }, nil},
		{"in clear", func(c *Config) { c.URLs = append(c.URLs, "ldap://ldap2.example.com") }, []string{"urls[1]"}},
		{"in clear to what looks near", func(c *Config) { c.URLs = []string{"ldap://127.0.0.1.example.com"} }, []string{"urls[0]"}},
		{"StartTLS inside TLS", func(c *Config) { c.TLS.StartTLS = true }, []string{"tls.startTLS"}},
		{"other scheme", func(c *Config) {
			c.URLs = []string{"https://x", "ldap.example.com", "ldaps://", "ldaps://x/dc=example", ":"}
		},
			[]string{"urls[0]", "urls[1]", "urls[2]", "urls[3]", "urls[4]"}},
		{"nothing", func(c *Config) { *c = Config{} }, []string{"bind.dn", "bind.password", "urls"}},
		{"flavor", func(c *Config) { c.Flavor = "oracle" }, []string{"flavor"}},
		{"overrides", func(c *Config) {
			c.Attributes, c.Controls, c.PageSize = Attributes{ID: "ibm-entryuuid", Version: "etag"}, Controls{"auto", "never", ""}, 500
		}, nil},
		{"bad overrides", func(c *Config) {
			c.Attributes, c.Controls, c.PageSize = Attributes{ID: "a b", DN: "x;y"}, Controls{"always", "yes", "critical"}, -1
		}, []string{"attributes.dn", "attributes.id", "controls.assertion", "controls.passwordPolicy", "controls.postRead", "pageSize"}},
		{"certificates", func(c *Config) { c.TLS.CAFile = noPEM }, []string{"tls.caFile"}},
		{"no certificates", func(c *Config) { c.TLS.CAFile = noPEM + "x" }, []string{"tls.caFile"}},
		{"negative", func(c *Config) { c.Connections, c.Timeout, c.Retry = -1, -1, Retry{-1, -1, -1} },
			[]string{"connections", "retry.attempts", "retry.base", "retry.cap", "timeout"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := good()
			tc.change(&c)
			var keys []string
			for _, f := range c.Validate() {
				keys = append(keys, f.Key)
				if strings.Contains(f.Problem, "secret") {
					t.Errorf("tells the password: %s", f.Problem)
				}
			}
			slices.Sort(keys)
			if d := cmp.Diff(tc.want, keys); d != "" {
				t.Error(d)
			}
		})
	}
}
