//go:build integration

package integration

import (
	"bufio"
	"net"
	"slices"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// cutter stands between the gateway and its directory and ends everything at
// the write that it is told: nothing passes from then on until it is mended.
type cutter struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	left     int  // writes that may pass; below zero all may
	answered bool // the last of them is made, and its answer lost
	dead     bool
	conns    []net.Conn
	carried  sync.WaitGroup // writes that are made though their answers are lost
}

func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: listener, target: target, left: -1}
	go c.accept()
	t.Cleanup(func() {
		listener.Close()
		c.end()
	})
	return c
}

// after ends everything at the nth write from now on.
func (c *cutter) after(n int, answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.answered = n, answered
}

// mend lets everything pass again, once a write whose answer was lost has been
// made, and reports whether anything was cut.
func (c *cutter) mend() bool {
	c.carried.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.dead
	c.left, c.dead = -1, false
	return was
}

func (c *cutter) end() {
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

func (c *cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.target)
		c.mu.Lock()
		if c.dead || err != nil {
			client.Close()
			if err == nil {
				server.Close()
			}
			c.mu.Unlock()
			continue
		}
		c.conns = append(c.conns, client, server)
		c.mu.Unlock()
		ended := make(chan struct{})
		go c.pass(client, server, ended)
		go c.answer(server, client, ended)
	}
}

func (c *cutter) alive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.dead
}

// request judges a message of the gateway: whether it passes, and whether its
// answer is to be lost.
func (c *cutter) request(packet *ber.Packet) (passes, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	writes := []ber.Tag{ldap.ApplicationModifyRequest, ldap.ApplicationAddRequest, ldap.ApplicationDelRequest, ldap.ApplicationModifyDNRequest}
	if c.dead {
		return false, false
	}
	if c.left < 0 || len(packet.Children) < 2 || !slices.Contains(writes, packet.Children[1].Tag) {
		return true, false
	}
	c.left--
	if c.left > 0 {
		return true, false
	}
	c.dead = true
	if c.answered {
		c.carried.Add(1)
	}
	return c.answered, true
}

// pass moves the gateway's messages until everything ends.
func (c *cutter) pass(from, to net.Conn, ended <-chan struct{}) {
	defer to.Close()
	defer from.Close()
	r := bufio.NewReader(from)
	for {
		packet, err := ber.ReadPacket(r)
		if err != nil {
			return
		}
		passes, last := c.request(packet)
		if passes {
			if _, err := to.Write(packet.Bytes()); err != nil && !last {
				return
			}
		}
		switch {
		case last && passes:
			_, _ = to.Write([]byte{0x30, 0x05, 0x02, 0x01, 0x7f, 0x42, 0x00}) // unbind: the server closes once it has answered
			<-ended
			c.carried.Done()
			return
		case last:
			c.mu.Lock()
			c.end()
			c.mu.Unlock()
			return
		case !passes:
			return
		}
	}
}

// answer moves the directory's messages, or loses them, until it has ended.
func (c *cutter) answer(from, to net.Conn, ended chan<- struct{}) {
	defer close(ended)
	defer to.Close()
	defer from.Close()
	r := bufio.NewReader(from)
	for {
		packet, err := ber.ReadPacket(r)
		if err != nil {
			return
		}
		if !c.alive() {
			continue
		}
		if _, err := to.Write(packet.Bytes()); err != nil {
			return
		}
	}
}
