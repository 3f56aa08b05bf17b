//go:build integration || ad || ds389

package ldapsink

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// verdict is what becomes of a message on its way through a proxy.
type verdict int

const (
	pass     verdict = iota
	cut              // both connections end, and the message is lost
	half             // the first half of the message arrives, then both end
	hold             // the message is lost, and nothing ends
	overload         // an answer becomes "busy"
)

// proxy stands between a Sink and its directory, reads every message and can
// lose any of them. It counts the bytes of both directions.
type proxy struct {
	listener net.Listener
	target   string
	up, down atomic.Int64 // bytes to and from the directory
	frozen   atomic.Bool  // nothing is read, from either side

	mu    sync.Mutex
	judge func(answer bool, op ber.Tag) verdict
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

// between returns a proxy to a directory.
func between(t testing.TB, s server) *proxy {
	t.Helper()
	return inFrontOf(t, addr(t, s))
}

// inFrontOf returns a proxy to an address.
func inFrontOf(t testing.TB, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.cutAll()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) url() string { return "ldap://" + p.listener.Addr().String() }

// when sets what happens to messages from now on.
func (p *proxy) when(judge func(answer bool, op ber.Tag) verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.judge = judge
}

func (p *proxy) verdict(answer bool, op ber.Tag) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.judge == nil {
		return pass
	}
	return p.judge(answer, op)
}

// cutAll ends all connections.
func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		p.wg.Go(func() { p.pump(client, server, false) })
		p.wg.Go(func() { p.pump(server, client, true) })
	}
}

// pump moves messages in one direction.
func (p *proxy) pump(from, to net.Conn, answer bool) {
	defer func() { _, _ = from.Close(), to.Close() }()
	r := bufio.NewReader(gate{from, p})
	for {
		packet, err := ber.ReadPacket(r)
		if err != nil {
			return
		}
		p.thaw(from)
		message := packet.Bytes()
		var op ber.Tag
		if len(packet.Children) > 1 {
			op = packet.Children[1].Tag
		}
		switch p.verdict(answer, op) {
		case cut:
			return
		case half:
			_, _ = to.Write(message[:len(message)/2])
			return
		case hold:
			continue
		case overload:
			message = busyInstead(packet)
		}
		if answer {
			p.down.Add(int64(len(message)))
		} else {
			p.up.Add(int64(len(message)))
		}
		if _, err := to.Write(message); err != nil {
			return
		}
	}
}

// gate reads from a connection unless its proxy is frozen.
type gate struct {
	net.Conn
	proxy *proxy
}

func (g gate) Read(b []byte) (int, error) {
	g.proxy.thaw(g.Conn)
	return g.Conn.Read(b)
}

// thaw waits until the proxy is not frozen, or the connection is cut.
func (p *proxy) thaw(c net.Conn) {
	for p.frozen.Load() && p.has(c) {
		time.Sleep(time.Millisecond)
	}
}

func (p *proxy) has(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns[c]
}

// busyInstead returns the answer to the same request that a server with too much
// to do gives.
func busyInstead(answer *ber.Packet) []byte {
	message := ber.NewSequence("message")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, answer.Children[0].Value, "id"))
	result := ber.Encode(ber.ClassApplication, ber.TypeConstructed, answer.Children[1].Tag, nil, "result")
	result.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(ldap.LDAPResultBusy), "code"))
	for range 2 {
		result.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "text"))
	}
	message.AppendChild(result)
	return message.Bytes()
}
