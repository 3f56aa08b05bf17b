//go:build integration

package integration

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// typedThings makes devices and people with values of every type, and groups
// that hold them.
func typedThings(t *testing.T, c *client, rng *rand.Rand) {
	t.Helper()
	value := func() string { return nastyValues[rng.IntN(len(nastyValues))] }
	code := func(i int) string { return fmt.Sprintf("%c%d", "abAB"[rng.IntN(4)], i) }
	moment := func() string {
		at := time.Date(2026, 5, 6, 7, 8, rng.IntN(3), rng.IntN(3)*250_000_000, time.UTC)
		return at.In(time.FixedZone("", 3600*rng.IntN(3))).Format(time.RFC3339Nano)
	}
	make := func(endpoint string, res object) string {
		a := c.post("/"+endpoint, res)
		if a.status != http.StatusCreated {
			t.Fatalf("%v: %d %s", res, a.status, a.raw)
		}
		return a.id()
	}
	var devices, people []string
	for i := range 12 {
		d := object{"schemas": []string{deviceURN}, "label": fmt.Sprintf("%s%02d", value(), i), "serial": code(i), "bought": moment(), "parts": []any{rng.IntN(4), 0.5}}
		if len(people) > 0 {
			d["owner"] = object{"value": people[rng.IntN(len(people))]}
		}
		devices = append(devices, make("Devices", d))
		values := object{"desk": value()}
		for name, v := range map[string]any{
			"plates": []string{code(0), code(1)}, "colour": []string{"Red", "green"}[rng.IntN(2)], "armed": rng.IntN(2) == 0, "level": rng.IntN(7) - 3,
			"rates": []any{float64(rng.IntN(5)) / 2, 2000}, "photo": base64.StdEncoding.EncodeToString([]byte{0xff, 0xd8, 0xfb, byte(rng.IntN(3))}),
			"homepage": "https://example.org/~" + code(i%3), "device": object{"value": devices[rng.IntN(len(devices))]},
			"access": []object{{"value": devices[rng.IntN(len(devices))]}}, "badge": object{"number": code(i), "issued": moment()},
			"doors": []object{{"type": "front", "value": code(i % 4)}, {"type": "back", "value": code(i % 3)}},
		} {
			if rng.IntN(3) > 0 {
				values[name] = v
			}
		}
		people = append(people, make("Users", badged(fmt.Sprintf("%s%02d", value(), i), values, object{"title": value(), "displayName": value()})))
	}
	for i := range 6 {
		g := group(fmt.Sprintf("%s%02d", value(), i), people[rng.IntN(len(people))], devices[rng.IntN(len(devices))])
		g["schemas"] = []string{groupURN, badgeURN}
		g[badgeURN] = object{"level": i % 3, "floor": value()}
		make("Groups", g)
	}
}

// The same holds for attributes of every type, in extensions and in types of
// the operator's own.
func TestFiltersOfEveryTypeEqualTheModel(t *testing.T) {
	t.Parallel()
	seed := drawnSeed()
	c := typed(t).client(t)
	typedThings(t, c, rand.New(rand.NewPCG(seed, 0)))
	for endpoint, shown := range map[string][]string{
		"Users": {userURN, enterpriseURN, badgeURN}, "Devices": {deviceURN}, "Groups": {groupURN},
	} {
		t.Run(endpoint, func(t *testing.T) {
			asked := append([]string{"title", badgeURN + ":photo", "members.display"}, shown...)
			resources := c.in(t).get("/" + endpoint + "?count=1000&attributes=" + url.QueryEscape(strings.Join(asked, ","))).want(http.StatusOK).resources()
			m := newFilterModel(c.in(t), seed, resources, shown[0], shown[1:]...)
			holdAgainst(t, c.in(t), m, endpoint, *filterCount/3)
		})
	}
}
