package ldapsink

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"scimgate/internal/directory"
)

func TestSimplified(t *testing.T) {
	all, none := directory.Filter{Op: directory.All}, directory.Filter{Op: directory.None}
	x, y := directory.Eq("uid", "x"), directory.Eq("uid", "y")
	for _, tc := range []struct {
		name    string
		f, want directory.Filter
	}{
		{"what is not one of two nothings", directory.OrOf(x, directory.NotOf(directory.OrOf(none, none))), all},
		{"all and something", directory.AndOf(all, x, directory.NotOf(none)), x},
		{"nothing and something", directory.AndOf(x, none), none},
		{"nothing or something", directory.OrOf(none, x, y), directory.OrOf(x, y)},
		{"neither", directory.NotOf(directory.OrOf(x, none)), directory.NotOf(x)},
		{"not all", directory.NotOf(directory.AndOf(all)), none},
		{"none of several", directory.OrOf(x, directory.NotOf(directory.OrOf(y, none, directory.NotOf(x)))),
			directory.OrOf(x, directory.AndOf(directory.NotOf(y), x))},
		{"not all of several", directory.NotOf(directory.AndOf(x, y)), directory.OrOf(directory.NotOf(x), directory.NotOf(y))},
		{"a negation that is refused", directory.NotOf(directory.Filter{Op: directory.Not}), directory.NotOf(directory.Filter{Op: directory.Not})},
		{"no part at all", directory.AndOf(), all},
		{"nothing to do", directory.AndOf(x, directory.NotOf(y)), directory.AndOf(x, directory.NotOf(y))},
	} {
		if diff := cmp.Diff(tc.want, simplified(tc.f)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.name, diff)
		}
	}
}
