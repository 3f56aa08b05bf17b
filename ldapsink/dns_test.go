//go:build integration && !ad && !ds389

package ldapsink

import (
	"context"
	"net"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is a DNS server on loopback that knows a few names.
type nameServer struct {
	conn net.PacketConn

	mu        sync.Mutex
	services  map[string][]net.SRV
	addresses map[string]net.IP
	broken    bool
	asked     int // for services
}

// serveNames answers until the test ends.
func serveNames(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, services: map[string][]net.SRV{}, addresses: map[string]net.IP{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		packet := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			if answer, err := s.answer(packet[:n]); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		serving.Wait()
	})
	return s
}

// resolver asks this server and no other.
func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

// set changes what the server knows.
func (s *nameServer) set(change func(*nameServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *nameServer) lookUps() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *nameServer) answer(packet []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Header.Response, m.Header.Authoritative = true, true
	m.Additionals = nil
	question := m.Questions[0]
	header := dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: dnsmessage.ClassINET, TTL: 1}
	name := question.Name.String()
	_, known := s.addresses[name]
	switch {
	case s.broken:
		m.Header.RCode = dnsmessage.RCodeServerFailure
	case question.Type == dnsmessage.TypeSRV:
		s.asked++
		for _, r := range s.services[name] {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.SRVResource{
				Priority: r.Priority, Weight: r.Weight, Port: r.Port, Target: dnsmessage.MustNewName(r.Target)}})
		}
		if len(m.Answers) == 0 {
			m.Header.RCode = dnsmessage.RCodeNameError
		}
	case question.Type == dnsmessage.TypeA && known:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header,
			Body: &dnsmessage.AResource{A: [4]byte(s.addresses[name].To4())}})
	case !known:
		m.Header.RCode = dnsmessage.RCodeNameError
	}
	return m.Pack()
}
