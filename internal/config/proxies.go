package config

import (
	"fmt"
	"net/netip"
)

// Proxies are the networks of the proxies that are trusted.
func (v Server) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range v.TrustedProxies {
		if p, err := network(text); err == nil { // validated
			all = append(all, p)
		}
	}
	return all
}

// proxies records what is no address and no network.
func (v Server) proxies(s *Source) {
	for i, text := range v.TrustedProxies {
		key := fmt.Sprintf("server.trustedProxies[%d]", i)
		p, err := network(text)
		switch {
		case err != nil:
			s.fault(key, "%q is neither an address nor a network; write for example 10.1.2.3 or 10.0.0.0/8", text)
		case p.Bits() == 0:
			s.fault(key, "%s is everybody, so that whoever calls could choose their address; name the addresses of your proxies", text)
		}
	}
}

// network reads an address, or a network with the number of its bits.
func network(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		if addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%s has a zone", text)
		}
		addr = addr.Unmap()
		return addr.Prefix(addr.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if addr := p.Addr(); addr.Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%s is an IPv4 network in the words of IPv6", text)
	}
	return p.Masked(), nil
}
