package mapping

import (
	"slices"
	"testing"

	"scimgate/internal/directory"
)

const (
	lock    = "pwdAccountLockedTime"
	byHand  = lockedForever     // what an administrator sets, and what the gateway sets
	timed   = "20260101000000Z" // what a password policy sets
	another = "20260202000000Z"
)

func undoes(values ...string) map[string][]string { return map[string][]string{lock: values} }

// Every way from state to state, with the gateway's lock, somebody else's, and
// none. locks are the values of the lock before; undo is what the marker knows.
func TestActiveAndInactive(t *testing.T) {
	yes, no := true, false
	for _, tc := range []struct {
		name     string
		override bool
		state    directory.State
		locks    []string
		undo     map[string][]string
		active   *bool // as the request has it

		wantState  directory.State
		mods       []directory.Mod
		unlock     []directory.Mod
		wantUndo   map[string][]string
		wantedKept bool // Since stays
	}{
		{name: "deactivate", state: directory.Active, active: &no,
			wantState: directory.Inactive, mods: []directory.Mod{add(lock, lockedForever)}, wantUndo: undoes()},
		{name: "deactivate again", state: directory.Inactive, locks: []string{lockedForever}, undo: undoes(), active: &no,
			wantState: directory.Inactive, wantUndo: undoes(), wantedKept: true},
		{name: "activate", state: directory.Inactive, locks: []string{lockedForever}, undo: undoes(), active: &yes,
			wantState: directory.Active, unlock: []directory.Mod{del(lock, lockedForever)}},
		{name: "activate again", state: directory.Active, active: &yes, wantState: directory.Active, wantedKept: true},
		{name: "active left out, active", state: directory.Active, wantState: directory.Active, wantedKept: true},
		{name: "active left out, inactive", state: directory.Inactive, locks: []string{lockedForever}, undo: undoes(),
			wantState: directory.Inactive, wantUndo: undoes(), wantedKept: true},

		{name: "locked by hand, active again", state: directory.Active, locks: []string{byHand}, active: &yes,
			wantState: directory.Active, wantedKept: true},
		{name: "locked by policy, active again", state: directory.Active, locks: []string{timed}, active: &yes,
			wantState: directory.Active, wantedKept: true},
		{name: "locked by hand, then deactivated", state: directory.Active, locks: []string{byHand}, active: &no,
			wantState: directory.Inactive},
		{name: "locked by hand, deactivated, activated", state: directory.Inactive, locks: []string{byHand}, active: &yes,
			wantState: directory.Active},
		{name: "locked by policy, then deactivated", state: directory.Active, locks: []string{timed}, active: &no,
			wantState: directory.Inactive, mods: []directory.Mod{del(lock, timed), add(lock, lockedForever)}, wantUndo: undoes(timed)},
		{name: "locked by policy, deactivated, activated", state: directory.Inactive, locks: []string{lockedForever}, undo: undoes(timed), active: &yes,
			wantState: directory.Active, unlock: []directory.Mod{del(lock, lockedForever), add(lock, timed)}},
		{name: "deactivated, then locked by policy, activated", state: directory.Inactive, locks: []string{timed}, undo: undoes(), active: &yes,
			wantState: directory.Active},
		{name: "deactivated, then locked by policy, deactivated again", state: directory.Inactive, locks: []string{timed}, undo: undoes(), active: &no,
			wantState: directory.Inactive, mods: []directory.Mod{del(lock, timed), add(lock, lockedForever)}, wantUndo: undoes(timed), wantedKept: true},
		{name: "deactivated over one timed lock, then another", state: directory.Inactive, locks: []string{another}, undo: undoes(timed), active: &no,
			wantState: directory.Inactive, mods: []directory.Mod{del(lock, another), add(lock, lockedForever)}, wantUndo: undoes(another), wantedKept: true},
		{name: "our lock was lifted, deactivated again", state: directory.Inactive, undo: undoes(timed), active: &no,
			wantState: directory.Inactive, mods: []directory.Mod{add(lock, lockedForever)}, wantUndo: undoes(timed), wantedKept: true},
		{name: "our lock was lifted, active left out", state: directory.Inactive, undo: undoes(),
			wantState: directory.Inactive, mods: []directory.Mod{add(lock, lockedForever)}, wantUndo: undoes(), wantedKept: true},
		{name: "our lock was lifted, activated", state: directory.Inactive, undo: undoes(timed), active: &yes,
			wantState: directory.Active},

		{name: "override, locked by hand, active again", override: true, state: directory.Active, locks: []string{byHand}, active: &yes,
			wantState: directory.Active, unlock: []directory.Mod{del(lock, byHand)}, wantedKept: true},
		{name: "override, locked by policy, active again", override: true, state: directory.Active, locks: []string{timed}, active: &yes,
			wantState: directory.Active, wantedKept: true}, // only the step's own value is known to be a lock
		{name: "override, locked by hand, active left out", override: true, state: directory.Active, locks: []string{byHand},
			wantState: directory.Active, wantedKept: true},
		{name: "override, locked by hand, deactivated, activated", override: true, state: directory.Inactive, locks: []string{byHand}, active: &yes,
			wantState: directory.Active, unlock: []directory.Mod{del(lock, byHand)}},
		{name: "override, locked by policy, deactivated, activated", override: true, state: directory.Inactive, locks: []string{lockedForever}, undo: undoes(timed), active: &yes,
			wantState: directory.Active, unlock: []directory.Mod{del(lock, lockedForever), add(lock, timed)}},
		{name: "override, deactivate", override: true, state: directory.Active, locks: []string{timed}, active: &no,
			wantState: directory.Inactive, mods: []directory.Mod{del(lock, timed), add(lock, lockedForever)}, wantUndo: undoes(timed)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := people()
			if tc.override {
				c.OnForeignLock = ForeignLockOverride
			}
			m := compile(t, c, "User")
			old := entry(tc.state, directory.Attributes{lock: tc.locks})
			old.Marker.Undo = tc.undo
			want := mustWant(t, m, annBody)
			want.Active = tc.active
			wanted := directory.Change{Mods: tc.mods, Unlock: tc.unlock, Marker: directory.Marker{
				Source: "okta", State: tc.wantState, Request: "r2", Since: stamp.Now, Undo: tc.wantUndo,
			}}
			if tc.wantedKept {
				wanted.Marker.Since = earlier
			}
			same(t, m.Change(old, nil, want, stamp), wanted)
			sameUndo(t, old.Marker.Undo, tc.undo)
		})
	}
}

// sameUndo checks that a change did not write into the entry it was given.
func sameUndo(t *testing.T, got, want map[string][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("the old entry's marker was changed to %v", got)
	}
}

// A lock that the gateway set is noted even where nothing was there before: an
// attribute that is missing in the notes is somebody else's.
func TestNotesTellNothingFromUnknown(t *testing.T) {
	m := compile(t, people(), "User")
	want := mustWant(t, m, body(`"active":false`))
	c := m.Change(entry(directory.Active, nil), nil, want, stamp)
	if values, ok := c.Marker.Undo[lock]; !ok || len(values) != 0 {
		t.Errorf("undo is %v", c.Marker.Undo)
	}
	c = m.Change(entry(directory.Active, directory.Attributes{lock: {byHand}}), nil, want, stamp)
	if _, ok := c.Marker.Undo[lock]; ok {
		t.Errorf("a foreign lock is noted as ours: %v", c.Marker.Undo)
	}
}

// A step with a value for active people sets that value on activation, whatever
// was there before, and leaves other values of active people alone.
func TestStepWithAnActiveValue(t *testing.T) {
	c := people()
	c.Deactivate = append(c.Deactivate, StepConfig{Set: &SetConfig{LDAP: "employeeState", Inactive: "off", Active: "on"}})
	m := compile(t, c, "User")
	old := entry(directory.Active, directory.Attributes{"employeeState": {"on leave"}})
	off := m.Change(old, nil, mustWant(t, m, body(`"active":false`)), stamp)
	same(t, off.Mods, []directory.Mod{add(lock, lockedForever), del("employeeState", "on leave"), add("employeeState", "off")})
	same(t, off.Marker.Undo, map[string][]string{lock: {}, "employeeState": {"on leave"}})

	locked := entry(directory.Inactive, directory.Attributes{lock: {lockedForever}, "employeeState": {"off"}})
	locked.Marker.Undo = off.Marker.Undo
	on := m.Change(locked, nil, mustWant(t, m, body(`"active":true`)), stamp)
	same(t, on.Mods, []directory.Mod(nil))
	same(t, on.Unlock, []directory.Mod{del(lock, lockedForever), del("employeeState", "off"), add("employeeState", "on")})
	same(t, on.Attributes(), []string{lock, "employeeState"})

	if c := m.Change(old, nil, mustWant(t, m, body(`"active":true`)), stamp); !c.Empty() {
		t.Errorf("active:true changed an active person: %+v", c)
	}
	for locks, want := range map[string]bool{"off": true, "on": false, "on leave": false} {
		e := entry(directory.Inactive, directory.Attributes{lock: {lockedForever}, "employeeState": {locks}})
		if m.Locked(e) != want {
			t.Errorf("%s: Locked is %v", locks, !want)
		}
	}
	if m.Locked(entry(directory.Inactive, directory.Attributes{"employeeState": {"off"}})) {
		t.Error("locked by one step of two")
	}
}

// A password must not wake anybody: every lock that stays is deleted and added
// in the modification that sets the password (design decision 3).
func TestPasswordKeepsTheLock(t *testing.T) {
	password := set("userPassword", "s3cret")
	for _, tc := range []struct {
		name   string
		state  directory.State
		locks  []string
		undo   map[string][]string
		in     string
		mods   []directory.Mod
		unlock []directory.Mod
	}{
		{name: "no lock", state: directory.Active, mods: []directory.Mod{password}},
		{name: "ours", state: directory.Inactive, locks: []string{lockedForever}, undo: undoes(),
			mods: []directory.Mod{password, del(lock, lockedForever), add(lock, lockedForever)}},
		{name: "ours, inactive again", state: directory.Inactive, locks: []string{lockedForever}, undo: undoes(), in: `"active":false`,
			mods: []directory.Mod{password, del(lock, lockedForever), add(lock, lockedForever)}},
		{name: "foreign", state: directory.Active, locks: []string{byHand}, in: `"active":true`,
			mods: []directory.Mod{password, del(lock, byHand), add(lock, byHand)}},
		{name: "timed", state: directory.Active, locks: []string{timed}, in: `"active":true`,
			mods: []directory.Mod{password, del(lock, timed), add(lock, timed)}},
		{name: "deactivated in the same request", state: directory.Active, in: `"active":false`,
			mods: []directory.Mod{password, add(lock, lockedForever)}},
		{name: "timed, deactivated in the same request", state: directory.Active, locks: []string{timed}, in: `"active":false`,
			mods: []directory.Mod{password, del(lock, timed), add(lock, lockedForever)}},
		{name: "activated in the same request", state: directory.Inactive, locks: []string{lockedForever}, undo: undoes(), in: `"active":true`,
			mods: []directory.Mod{password}, unlock: []directory.Mod{del(lock, lockedForever)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := compile(t, people(), "User")
			old := entry(tc.state, directory.Attributes{lock: tc.locks})
			old.Marker.Undo = tc.undo
			in := `"password":"s3cret"`
			if tc.in != "" {
				in += "," + tc.in
			}
			c := m.Change(old, nil, mustWant(t, m, body(in)), stamp)
			same(t, c.Mods, tc.mods)
			same(t, c.Unlock, tc.unlock)
		})
	}
}

// With a rename, the password comes last, together with what unlocks: stopping
// before leaves less access, and a name that is refused costs nobody theirs
// (design decision 13).
func TestPasswordKeepsTheLockThroughARename(t *testing.T) {
	m := compile(t, people(), "User")
	old := entry(directory.Inactive, directory.Attributes{lock: {lockedForever}})
	old.Marker.Undo = undoes()
	c := m.Change(old, nil, mustWant(t, m, `{"userName":"eve","externalId":"00u1","active":true,"password":"s3cret"}`), stamp)
	same(t, c.Name, "eve")
	secret := directory.Mod{Op: directory.ModReplace, Attribute: "userPassword", Values: []string{"s3cret"}}
	if slices.Contains(c.Attributes()[:len(c.Attributes())-2], "userPassword") {
		t.Errorf("the password is among %v", c.Mods)
	}
	same(t, c.Unlock, []directory.Mod{secret, del(lock, lockedForever)})

	c = m.Change(old, nil, mustWant(t, m, `{"userName":"eve","externalId":"00u1","password":"s3cret"}`), stamp)
	same(t, c.Unlock, []directory.Mod{secret, del(lock, lockedForever), add(lock, lockedForever)})

	old = entry(directory.Active, nil)
	c = m.Change(old, nil, mustWant(t, m, `{"userName":"eve","externalId":"00u1","active":false,"password":"s3cret"}`), stamp)
	same(t, c.Unlock, []directory.Mod{secret, del(lock, lockedForever), add(lock, lockedForever)})
}

// An empty password says nothing: it neither writes nor removes one.
func TestEmptyPasswordIsNone(t *testing.T) {
	m := compile(t, people(), "User")
	for _, text := range []string{`"password":""`, `"password":null`} {
		if c := m.Change(entry(directory.Active, nil), nil, mustWant(t, m, body(text)), stamp); !c.Empty() {
			t.Errorf("%s: %+v", text, c)
		}
	}
}
