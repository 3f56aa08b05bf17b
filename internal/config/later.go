package config

import (
	"slices"
	"strings"
)

// later are the documented keys that this version does not obey. Whoever sets
// one counts on it, so it is refused: a safety belt that is silently ignored is
// worse than none.
var later = []struct {
	shape   string
	refuses func(peek) bool
	what    string // %s stands for the value
}{
	{"server.tls.clientCAFile", set, "checking the clients' certificates"},
	{"log.provisioning", set, "the provisioning log"},
	{"log.keepFailedBodies", set, "keeping the bodies of failed requests"},
	{"server.trustedProxies", set, "trusting the headers of a proxy"},
	{"tenants[].oidc", set, "taking JWT access tokens"},
	{"tenants[].profile", oneOf("aws", "cloudsso", "scimsetup"), "the profile %s"},
}

func set(v peek) bool { return !v.empty }

func oneOf(values ...string) func(peek) bool {
	return func(v peek) bool { return slices.Contains(values, v.text) }
}

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
