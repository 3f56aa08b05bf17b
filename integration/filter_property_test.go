//go:build integration

package integration

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
)

var (
	filterSeed  = flag.Uint64("filter.seed", 0, "seed of TestFiltersEqualTheModel; 0 = another each time")
	filterCount = flag.Int("filter.count", here.filters, "how many filters TestFiltersEqualTheModel tries")
)

// nastyValues have what some layer between a filter and the directory gives a
// meaning to, and letters whose case or form is not simple.
var nastyValues = []string{
	"*", "a*b", "(", ")", "()", `\`, `\2a`, `a\b`, `"`, `say "x"`, "'", "+", ",", "#", "#x", "a,b", "a+b", "a=b", ";", "<>", "&|!", "%", "%20", "%2A",
	" lead", "trail ", "  both  ", "two  blanks", "two blanks", "a b", "A B", "tab\there", "line\nbreak", "\x01\x1f", "\u00a0nbsp", "\u200bzero",
	"M\u00fcller", "Mu\u0308ller", "m\u00dcLLER", "stra\u00dfe", "STRASSE", "strasse", "\u1e9e", "\u0131s", "is", "IS", "\u0130S", "\u03bf\u03b4\u03cc\u03c2", "\u039f\u0394\u038c\u03a3", "\u03bf\u03b4\u03cc\u03c3",
	"\u017fet", "set", "\u212aelvin", "kelvin", "\u00b5m", "\u03bcm", "\ufb01ne", "fine", "\u00c5ngstr\u00f6m", "\u212bngstr\u00f6m", "\u540d\u524d", "\u30ab", "\uff76", "\uff21b", "Ab",
	"\U0001f469\u200d\U0001f4bb", "\U00010400", "\U00010428", "\u10d0", "\u1c90", "42", "042", "4.2", "1e3", "-7", "true", "True", "FALSE", "null", "2011-05-13T04:42:34Z", "and", "or", "not (x)",
	"x eq \"y\"", "[type eq \"work\"]", strings.Repeat("long", 55), strings.Repeat("\u00fc", 80), "O'Malley", "a", "A", "b", "z", "Z", "_", "^",
}

// filteredPeople makes people and groups whose values are nasty.
func filteredPeople(t *testing.T, c *client, rng *rand.Rand) {
	t.Helper()
	value := func() string {
		for {
			v := nastyValues[rng.IntN(len(nastyValues))]
			long := here.longest > 0 && len([]rune(v)) > here.longest-2
			foreign := here.bytewise && strings.IndexFunc(v, func(r rune) bool { return r > unicode.MaxASCII }) >= 0
			if !long && !foreign {
				return v
			}
		}
	}
	ascii := func() string {
		for {
			if v := value(); strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && strings.TrimSpace(v) != "" {
				return v
			}
		}
	}
	var ids []string
	for i := range 60 {
		p := object{"userName": fmt.Sprintf("%s%02d", nastyValues[i%len(nastyValues)], i), "active": rng.IntN(4) > 0}
		if name := p["userName"].(string); users.refused(name) || here.longest > 0 && len([]rune(name)) > here.longest {
			p["userName"] = fmt.Sprintf("plain%02d", i)
		}
		set := func(likely int, key string, v any) {
			if rng.IntN(10) < likely {
				p[key] = v
			}
		}
		set(7, "externalId", fmt.Sprintf("%s%d", value(), i))
		set(7, "name", object{"givenName": value(), "familyName": value(), "middleName": value()})
		set(8, "displayName", value())
		set(8, "title", value())
		set(6, "nickName", value())
		set(5, "userType", value())
		set(4, "profileUrl", "https://Example.org/"+ascii())
		set(4, "locale", value())
		set(6, "emails", []object{{"type": "work", "value": ascii() + "@example.org", "primary": true}, {"type": "home", "value": ascii()}})
		set(5, "phoneNumbers", []object{{"type": "work", "value": fmt.Sprintf("+1 555 %d", i%7)}, {"type": "mobile", "value": "555-0100"}})
		set(5, "addresses", []object{{"type": "work", "locality": value(), "country": "DE", "postalCode": fmt.Sprint(i % 9)}})
		enterprise := object{"department": value(), "employeeNumber": fmt.Sprint(i % 5), "costCenter": value()}
		if len(ids) > 0 && rng.IntN(2) == 0 {
			enterprise["manager"] = object{"value": ids[rng.IntN(len(ids))]}
		}
		set(7, enterpriseURN, enterprise)
		a := c.post("/Users", p)
		if a.status != http.StatusCreated {
			t.Fatalf("%v: %d %s", p, a.status, a.raw)
		}
		ids = append(ids, a.id())
	}
	for i := range 12 {
		var members []string
		for range rng.IntN(6) {
			members = append(members, ids[rng.IntN(len(ids))])
		}
		g := group(fmt.Sprintf("%s%02d", value(), i), members...)
		if rng.IntN(2) == 0 {
			g["externalId"] = fmt.Sprintf("%s%d", value(), i)
		}
		a := c.post("/Groups", g)
		if a.status != http.StatusCreated {
			t.Fatalf("%v: %d %s", g, a.status, a.raw)
		}
		ids = append(ids, a.id()) // groups are members of later ones
	}
	for range 3 { // and later ones of them, in circles
		from, to := ids[60+rng.IntN(12)], ids[60+rng.IntN(12)]
		c.patch("/Groups/"+from, object{"op": "add", "path": "members", "value": values(to)}).want(http.StatusOK, http.StatusNoContent)
	}
}

// The gateway's answer to any filter is what RFC 7644 says of the resources
// that it shows. The seed that a failure names repeats it: -filter.seed.
func TestFiltersEqualTheModel(t *testing.T) {
	t.Parallel()
	seed := drawnSeed()
	g := fresh(t)
	c := g.client(t)
	filteredPeople(t, c, rand.New(rand.NewPCG(seed, 0)))
	for endpoint, schemas := range map[string][]string{"Users": {userURN, enterpriseURN}, "Groups": {groupURN}} {
		t.Run(endpoint, func(t *testing.T) {
			// What members are called shows where it is asked for, and can be filtered by always.
			shown := strings.Join(append(schemas, "members.display"), ",")
			resources := c.in(t).get("/" + endpoint + "?count=1000&attributes=" + shown).want(http.StatusOK).resources()
			if len(resources) < 12 {
				t.Fatalf("%d resources", len(resources))
			}
			m := newFilterModel(c.in(t), seed, resources, schemas[0], schemas[1:]...)
			count := *filterCount
			if endpoint == "Groups" {
				count /= 3
			}
			holdAgainst(t, c.in(t), m, endpoint, count)
		})
	}
}

func drawnSeed() uint64 {
	if *filterSeed != 0 {
		return *filterSeed
	}
	return uint64(time.Now().UnixNano())
}

// holdAgainst tries so many filters, some of them in every form of a list.
func holdAgainst(t *testing.T, c *client, m *filterModel, endpoint string, count int) {
	t.Helper()
	filters := make([]filter, count)
	for i := range filters {
		filters[i] = m.draw(m.IntN(4), m.leaf)
	}
	compareFilters(t, c, m.seed, endpoint, m.resources, filters)
	compareLists(t, c, m, endpoint, filters[:count/15])
}

func compareFilters(t *testing.T, c *client, seed uint64, endpoint string, resources []object, filters []filter) {
	t.Helper()
	var mu sync.Mutex
	failures, hits := 0, 0
	together(4, func(w int) {
		for i := w; i < len(filters); i += 4 {
			f := filters[i]
			query := url.QueryEscape(f.text)
			if i%2 == 0 {
				query = strings.ReplaceAll(query, "+", "%20")
			}
			var want []string
			for _, r := range resources {
				if f.match(r) {
					want = append(want, r["id"].(string))
				}
			}
			a, err := c.try("GET", "/"+endpoint+"?count=1000&attributes=id&filter="+query, nil)
			mu.Lock()
			hits += len(want)
			if err != nil || a.status != http.StatusOK {
				failures++
				t.Errorf("seed %d: %s: %v %s", seed, f.text, err, a.raw)
			} else if got := a.ids(); !equalSets(got, want) {
				failures++
				t.Errorf("seed %d: %s:\nfound %v\nwant  %v", seed, f.text, named(resources, got, want), named(resources, want, got))
			}
			enough := failures > 12
			mu.Unlock()
			if enough {
				return
			}
		}
	})
	if hits == 0 {
		t.Error("no filter matches anything")
	}
}

func equalSets(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// named shows the resources with ids that the others lack.
func named(resources []object, ids, others []string) string {
	var b strings.Builder
	for _, r := range resources {
		id, _ := r["id"].(string)
		if slices.Contains(ids, id) && !slices.Contains(others, id) && b.Len() < 1500 {
			fmt.Fprintf(&b, "%.700s\n", text(r))
		}
	}
	return fmt.Sprintf("%d, of which the other has not:\n%s", len(ids), b.String())
}
