// Package adproxy makes of a Samba an Active Directory with its limits, for
// tests: a proxy that reads every LDAP message and cuts, as a domain controller
// does, the values of one attribute at 1,500 (MaxValRange) and the entries of one
// search at 1,000 (MaxPageSize), for clients that know how to ask for the rest.
//
// What it changes is what [MS-ADTS] describes: sections 3.1.1.3.1.3.3 (range
// retrieval) and 3.1.1.3.4.6 (LDAP policies).
package adproxy

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// The limits of a domain controller that nobody has configured.
const (
	MaxValRange = 1500
	MaxPageSize = 1000
)

// Message tags (RFC 4511 section 4.5).
const (
	tagSearchRequest = 3
	tagSearchEntry   = 4
	tagSearchDone    = 5
	tagSearchRef     = 19
)

const (
	sizeLimitExceeded = 4
	oidPaging         = "1.2.840.113556.1.4.319"
)

// Proxy is a running proxy.
type Proxy struct {
	listener net.Listener
	dial     func() (net.Conn, error)

	mu    sync.Mutex
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

// Start listens with TLS at a free port of a loopback address, and passes on to a
// server that is reached by dial.
func Start(ip string, certificate tls.Certificate, dial func() (net.Conn, error)) (*Proxy, error) {
	listener, err := tls.Listen("tcp", net.JoinHostPort(ip, "0"), &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return nil, fmt.Errorf("adproxy: %w", err)
	}
	p := &Proxy{listener: listener, dial: dial, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	return p, nil
}

// URL is where the proxy answers, "ldaps://127.0.0.1:12345".
func (p *Proxy) URL() string { return "ldaps://" + p.listener.Addr().String() }

// Stop ends the proxy and all its connections.
func (p *Proxy) Stop() error {
	err := p.listener.Close()
	p.mu.Lock()
	for c := range p.conns {
		_ = c.Close() // a connection that has gone is what is wanted
	}
	p.conns = nil
	p.mu.Unlock()
	p.wg.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := p.dial()
		if err != nil {
			_ = client.Close() // as a server that is away would
			continue
		}
		if !p.keep(client, server) {
			return
		}
		s := &session{searches: map[int64]*search{}}
		p.wg.Go(func() { s.pump(client, server, s.request) })
		p.wg.Go(func() { s.pump(server, client, s.answer) })
	}
}

// keep notes connections that Stop has to end; it is too late when it is false.
func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.conns == nil {
			_ = c.Close()
			continue
		}
		p.conns[c] = true
	}
	return p.conns != nil
}

// session is one connection of a client and what it has asked for.
type session struct {
	mu       sync.Mutex
	searches map[int64]*search
}

// search is a search that is being answered.
type search struct {
	paged bool
	sent  int // entries
	over  bool
	from  map[string]int // the first value that was asked for, by attribute
}

// pump moves messages in one direction, each as change leaves it; nil is dropped.
func (s *session) pump(from, to net.Conn, change func(*ber.Packet) *ber.Packet) {
	defer func() { _ = errors.Join(from.Close(), to.Close()) }()
	r := bufio.NewReader(from)
	for {
		packet, err := ber.ReadPacket(r)
		if err != nil {
			return
		}
		if packet = change(packet); packet == nil {
			continue
		}
		if _, err := to.Write(packet.Bytes()); err != nil {
			return
		}
	}
}

// request notes what a search asks for. A page is never larger than the server
// wants it.
func (s *session) request(m *ber.Packet) *ber.Packet {
	if len(m.Children) < 2 || m.Children[1].Tag != tagSearchRequest || len(m.Children[1].Children) < 8 {
		return m
	}
	asked := &search{from: map[string]int{}}
	for _, a := range m.Children[1].Children[7].Children {
		name, first := rangeAsked(a.Data.String())
		asked.from[strings.ToLower(name)] = first
	}
	if len(m.Children) > 2 {
		for _, c := range m.Children[2].Children {
			if len(c.Children) > 0 && c.Children[0].Data.String() == oidPaging {
				asked.paged = true
				shrink(c)
			}
		}
	}
	id, _ := m.Children[0].Value.(int64)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.searches[id] = asked
	return rebuilt(m)
}

// shrink makes a paging control ask for no more than MaxPageSize entries.
func shrink(c *ber.Packet) {
	last := c.Children[len(c.Children)-1]
	value, err := ber.DecodePacketErr(last.Data.Bytes())
	if err != nil || len(value.Children) < 2 {
		return
	}
	if size, ok := value.Children[0].Value.(int64); !ok || size <= MaxPageSize {
		return
	}
	fresh := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "Paging")
	fresh.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(MaxPageSize), "Size"))
	fresh.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, value.Children[1].Data.String(), "Cookie"))
	c.Children[len(c.Children)-1] = ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(fresh.Bytes()), "Value")
}

// answer cuts what a domain controller would not have sent.
func (s *session) answer(m *ber.Packet) *ber.Packet {
	if len(m.Children) < 2 {
		return m
	}
	id, _ := m.Children[0].Value.(int64)
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.searches[id]
	if asked == nil {
		return m
	}
	op := m.Children[1]
	switch op.Tag {
	case tagSearchEntry:
		if asked.sent++; asked.sent > MaxPageSize && !asked.paged {
			asked.over = true
			return nil
		}
		if len(op.Children) > 1 {
			for _, a := range op.Children[1].Children {
				asked.cut(a)
			}
		}
		return rebuilt(m)
	case tagSearchRef:
		if asked.over {
			return nil
		}
	case tagSearchDone:
		delete(s.searches, id)
		if asked.over {
			return tooMany(id)
		}
	}
	return m
}

// cut leaves the first values of an attribute and says in its name which.
func (asked *search) cut(a *ber.Packet) {
	if len(a.Children) != 2 {
		return
	}
	name, first := rangeAsked(a.Children[0].Data.String())
	if from, ok := asked.from[strings.ToLower(name)]; ok {
		first = from
	}
	if len(a.Children[1].Children) <= MaxValRange {
		return
	}
	described := fmt.Sprintf("%s;range=%d-%d", name, first, first+MaxValRange-1)
	a.Children[0] = ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, described, "Type")
	a.Children[1].Children = a.Children[1].Children[:MaxValRange]
}

// rangeAsked parts "member;range=1500-*".
func rangeAsked(description string) (name string, first int) {
	name, span, ok := strings.Cut(description, ";range=")
	if !ok {
		return description, 0
	}
	low, _, _ := strings.Cut(span, "-")
	first, err := strconv.Atoi(low)
	if err != nil {
		return name, 0
	}
	return name, first
}

// tooMany is the end of a search that found more than it may return.
func tooMany(id int64) *ber.Packet {
	m := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "Answer")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, "ID"))
	done := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchDone, nil, "Done")
	done.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, sizeLimitExceeded, "Result"))
	done.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "DN"))
	done.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "Message"))
	m.AppendChild(done)
	return m
}

// rebuilt encodes a message anew: a packet keeps the bytes that it was read from,
// whatever has become of its parts.
func rebuilt(p *ber.Packet) *ber.Packet {
	if len(p.Children) == 0 {
		return p
	}
	fresh := ber.Encode(p.ClassType, p.TagType, p.Tag, nil, p.Description)
	for _, c := range p.Children {
		fresh.AppendChild(rebuilt(c))
	}
	return fresh
}
