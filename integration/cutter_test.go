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

// mend lets everything pass again, and reports whether anything was cut.
func (c *cutter) mend() bool {
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
		go c.pass(client, server, c.request)
		go c.pass(server, client, func(*ber.Packet) (bool, bool) { return c.alive(), false })
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
	return c.answered, true
}

// pass moves messages in one direction until everything ends.
func (c *cutter) pass(from, to net.Conn, judge func(*ber.Packet) (passes, last bool)) {
	defer to.Close()
	defer from.Close()
	r := bufio.NewReader(from)
	for {
		packet, err := ber.ReadPacket(r)
		if err != nil {
			return
		}
		passes, last := judge(packet)
		if passes {
			if _, err := to.Write(packet.Bytes()); err != nil {
				return
			}
		}
		if last {
			if passes { // the server closes once it has answered
				_, _ = to.Write([]byte{0x30, 0x05, 0x02, 0x01, 0x7f, 0x42, 0x00}) // unbind
			}
			c.mu.Lock()
			if !passes {
				c.end()
			}
			c.mu.Unlock()
			return
		}
		if !passes {
			return
		}
	}
}
