//go:build integration && !ad && !ds389

package integration

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

var (
	taken    = regexp.MustCompile(`"msg":"the configuration was reloaded"`)
	notTaken = regexp.MustCompile(`"msg":"the configuration is not taken; the one before stays in force".*`)
)

// lines counts the lines of the log that match.
func (g *gate) lines(pattern *regexp.Regexp) int {
	return len(pattern.FindAllString(g.log.String(), -1))
}

// after waits for one more line that matches than there were before something
// was done, and returns the last one.
func (g *gate) after(t *testing.T, pattern *regexp.Regexp, do func()) string {
	t.Helper()
	before := g.lines(pattern)
	do()
	eventually(t, pattern.String(), func() bool { return g.lines(pattern) > before })
	all := pattern.FindAllString(g.log.String(), -1)
	return all[len(all)-1]
}

// hangUp asks the gateway to read its configuration.
func (g *gate) hangUp(t *testing.T) {
	t.Helper()
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// connected counts the connections of a process to an address, as the kernel has
// them.
func connected(t *testing.T, address string) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	var port int
	if _, err := fmt.Sscanf(address[strings.LastIndex(address, ":"):], ":%d", &port); err != nil {
		t.Fatal(err)
	}
	const established = "01"
	return len(regexp.MustCompile(fmt.Sprintf(`(?m)^ *\d+: [0-9A-F]{8}:%04X [0-9A-F]{8}:[0-9A-F]{4} %s `, port, established)).FindAllString(string(raw), -1))
}

// A signal or a change of the file puts the file in force, one with faults
// changes nothing, and the directory sees the connections that it saw before.
func TestHangUpReadsTheConfiguration(t *testing.T) {
	t.Parallel()
	g := serve(t, usual())
	c := g.client(t)
	id := c.create(person("before"))
	for range 8 { // until all connections there may be are open
		c.get("/Users/" + id).want(http.StatusOK)
	}
	connections := connected(t, hostOf(g.ldap))
	if connections == 0 {
		t.Fatal("the directory has no connection")
	}
	raw, err := os.ReadFile(g.config)
	if err != nil {
		t.Fatal(err)
	}
	good := string(raw)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(g.config+"~", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(g.config+"~", g.config); err != nil {
			t.Fatal(err)
		}
	}
	g.after(t, taken, func() { g.hangUp(t) })

	// Under load, one good and one bad file after the other.
	var stop atomic.Bool
	done := make(chan int)
	go func() {
		n := 0
		for ; !stop.Load(); n++ {
			if a, err := c.try("GET", "/Users/"+id, nil); err != nil || a.status != http.StatusOK {
				t.Errorf("request %d: %v %v", n, a, err)
			}
		}
		done <- n
	}()
	for i := range 10 {
		g.after(t, taken, func() { write(strings.Replace(good, "pageSize: 100", fmt.Sprintf("pageSize: %d", 101+i), 1)) })
		line := g.after(t, notTaken, func() { write(good + fmt.Sprintf("colour%d: red\n", i)) })
		if !regexp.MustCompile(fmt.Sprintf(`scimgate\.yaml:\d+:1: colour%d: `, i)).MatchString(line) {
			t.Errorf("the log has %s", line)
		}
	}
	stop.Store(true)
	if <-done == 0 {
		t.Error("nothing was asked meanwhile")
	}
	if now := connected(t, hostOf(g.ldap)); now != connections {
		t.Errorf("%d connections at the directory, %d before", now, connections)
	}
	if a := c.get("/ServiceProviderConfig"); a.at("$.filter.maxResults") != 110.0 {
		t.Errorf("the last good file is not in force: %s", a.raw)
	}
}
