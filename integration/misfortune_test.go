//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// misfortune is what an identity provider believes while wires are cut and gateways die.
type misfortune struct {
	*testing.T
	site    *company
	d       *tree
	wire    *cutter
	gates   []*gate
	random  *rand.Rand
	people  map[string]*believed // by id
	groups  map[string]map[string]bool
	names   map[string]string // of groups
	numbers map[string]string // number by id, for ever
	story   []string
}

type believed struct {
	name, stable string
	active, gone bool
}

func newMisfortune(t *testing.T, seed uint64, change func(*site)) *misfortune {
	m := &misfortune{T: t, random: rand.New(rand.NewPCG(seed, 1)), people: map[string]*believed{}, groups: map[string]map[string]bool{},
		names: map[string]string{}, numbers: map[string]string{}}
	s := stepped(lockStep, `set: {ldap: loginShell, active: /bin/bash, inactive: /sbin/nologin}`, moveStep, leaveStep, scrambleStep)
	s.Template = "misfortune.yaml"
	s.Entries += "\n" + posixCounters
	s.Through = func(address string) string {
		m.wire = newCutter(t, address)
		return m.wire.listener.Addr().String()
	}
	if change != nil {
		change(&s)
	}
	m.site = serve(t, s)
	m.d = m.site.tree(t)
	m.gates = []*gate{m.site.gate}
	m.another()
	return m
}

func (m *misfortune) another() {
	g, err := startServe(m.Context(), m.site.config)
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { _ = g.cmd.Process.Kill() })
	g.of(m.site.server, m.site.token)
	m.gates = append(m.gates, g)
}

func (m *misfortune) note(format string, a ...any) {
	m.story = append(m.story, fmt.Sprintf(format, a...))
}

func (m *misfortune) fail(format string, a ...any) {
	m.Helper()
	from := max(0, len(m.story)-14)
	for _, e := range m.d.search("(objectClass=scimgateObject)", "scimState", "memberUid", "member") {
		m.note("%s %s %v %v", e.DN, e.GetAttributeValue("scimState"), e.GetAttributeValues("memberUid"), e.GetAttributeValues("member"))
	}
	m.Fatalf("%s\n%s", fmt.Sprintf(format, a...), strings.Join(m.story[from:], "\n"))
}

// push sends a request until it is not answered by "later".
func (m *misfortune) push(method, path string, body any) *answer {
	m.Helper()
	if raw, ok := body.([]byte); ok {
		m.note("raw %s", raw)
	}
	if m.random.IntN(2) == 0 {
		n, answered := 1+m.random.IntN(6), m.random.IntN(2) == 0
		m.note("cut at write %d, answered %v", n, answered)
		m.wire.after(n, answered)
	}
	for try := 0; ; try++ {
		g := m.gates[m.random.IntN(len(m.gates))]
		c := g.client(m.T)
		a := c.do(method, path, body)
		cut := m.wire.mend()
		shown, _ := json.Marshal(body)
		if _, ok := body.([]byte); ok {
			shown = nil
		}
		m.note("%s %s %s -> %d %s (cut %v)", method, path, shown, a.status, a.text("$.detail"), cut)
		if a.status == http.StatusInternalServerError {
			m.fail("500: %s", a.raw)
		}
		if cut {
			if m.random.IntN(4) == 0 {
				i := 1 + m.random.IntN(len(m.gates)-1)
				m.note("killed")
				_ = m.gates[i].cmd.Process.Kill()
				m.gates = slices.Delete(m.gates, i, i+1)
				m.another()
			}
			m.well()
		}
		if a.status != http.StatusServiceUnavailable {
			a.header.Set("X-Tries", strconv.Itoa(try))
			return a
		}
		if try > 20 {
			m.fail("never ends")
		}
	}
}

func (m *misfortune) well() {
	for _, g := range m.gates {
		for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			if a, err := g.client(m.T).try("GET", "/Users?count=0", nil); err == nil && a.status == 200 {
				break
			}
			if time.Now().After(end) {
				m.fail("not well again")
			}
		}
	}
}

func (m *misfortune) holder(name string) string {
	for id, p := range m.people {
		if !p.gone && strings.EqualFold(p.name, name) {
			return id
		}
	}
	return ""
}

func (m *misfortune) pick(gone bool) string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(m.people)) {
		if m.people[id].gone == gone {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[m.random.IntN(len(ids))]
}

var unluckyNames = []string{"ann", "Ann", "anna", "bob", "BOB", "bob, jr.", "c#d", "dan", "eve+x", "dan2"}

// live lets the identity provider do something.
func (m *misfortune) live() {
	name := unluckyNames[m.random.IntN(len(unluckyNames))]
	id := m.pick(false)
	var team string
	if teams := slices.Sorted(maps.Keys(m.groups)); len(teams) > 0 {
		team = teams[m.random.IntN(len(teams))]
	}
	switch op := m.random.IntN(14); {
	case op == 0 || id == "":
		m.born(name)
	case op == 1 && len(m.groups) < 3:
		m.founds(id)
	case op <= 4:
		m.wantsOf(m.push("PATCH", "/Users/"+id, []byte(oktaOff)), 200)
		m.people[id].active = false
	case op <= 6:
		m.wantsOf(m.push("PATCH", "/Users/"+id, replaceOf(object{"active": true, "password": oldPass})), 200)
		m.people[id].active = true
	case op <= 8:
		m.renames(id, name)
	case op == 9:
		if a := m.push("DELETE", "/Users/"+id, nil); a.status != 404 || a.header.Get("X-Tries") == "0" {
			m.wantsOf(a, 204)
		}
		m.people[id].gone = true
		for _, members := range m.groups {
			delete(members, id)
		}
	case team != "":
		m.regroups(op, team, id)
	}
	m.check()
}

// replacing is a PATCH without a path.
func replaceOf(values object) object {
	return object{"schemas": []string{patchURN}, "Operations": []object{{"op": "replace", "value": values}}}
}

// born creates somebody, or revives them by their stable key.
func (m *misfortune) born(name string) {
	m.Helper()
	stable, active := "x"+strconv.Itoa(m.random.IntN(8)), m.random.IntN(4) != 0
	a := m.push("POST", "/Users", person(name, object{"externalId": stable, "password": oldPass, "active": active}))
	holder, before := m.holder(name), ""
	for other, p := range m.people {
		if p.stable == stable {
			before = other
		}
	}
	id := a.id()
	switch taken := holder != "" || before != "" && !m.people[before].gone; {
	case a.status == http.StatusConflict && taken:
		return
	case a.status == http.StatusConflict && a.header.Get("X-Tries") != "0": // there since the answer that was lost
		found := m.gates[0].client(m.T).find("Users", fmt.Sprintf("userName eq %q", name))
		if found.total() != 1 {
			m.fail("409 for %s %s and it is not there", name, stable)
		}
		if id = found.ids()[0]; !active { // the next write moves them
			m.wantsOf(m.push("PATCH", "/Users/"+id, []byte(oktaOff)), 200)
		}
	case a.status != http.StatusCreated || taken:
		m.fail("POST: %d %s; holder %q", a.status, a.raw, holder)
	}
	if old := m.people[id]; old != nil && !old.gone || before != "" && before != id {
		m.fail("%s is somebody else, or not revived", id)
	}
	m.people[id] = &believed{name: name, stable: stable, active: active}
}

// founds creates a group.
func (m *misfortune) founds(id string) {
	m.Helper()
	name := "g" + strconv.Itoa(len(m.story))
	a := m.push("POST", "/Groups", group(name, id))
	team := a.id()
	if a.status == http.StatusConflict && a.header.Get("X-Tries") != "0" {
		team = m.gates[0].client(m.T).find("Groups", fmt.Sprintf("displayName eq %q", name)).ids()[0]
		m.wantsOf(m.push("PUT", "/Groups/"+team, group(name, id)), 200)
	} else {
		m.wantsOf(a, 201)
	}
	m.groups[team], m.names[team] = map[string]bool{id: true}, name
}

// renames gives somebody another name, and at times another state with it.
func (m *misfortune) renames(id, name string) {
	m.Helper()
	change, active := object{"userName": name}, m.people[id].active
	if m.random.IntN(2) == 0 {
		active = m.random.IntN(2) == 0
		change["active"], change["password"] = active, oldPass
	}
	a := m.push("PATCH", "/Users/"+id, replaceOf(change))
	if h := m.holder(name); h != "" && h != id {
		m.wantsOf(a, 409)
		return
	}
	m.wantsOf(a, 200)
	m.people[id].name, m.people[id].active = name, active
}

// regroups changes a group.
func (m *misfortune) regroups(op int, team, id string) {
	m.Helper()
	patch := func(operations ...object) {
		m.Helper()
		m.wantsOf(m.push("PATCH", "/Groups/"+team, object{"schemas": []string{patchURN}, "Operations": operations}), 200, 204)
	}
	add := object{"op": "add", "path": "members", "value": values(id)}
	switch op {
	case 10:
		patch(add)
		m.groups[team][id] = true
	case 11:
		patch(object{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", id)})
		delete(m.groups[team], id)
	case 12:
		set := map[string]bool{}
		for _, other := range slices.Sorted(maps.Keys(m.people)) {
			if !m.people[other].gone && m.random.IntN(2) == 0 {
				set[other] = true
			}
		}
		m.wantsOf(m.push("PUT", "/Groups/"+team, group(m.names[team], slices.Sorted(maps.Keys(set))...)), 200)
		m.groups[team] = set
	default:
		name := "g" + strconv.Itoa(len(m.story))
		patch(object{"op": "replace", "path": "displayName", "value": name}, add)
		m.groups[team][id], m.names[team] = true, name
	}
}

func (m *misfortune) wantsOf(a *answer, statuses ...int) {
	m.Helper()
	if !slices.Contains(statuses, a.status) {
		m.fail("%s: %d %s", a.what, a.status, a.raw)
	}
}

// check holds the directory against what the identity provider believes.
func (m *misfortune) check() {
	m.Helper()
	c := m.gates[m.random.IntN(len(m.gates))].client(m.T)
	byNumber := map[string]string{}
	for _, e := range m.d.search("(uidNumber=*)") {
		if strings.HasPrefix(e.DN, "cn=uidNext") {
			continue
		}
		n, id := e.GetAttributeValue("uidNumber"), e.GetAttributeValue("entryUUID")
		if byNumber[n] != "" {
			m.fail("%s twice", n)
		}
		byNumber[n] = id
		if had := m.numbers[n]; had != "" && had != id {
			m.fail("%s again", n)
		}
		m.numbers[n] = id
	}
	for id, p := range m.people {
		e := m.d.entry(id)
		state := e.GetAttributeValue("scimState")
		opens := m.d.canBind(e.DN, oldPass)
		a := c.do("GET", "/Users/"+id, nil)
		switch {
		case p.gone && (opens || a.status != 404):
			m.fail("%s is gone, and %d %v", id, a.status, opens)
		case p.gone:
			continue
		case a.status != 200 || a.text("$.userName") != p.name || a.at("$.active") != p.active:
			m.fail("%s %+v shows %s", id, p, a.raw)
		case p.active && (!strings.HasSuffix(e.DN, ",ou=people,dc=example,dc=org") || e.GetAttributeValue("loginShell") != "/bin/bash" || e.GetAttributeValue(lockAttribute) != ""):
			m.fail("active: %v", without(e))
		case !p.active && (opens || !strings.HasSuffix(e.DN, ","+disabledOU)):
			m.fail("inactive and opens %v: %v", opens, without(e))
		case p.active && (strings.Contains(state, `"left"`) || strings.Contains(state, `"from"`) || strings.Contains(state, `"home"`)):
			m.fail("active with the marker %s", state)
		}
	}
	for id, members := range m.groups {
		var want []string
		for p := range members {
			if m.people[p].active {
				want = append(want, p)
			}
		}
		got := slices.Sorted(slices.Values(c.get("/Groups/" + id).want(200).members()))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			m.fail("group %s has %v, want %v", id, got, want)
		}
		for p, b := range m.people {
			if b.gone {
				continue
			}
			shown := strings.Contains(string(c.get("/Users/"+p).raw), id)
			if shown != slices.Contains(want, p) {
				m.fail("%s %+v shows the group %s: %v", p, b, id, shown)
			}
		}
	}
}

// A life under misfortune: what the identity provider was told is so, whatever was
// cut and killed on the way. SEEDS and FROM draw other lives.
func TestMisfortune(t *testing.T) {
	t.Parallel()
	lives, _ := strconv.Atoi(os.Getenv("SEEDS"))
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	for seed := from; seed < from+max(lives, 1); seed++ {
		for _, groups := range []string{"by value", "by name", "by name with refint"} {
			t.Run(fmt.Sprint(groups, " ", seed), func(t *testing.T) {
				t.Parallel()
				m := newMisfortune(t, uint64(seed), func(s *site) {
					switch groups {
					case "by value":
						s.GroupClass, s.Member, s.EmptyMember = "posixGroup", "memberUid", ""
					case "by name with refint":
						s.Overlays = []string{"refint", "memberof"}
					}
				})
				for range 60 {
					m.live()
				}
			})
		}
	}
}
