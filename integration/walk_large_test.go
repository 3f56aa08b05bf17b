//go:build integration && large

package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// A list of 100,000 people is walked by index, by cursor and sorted: everybody
// once, while others are being created and renamed, and the last page costs what
// the first later one does.
func TestLargeWalk(t *testing.T) {
	const many, pageSize = 100_000, 500
	s, people := crowded(t, many, pageSize)
	var wire *proxy
	s.Through = func(address string) string {
		wire = newProxy(t, address)
		return wire.address()
	}
	g := serve(t, s)
	c := g.client(t)
	costsOfPages(t, c, wire, pageSize)
	t.Logf("the gateway after these: %s", memoryOf(t, g.cmd.Process.Pid))
	walkAll(t, c, people, pageSize)
	t.Logf("the gateway after all walks: %s", memoryOf(t, g.cmd.Process.Pid))
}

// memoryOf tells what memory a process has and had at most.
func memoryOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "unknown: " + err.Error()
	}
	var facts []string
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") {
			facts = append(facts, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(facts, ", ")
}
