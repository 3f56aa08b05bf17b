package gateway

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// behind is a gateway that trusts the proxies of two networks.
func behind() *Gateway {
	return &Gateway{config: Config{TrustedProxies: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("192.0.2.7/32"),
	}}}
}

// Who a request is from is what the nearest trusted proxies say, and nothing that
// stands before that.
func TestTheClientsAddress(t *testing.T) {
	for _, tc := range []struct {
		peer string
		told []string
		want string
	}{
		{"198.51.100.1:4711", nil, "198.51.100.1"},
		{"[2001:db8::1]:4711", nil, "2001:db8::1"},
		{"[::ffff:198.51.100.1]:4711", nil, "198.51.100.1"},
		{"[fe80::1%eth0]:4711", nil, "fe80::1"},
		{"198.51.100.1:4711", []string{"203.0.113.9"}, "198.51.100.1"}, // anybody can say that
		{"198.51.100.1:4711", []string{"10.0.0.1, 203.0.113.9"}, "198.51.100.1"},
		{"10.1.2.3:80", nil, "10.1.2.3"},
		{"10.1.2.3:80", []string{"203.0.113.9"}, "203.0.113.9"},
		{"[::ffff:10.1.2.3]:80", []string{"203.0.113.9"}, "203.0.113.9"},
		{"192.0.2.7:80", []string{"203.0.113.9"}, "203.0.113.9"},
		{"192.0.2.8:80", []string{"203.0.113.9"}, "192.0.2.8"},
		{"10.1.2.3:80", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"}, // the client sent the first one
		{"10.1.2.3:80", []string{"1.1.1.1", "203.0.113.9"}, "203.0.113.9"},
		{"10.1.2.3:80", []string{"203.0.113.9, 10.9.9.9"}, "203.0.113.9"}, // two proxies
		{"10.1.2.3:80", []string{"1.1.1.1,203.0.113.9,fd00::5", "10.9.9.9"}, "203.0.113.9"},
		{"10.1.2.3:80", []string{"10.7.7.7, 10.9.9.9"}, "10.7.7.7"}, // from inside
		{"10.1.2.3:80", []string{"203.0.113.9:5555"}, "203.0.113.9"},
		{"10.1.2.3:80", []string{"[2001:db8::9]:5555"}, "2001:db8::9"},
		{"10.1.2.3:80", []string{"[2001:db8::9]"}, "2001:db8::9"},
		{"10.1.2.3:80", []string{"2001:db8::9"}, "2001:db8::9"},
		{"10.1.2.3:80", []string{"203.0.113.9, unknown"}, "10.1.2.3"},
		{"10.1.2.3:80", []string{"203.0.113.9, unknown, 10.9.9.9"}, "10.9.9.9"},
		{"10.1.2.3:80", []string{""}, "10.1.2.3"},
		{"10.1.2.3:80", []string{"203.0.113.9,"}, "10.1.2.3"},
		{"10.1.2.3:80", []string{strings.Repeat("10.0.0.1,", 5000) + strings.Repeat("10.0.0.2,", 40) + "10.0.0.2"}, "10.0.0.2"},
		{"@", nil, "invalid IP"},
		{"", []string{"203.0.113.9"}, "invalid IP"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tc.peer
		for _, line := range tc.told {
			r.Header.Add("X-Forwarded-For", line)
		}
		if got := behind().clientAddress(r).String(); got != tc.want {
			t.Errorf("%s, %.60q: %s, want %s", tc.peer, tc.told, got, tc.want)
		}
		if got := r.Header.Values("X-Forwarded-For"); len(got) != len(tc.told) {
			t.Errorf("the header is now %q", got)
		}
	}
}

// Where nobody has configured what clients see, a trusted proxy tells it, and
// nobody else.
func TestWhereTheClientSeesTheGateway(t *testing.T) {
	for _, tc := range []struct {
		peer        string
		tls         bool
		proto, host []string
		want        string
	}{
		{"198.51.100.1:1", false, nil, nil, "http://inside"},
		{"198.51.100.1:1", true, nil, nil, "https://inside"},
		{"198.51.100.1:1", false, []string{"https"}, []string{"evil.example"}, "http://inside"},
		{"10.0.0.1:1", false, nil, nil, "http://inside"},
		{"10.0.0.1:1", false, []string{"https"}, nil, "https://inside"},
		{"10.0.0.1:1", false, []string{"HTTPS"}, []string{"scim.example.com"}, "https://scim.example.com"},
		{"10.0.0.1:1", true, []string{"http"}, []string{"scim.example.com:8080"}, "http://scim.example.com:8080"},
		{"10.0.0.1:1", false, []string{"https"}, []string{"[2001:db8::1]:443"}, "https://[2001:db8::1]:443"},
		{"10.0.0.1:1", false, []string{"gopher"}, []string{""}, "http://inside"},
		// Of two nobody knows who wrote which.
		{"10.0.0.1:1", false, []string{"https, http"}, []string{"evil.example, scim.example.com"}, "http://inside"},
		{"10.0.0.1:1", false, []string{"https", "http"}, []string{"evil.example", "scim.example.com"}, "http://inside"},
		// What is no host is not taken for one.
		{"10.0.0.1:1", false, nil, []string{"a/b"}, "http://inside"},
		{"10.0.0.1:1", false, nil, []string{"u@a"}, "http://inside"},
		{"10.0.0.1:1", false, nil, []string{"a?b"}, "http://inside"},
		{"10.0.0.1:1", false, nil, []string{"a b"}, "http://inside"},
		{"10.0.0.1:1", false, nil, []string{`a"b`}, "http://inside"},
		{"10.0.0.1:1", false, nil, []string{"a:b"}, "http://inside"},
		{"10.0.0.1:1", false, nil, []string{strings.Repeat("a", 300)}, "http://inside"},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://inside/", nil)
		r.RemoteAddr = tc.peer
		if tc.tls {
			r.TLS = &tls.ConnectionState{}
		}
		r.Header["X-Forwarded-Proto"], r.Header["X-Forwarded-Host"] = tc.proto, tc.host
		if got := behind().root(r); got != tc.want {
			t.Errorf("%s %v %.60q: %s, want %s", tc.peer, tc.proto, tc.host, got, tc.want)
		}
	}
}
