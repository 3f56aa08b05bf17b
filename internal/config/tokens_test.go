package config

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTokensOfATenant(t *testing.T) {
	c := mustLoad(t, "    directory: corp\n", "    directory: corp\n    tokens: {replace: true, warn: 10d, file: secrets/okta.json}\n")
	want := Tokens{Max: 2, Lifetime: 8760 * time.Hour, Warn: 240 * time.Hour, Replace: true, File: "dir/secrets/okta.json"}
	if got := c.Tenants[0].Tokens; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// Nobody has said how long before its end a token that lives a day is warned of.
	mustLoad(t, "    directory: corp\n", "    directory: corp\n    tokens: {lifetime: 1d}\n")
}

// A bound that another key takes the effect from is worth a word, unless it says
// the same.
func TestSeveralTokensBesideReplace(t *testing.T) {
	for tokens, want := range map[string]int{"{max: 2, replace: true}": 1, "{max: 1, replace: true}": 0, "{replace: true}": 0, "{max: 3}": 0} {
		_, warnings, err := load(t, "    directory: corp\n", "    directory: corp\n    tokens: "+tokens+"\n", "directories:", "server: {listen: 'localhost:0'}\ndirectories:")
		if err != nil || len(warnings) != want {
			t.Errorf("%s: %v %v", tokens, warnings, err)
		}
		if want == 1 && len(warnings) == 1 && !strings.Contains(warnings[0].String(), "tenants[0].tokens.max: has no effect beside replace") {
			t.Errorf("%s: %v", tokens, warnings)
		}
	}
}

func TestTrustedProxiesAreNetworks(t *testing.T) {
	c := mustLoad(t, "directories:", "server: {trustedProxies: [10.1.2.3/8, 192.0.2.7, '::ffff:192.0.2.8', 'fd00::1', '2001:db8::/32']}\ndirectories:")
	var got []string
	for _, p := range c.Server.Proxies() {
		got = append(got, p.String())
	}
	if want := []string{"10.0.0.0/8", "192.0.2.7/32", "192.0.2.8/32", "fd00::1/128", "2001:db8::/32"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if !c.Server.Proxies()[0].Contains(netip.MustParseAddr("10.200.0.1")) {
		t.Error("an address of the network is not in it")
	}
}
