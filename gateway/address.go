package gateway

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
)

// Who a request is from. Anybody can send the headers of a proxy, so they count as
// far as trusted proxies wrote them, and no further.

// hops bounds how many proxies are asked, one before the other.
const hops = 32

// clientAddress is the address that a request comes from: the peer's, or, where the
// peer is a trusted proxy, the last address of X-Forwarded-For that is none. What
// stands before that may be anything. Without an address it is the zero Addr.
func (g *Gateway) clientAddress(r *http.Request) netip.Addr {
	address := peer(r)
	if !g.trusts(address) {
		return address
	}
	told := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	for range hops {
		comma := strings.LastIndexByte(told, ',')
		next, ok := forwarded(told[comma+1:])
		if !ok {
			return address // of the proxy that did not say more
		}
		if address = next; comma < 0 || !g.trusts(address) {
			return address
		}
		told = told[:comma]
	}
	return address
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// forwarded reads an address of X-Forwarded-For, which some write with a port.
func forwarded(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		at, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = at.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

func (g *Gateway) trusts(address netip.Addr) bool {
	for _, p := range g.config.TrustedProxies {
		if p.Contains(address) {
			return true
		}
	}
	return false
}

// root is scheme and host of the gateway as the client sees it, where nobody has
// configured them. Of a trusted proxy X-Forwarded-Proto and X-Forwarded-Host are
// believed, if each is there once: of two nobody knows who wrote which.
func (g *Gateway) root(r *http.Request) string {
	scheme, name := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if g.trusts(peer(r)) {
		if said := only(r.Header, "X-Forwarded-Proto"); strings.EqualFold(said, "http") || strings.EqualFold(said, "https") {
			scheme = strings.ToLower(said)
		}
		if said := only(r.Header, "X-Forwarded-Host"); hostSyntax.MatchString(said) {
			name = said
		}
	}
	return scheme + "://" + name
}

// only is the value of a header that has one.
func only(h http.Header, name string) string {
	values := h.Values(name)
	if len(values) != 1 || strings.Contains(values[0], ",") {
		return ""
	}
	return strings.TrimSpace(values[0])
}

// hostSyntax is a name or an address, with or without a port, and nothing else.
var hostSyntax = regexp.MustCompile(`^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)
