package scim

import (
	"flag"
	"os"
	"testing"
)

// A property that fails prints the seed that repeats it; files in the tree are
// not needed for that. -rapid.checks=20000 looks longer.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.checks": "500"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
