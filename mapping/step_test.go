package mapping

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scimgate/internal/directory"
)

const (
	shell   = "loginShell"
	control = "userAccountControl"
	away    = "ou=disabled,dc=example,dc=org"
	home    = "ou=people,dc=example,dc=org"
)

// withSteps is people with steps in place of the lock.
func withSteps(steps ...StepConfig) Config {
	c := people()
	c.Deactivate = steps
	return c
}

var (
	shellStep    = StepConfig{Set: &SetConfig{LDAP: shell, Inactive: "/bin/false"}}
	bitOf        = StepConfig{Bit: &BitConfig{LDAP: control, Bit: 2, Initial: 512}}
	moveAwayStep = StepConfig{Move: &MoveConfig{To: away}}
	leaveStep    = StepConfig{Leave: &LeaveConfig{}}
	scrambleOf   = StepConfig{Scramble: &ScrambleStep{LDAP: "userPassword"}}
)

// Every kind of step that works on the entry, in every state that it can meet.
func TestKindsAndStates(t *testing.T) {
	yes, no := true, false
	none := map[string][]string(nil)
	bit := map[string][]string{control: {}}
	for _, tc := range []struct {
		name     string
		step     StepConfig
		override bool
		state    directory.State
		values   []string // of the step's attribute
		undo     map[string][]string
		dn, home string
		active   *bool

		mods, unlock []directory.Mod
		wantUndo     map[string][]string
		move, noted  string
	}{
		{name: "set: on, by hand in a spelling of their own, override", step: shellStep, override: true, state: directory.Active, values: []string{"/bin/FALSE"}, active: &yes,
			unlock: []directory.Mod{del(shell, "/bin/FALSE")}, wantUndo: none},
		{name: "set: on, noted in a spelling of their own, override", step: shellStep, override: true, state: directory.Inactive, values: []string{"/bin/false"},
			undo: map[string][]string{shell: {"/bin/FALSE"}}, active: &yes, unlock: []directory.Mod{del(shell, "/bin/false")}, wantUndo: none},
		{name: "set: on, noted in a spelling of their own, kept", step: shellStep, state: directory.Inactive, values: []string{"/bin/false"},
			undo: map[string][]string{shell: {"/bin/FALSE"}}, active: &yes, unlock: []directory.Mod{del(shell, "/bin/false"), add(shell, "/bin/FALSE")}, wantUndo: none},
		{name: "bit: off", step: bitOf, state: directory.Active, values: []string{"66048"}, active: &no,
			mods: []directory.Mod{del(control, "66048"), add(control, "66050")}, wantUndo: bit},
		{name: "bit: off again", step: bitOf, state: directory.Inactive, values: []string{"514"}, undo: bit, active: &no, wantUndo: bit},
		{name: "bit: off, set by hand", step: bitOf, state: directory.Active, values: []string{"514"}, active: &no, wantUndo: none},
		{name: "bit: off, nothing there", step: bitOf, state: directory.Active, active: &no, mods: []directory.Mod{add(control, "514")}, wantUndo: bit},
		{name: "bit: off, no number there", step: bitOf, state: directory.Active, values: []string{"x"}, active: &no,
			mods: []directory.Mod{del(control, "x"), add(control, "514")}, wantUndo: bit},
		{name: "bit: off, below zero", step: bitOf, state: directory.Active, values: []string{"-2147483646"}, active: &no, wantUndo: none},
		{name: "bit: on", step: bitOf, state: directory.Inactive, values: []string{"514"}, undo: bit, active: &yes,
			unlock: []directory.Mod{del(control, "514"), add(control, "512")}},
		{name: "bit: on, another bit came", step: bitOf, state: directory.Inactive, values: []string{"66050"}, undo: bit, active: &yes,
			unlock: []directory.Mod{del(control, "66050"), add(control, "66048")}},
		{name: "bit: on, cleared by hand", step: bitOf, state: directory.Inactive, values: []string{"512"}, undo: bit, active: &yes},
		{name: "bit: on, not ours", step: bitOf, state: directory.Inactive, values: []string{"514"}, active: &yes},
		{name: "bit: on, override", step: bitOf, override: true, state: directory.Active, values: []string{"514"}, active: &yes,
			unlock: []directory.Mod{del(control, "514"), add(control, "512")}},
		{name: "bit: silence, cleared by hand", step: bitOf, state: directory.Inactive, values: []string{"512"}, undo: bit,
			mods: []directory.Mod{del(control, "512"), add(control, "514")}, wantUndo: bit},

		{name: "move: off", step: moveAwayStep, state: directory.Active, active: &no, move: away, noted: home},
		{name: "move: off again", step: moveAwayStep, state: directory.Inactive, dn: "uid=ann," + away, home: home, active: &no, noted: home},
		{name: "move: off, there by hand", step: moveAwayStep, state: directory.Active, dn: "uid=ann,ou=x," + away, active: &no},
		{name: "move: on", step: moveAwayStep, state: directory.Inactive, dn: "uid=ann," + away, home: home, active: &yes, move: home},
		{name: "move: on, deeper", step: moveAwayStep, state: directory.Inactive, dn: "uid=ann,OU=x," + strings.ToUpper(away), home: home, active: &yes, move: home},
		{name: "move: on, out by hand", step: moveAwayStep, state: directory.Inactive, home: "ou=elsewhere", active: &yes},
		{name: "move: on, not ours", step: moveAwayStep, state: directory.Inactive, dn: "uid=ann," + away, active: &yes},
		{name: "move: on, override", step: moveAwayStep, override: true, state: directory.Active, dn: "uid=ann," + away, active: &yes, move: home},
		{name: "move: silence, out by hand", step: moveAwayStep, state: directory.Inactive, home: "ou=elsewhere", move: away, noted: home},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := withSteps(tc.step)
			if tc.override {
				cfg.OnForeignLock = ForeignLockOverride
			}
			m := compile(t, cfg, "User")
			attribute := control
			if tc.step.Set != nil {
				attribute = tc.step.Set.LDAP
			}
			old := entry(tc.state, directory.Attributes{attribute: tc.values})
			if tc.dn != "" {
				old.DN = tc.dn
			}
			old.Marker.Undo, old.Marker.Home = tc.undo, tc.home
			want := mustWant(t, m, annBody)
			want.Active = tc.active
			c := m.Change(old, nil, want, stamp)
			same(t, c.Mods, tc.mods)
			same(t, c.Unlock, tc.unlock)
			same(t, c.Marker.Undo, tc.wantUndo)
			same(t, c.Move, tc.move)
			same(t, c.Marker.Home, tc.noted)
			sameUndo(t, old.Marker.Undo, tc.undo)
		})
	}
}

// A new entry begins with the values of its state, and is moved once it is there.
func TestNewEntriesAndSteps(t *testing.T) {
	m := compile(t, withSteps(bitOf, shellStep, moveAwayStep, leaveStep, scrambleOf), "User")
	on := m.Create(mustWant(t, m, `{"userName":"ann","password":"own"}`), stamp)
	same(t, on.Attributes[control], []string{"512"})
	same(t, on.Attributes[shell], []string(nil))
	off := m.Create(mustWant(t, m, `{"userName":"ann","password":"own","active":false}`), Stamp{Secret: "random"})
	same(t, off.Attributes[control], []string{"514"})
	same(t, off.Attributes[shell], []string{"/bin/false"})
	same(t, off.Attributes["userPassword"], []string{"own"})
	same(t, off.Marker.Undo, map[string][]string{control: {}, shell: {}})
	made := entry(directory.Inactive, off.Attributes)
	made.Marker.Undo = off.Marker.Undo
	if m.Locked(made) {
		t.Error("locked where active entries are")
	}
	c := m.Lock(made, directory.Inactive, stamp)
	same(t, c.Mods, []directory.Mod(nil))
	same(t, c.Move, away)
	made.DN = "uid=ann," + away
	if !m.Locked(made) {
		t.Error("not locked in the place of the inactive")
	}
}

// The random password is written once, on the way from active to anything else,
// before the lock that it could lift; it wins over one that comes with it.
func TestScrambleHappensOnce(t *testing.T) {
	m := compile(t, withSteps(people().Deactivate[0], scrambleOf), "User")
	random := Stamp{Request: "r2", Now: stamp.Now, Secret: "random"}
	secret := set("userPassword", "random")
	lockIt, relock := add(lock, lockedForever), []directory.Mod{del(lock, lockedForever), add(lock, lockedForever)}
	off := mustWant(t, m, body(`"active":false,"password":"new"`))
	same(t, m.Change(entry(directory.Active, nil), nil, off, random).Mods, []directory.Mod{secret, lockIt})
	byHand := entry(directory.Active, directory.Attributes{lock: {lockedForever}})
	same(t, m.Change(byHand, nil, off, random).Mods, slices.Concat([]directory.Mod{secret}, relock))
	same(t, m.Lock(entry(directory.Active, nil), directory.Deleting, random).Mods, []directory.Mod{secret, lockIt})

	locked := entry(directory.Inactive, directory.Attributes{lock: {lockedForever}})
	same(t, m.Change(locked, nil, mustWant(t, m, body(`"active":false`)), random).Mods, []directory.Mod(nil))
	same(t, m.Change(locked, nil, off, random).Mods, slices.Concat([]directory.Mod{set("userPassword", "new")}, relock))
	same(t, m.Lock(locked, directory.Deleted, random).Mods, []directory.Mod(nil))

	// With a move it comes with the lock, before the move.
	m = compile(t, withSteps(people().Deactivate[0], moveAwayStep, scrambleOf), "User")
	c := m.Change(entry(directory.Active, nil), nil, off, random)
	same(t, c.Mods, []directory.Mod{secret, lockIt})
	same(t, c.Unlock, []directory.Mod(nil))
}

// A name that was taken in the place is given up there and nowhere else.
func TestSpareName(t *testing.T) {
	cfg := withSteps(people().Deactivate[0], moveAwayStep)
	cfg.RDN.LDAP = "cn"
	m := compile(t, cfg, "User")
	long := strings.Repeat("ü", 70)
	old := entry(directory.Active, directory.Attributes{"cn": {long}})
	c := m.Lock(old, directory.Inactive, stamp)
	if got := []rune(c.Spare); len(got) != longestSpare || !strings.HasSuffix(c.Spare, "-id-ann") {
		t.Errorf("the spare name is %q", c.Spare)
	}
	gone := entry(directory.Inactive, directory.Attributes{"cn": {"Ann Lee-id-ann"}, lock: {lockedForever}, "displayName": {"Ann Lee"}})
	gone.DN, gone.Marker.Home, gone.Marker.Called, gone.Marker.Undo = "cn=Ann Lee-id-ann,"+away, home, "Ann Lee", undoes()
	silent := mustWant(t, m, body(`"displayName":"Ann Lee"`))
	if c := m.Change(gone, nil, silent, stamp); !c.Empty() || c.Keys != nil {
		t.Errorf("a write of the same changes %+v", c)
	}
	c = m.Change(gone, nil, mustWant(t, m, body(`"displayName":"Ann Lee","active":true`)), stamp)
	same(t, []string{c.Name, c.Move, c.Spare, c.Marker.Called}, []string{"Ann Lee", home, "Ann Lee-id-ann", ""})
	c = m.Change(gone, nil, mustWant(t, m, body(`"displayName":"Ann Other"`)), stamp)
	same(t, []string{c.Name, c.Move, c.Marker.Called}, []string{"Ann Other", "", ""})
	same(t, m.called(gone), "Ann Lee")
	gone.Attributes["cn"] = []string{"Renamed"}
	same(t, m.called(gone), "Renamed")
	// A name that has to be unique is not given up.
	same(t, compile(t, withSteps(people().Deactivate[0], moveAwayStep), "User").Lock(old, directory.Inactive, stamp).Spare, "")
}

// Whatever happens to an entry by hand and over SCIM, what the gateway undoes is
// what it did: other bits, other shells and other places are nobody's but theirs
// who set them.
func TestUndoGivesBackWhatWasThere(t *testing.T) {
	m := compile(t, withSteps(shellStep, bitOf, moveAwayStep), "User")
	rapid.Check(t, func(r *rapid.T) {
		e := entry(directory.Active, nil)
		e.Attributes[control] = []string{strconv.Itoa(rapid.IntRange(0, 1<<20).Draw(r, "flags") &^ 2)}
		if s := rapid.SampledFrom([]string{"", "/bin/sh", "/bin/zsh"}).Draw(r, "shell"); s != "" {
			e.Attributes[shell] = []string{s}
		}
		e.DN = "uid=ann," + rapid.SampledFrom([]string{home, "ou=sales," + home}).Draw(r, "home")
		flags, shells, dn := e.Attributes[control][0], e.Attributes[shell], e.DN
		for range rapid.IntRange(1, 5).Draw(r, "times") {
			e = changed(m, e, rapid.SampledFrom([]string{"off", "silence"}).Draw(r, "request"))
			if e.Marker.State == directory.Inactive && !m.Locked(e) {
				r.Fatalf("inactive and not locked: %+v", e)
			}
			if rapid.Bool().Draw(r, "bit by hand") && e.Marker.State == directory.Inactive {
				n, _ := strconv.Atoi(e.Attributes[control][0])
				n ^= 1 << 16
				e.Attributes[control] = []string{strconv.Itoa(n)}
				f, _ := strconv.Atoi(flags)
				flags = strconv.Itoa(f ^ 1<<16)
			}
		}
		e = changed(m, e, "on")
		if e.Attributes[control][0] != flags || !slices.Equal(e.Attributes[shell], shells) || e.DN != dn {
			r.Fatalf("%s %v %v became %s %v %v", dn, flags, shells, e.DN, e.Attributes[control], e.Attributes[shell])
		}
	})
}

// changed makes a change in memory.
func changed(m *Mapping, e directory.Entry, request string) directory.Entry {
	want := Want{Name: "ann", Attributes: directory.Attributes{"uid": {"ann"}, "scimExternalId": {"00u1"}, "sn": {"ann"}, "cn": {"ann"}}}
	if request != "silence" {
		on := request == "on"
		want.Active = &on
	}
	c := m.Change(e, nil, want, stamp)
	e.Attributes = e.Attributes.Clone()
	for _, mod := range slices.Concat(c.Mods, c.Unlock) {
		switch mod.Op {
		case directory.ModDelete:
			e.Attributes[mod.Attribute] = slices.DeleteFunc(e.Attributes[mod.Attribute], func(v string) bool { return slices.Contains(mod.Values, v) })
		case directory.ModAdd:
			e.Attributes[mod.Attribute] = append(e.Attributes[mod.Attribute], mod.Values...)
		case directory.ModReplace:
			e.Attributes[mod.Attribute] = mod.Values
		}
	}
	if len(e.Attributes[shell]) == 0 {
		delete(e.Attributes, shell)
	}
	if c.Move != "" {
		e.DN = "uid=ann," + c.Move
	}
	e.Marker = c.Marker
	return e
}

// What a directory refuses of the steps is left out, and nothing else is.
func TestLesser(t *testing.T) {
	m := compile(t, withSteps(shellStep, moveAwayStep, leaveStep, scrambleOf), "User")
	old := entry(directory.Active, nil)
	c := m.Lock(old, directory.Inactive, Stamp{Secret: "random"})
	c.Marker.Left = []string{"a", "b", "c"}
	refusal := func(kind directory.Kind, attribute string) error {
		return &directory.Error{Kind: kind, Attribute: attribute}
	}
	got, what := m.Lesser(old, c, refusal(directory.Exists, ""))
	if got.Move != "" || got.Marker.Home != "" || len(got.Mods) != len(c.Mods) || what == "" {
		t.Errorf("%s: %+v", what, got)
	}
	got, _ = m.Lesser(old, c, refusal(directory.Invalid, "userPassword"))
	same(t, got.Mods, []directory.Mod{add(shell, "/bin/false")})
	if len(c.Mods) < 2 {
		t.Error("the change itself lost something")
	}
	got, _ = m.Lesser(old, got, refusal(directory.Invalid, "scimState"))
	same(t, got.Marker.Left, []string{"a"})
	got, _ = m.Lesser(old, got, refusal(directory.Invalid, ""))
	same(t, got.Marker.Left, []string{})
	full := old
	full.Marker.Left = []string{"a", "b"}
	more := directory.Change{Marker: full.Marker}
	more.Marker.State, more.Marker.Left = directory.Inactive, []string{"a", "b", "c"}
	for _, want := range [][]string{{"a", "b"}, {"a"}, {}} {
		more, _ = m.Lesser(full, more, refusal(directory.Invalid, "scimState"))
		same(t, more.Marker.Left, want)
	}
	for _, err := range []error{refusal(directory.Invalid, ""), refusal(directory.Invalid, "mail"), refusal(directory.Unavailable, ""), refusal(directory.Changed, "")} {
		if _, what := m.Lesser(old, got, err); what != "" {
			t.Errorf("%v: left out %s", err, what)
		}
	}
}

// The faults of steps stand at their keys.
func TestStepFaults(t *testing.T) {
	for _, tc := range []struct{ key, words string }{{"deactivate[0].move.to", "base"}, {"deactivate[1].scramble.ldap", "no passwords"}} {
		c := withSteps(StepConfig{Move: &MoveConfig{To: "OU=people, dc=example,dc=org"}}, StepConfig{Scramble: &ScrambleStep{LDAP: "title"}})
		faults := c.Validate("User")
		if !slices.ContainsFunc(faults, func(f directory.Fault) bool { return f.Key == tc.key && strings.Contains(f.Problem, tc.words) }) {
			t.Errorf("no fault at %s in %v", tc.key, faults)
		}
	}
	below := withSteps(shellStep, StepConfig{Move: &MoveConfig{To: "ou=disabled," + home}})
	if faults := below.Validate("User"); len(faults) > 0 {
		t.Errorf("a place below the base: %v", faults)
	}
	same(t, compile(t, below, "User").Collection().Trees(), []string{home})
	same(t, compile(t, withSteps(moveAwayStep), "User").Collection().Trees(), []string{home, away})
	if w := withSteps(moveAwayStep, scrambleOf).Warnings(); len(w) != 2 {
		t.Errorf("warnings are %v", w)
	}
}
