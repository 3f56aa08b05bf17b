package config

import "strings"

// later are the documented keys that this version does not obey. Whoever sets
// one counts on it, so it is refused: a safety belt that is silently ignored is
// worse than none.
var later = []struct {
	shape   string
	refuses func(peek) bool
	what    string // %s stands for the value
}{
	{"tenants[].brake", set, "the brake on mass changes"},
}

func set(v peek) bool { return !v.empty }

// refuseLater is the decoder's refuse.
func refuseLater(shape string, v peek) string {
	for _, l := range later {
		if l.shape == shape && l.refuses(v) {
			what := strings.ReplaceAll(l.what, "%s", v.text)
			return what + " is not available in this version; remove the key"
		}
	}
	return ""
}
