package scim

import (
	"flag"
	"os"
	"testing"
)

// A property that fails prints the seed that repeats it; files in the tree are
// not needed for that.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
