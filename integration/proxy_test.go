//go:build integration

package integration

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between two programs: it counts what they say, and can halt it.
type proxy struct {
	listener net.Listener
	target   string
	bytes    atomic.Int64
	gateKept sync.RWMutex // held for writing while nothing may pass
}

// newProxy stands before a TCP address until the test ends.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: target}
	go p.accept()
	t.Cleanup(func() { listener.Close() })
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		go p.pass(server, client)
		go p.pass(client, server)
	}
}

// pass copies one direction until either end is closed, then closes both.
func (p *proxy) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.gateKept.RLock()
		p.bytes.Add(int64(n))
		_, failed := to.Write(buffer[:n])
		p.gateKept.RUnlock()
		if err != nil || failed != nil {
			return
		}
	}
}

// halt lets nothing pass until the returned function is called.
func (p *proxy) halt() (resume func()) {
	p.gateKept.Lock()
	return sync.OnceFunc(p.gateKept.Unlock)
}

// during counts the bytes that pass while something is done.
func (p *proxy) during(do func()) int64 {
	before := p.bytes.Load()
	do()
	return p.bytes.Load() - before
}
