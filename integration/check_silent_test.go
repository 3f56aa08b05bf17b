//go:build integration

package integration

import (
	"net"
	"strings"
	"testing"
)

// A server that hangs up has refused nothing.
func TestCheckOfWhatIsNoDirectory(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	s := usual()
	s.BindDN, s.Password = "cn=scimgate,dc=example,dc=org", "example secret"
	config := s.writeFor(t, t.TempDir(), "ldap://"+listener.Addr().String())
	code, out, log := run(t, "check", "--config", config)
	if code != 1 || !strings.Contains(out, "does not answer the bind") || strings.Contains(out, "result 0") {
		t.Errorf("exit code %d: %s%s", code, out, log)
	}
}
