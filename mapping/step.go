package mapping

import (
	"slices"
	"strconv"
	"strings"
)

// step is one step of deactivation that works on an attribute of the entry:
// one example of each kind, for an entry that held nothing before.
//
//	set: {ldap: loginShell, inactive: /bin/false}            nothing <-> /bin/false
//	bit: {ldap: userAccountControl, bit: 2, initial: 512}    512 <-> 514
//
// Steps compare with what an entry holds now, never with what it should hold,
// so each is idempotent and leaves alone what others have written meanwhile.
type step interface {
	// attribute is what the step works on.
	attribute() string
	// locks reports whether the step is in force on the values.
	locks(values []string) bool
	// mayLock reports the same of what others have written in a spelling of their
	// own: TRUE locks in 389 DS as true does.
	mayLock(values []string) bool
	// locked returns the values with the step in force.
	locked(values []string) []string
	// unlocked returns the values with the step undone. before are those that
	// were noted when it was made.
	unlocked(values, before []string) []string
	// noted returns what of the values has to be remembered.
	noted(values []string) []string
	// fresh returns what a new entry has, active or not; none is nothing.
	fresh(active bool) []string
	// fragile says that a directory may lift the step when it sees a new
	// password.
	fragile() bool
}

// setStep gives an attribute one value.
type setStep struct{ SetConfig }

func (s setStep) attribute() string          { return s.LDAP }
func (s setStep) locks(values []string) bool { return slices.Equal(values, []string{s.Inactive}) }
func (s setStep) mayLock(values []string) bool {
	return len(values) == 1 && strings.EqualFold(values[0], s.Inactive)
}
func (s setStep) locked([]string) []string { return []string{s.Inactive} }
func (s setStep) unlocked(_, before []string) []string {
	if s.Active != "" {
		return []string{s.Active}
	}
	return before
}
func (s setStep) noted(values []string) []string { return values }
func (s setStep) fresh(active bool) []string {
	switch {
	case !active:
		return []string{s.Inactive}
	case s.Active != "":
		return []string{s.Active}
	}
	return nil
}
func (s setStep) fragile() bool { return true }

// bitStep sets one bit of a number. The other bits are whatever they are when
// the step is made or undone, so nothing of them has to be remembered.
type bitStep struct{ BitConfig }

func (s bitStep) attribute() string { return s.LDAP }

// number is the number that an attribute holds; one that holds none, which a
// directory that knows the attribute does not allow, counts as initial.
func (s bitStep) number(values []string) int64 {
	if len(values) == 1 {
		if n, err := strconv.ParseInt(values[0], 10, 64); err == nil {
			return n
		}
	}
	return int64(s.Initial)
}

func (s bitStep) locks(values []string) bool {
	return len(values) == 1 && s.number(values)&int64(s.Bit) != 0
}
func (s bitStep) mayLock(values []string) bool { return s.locks(values) }
func (s bitStep) locked(values []string) []string {
	return []string{strconv.FormatInt(s.number(values)|int64(s.Bit), 10)}
}
func (s bitStep) unlocked(values, _ []string) []string {
	return []string{strconv.FormatInt(s.number(values)&^int64(s.Bit), 10)}
}
func (s bitStep) noted([]string) []string { return nil }
func (s bitStep) fresh(active bool) []string {
	switch {
	case !active:
		return s.locked(nil)
	case s.Initial != 0:
		return []string{strconv.Itoa(s.Initial)}
	}
	return nil
}
func (s bitStep) fragile() bool { return false }

// stepsOf compiles the steps of a declaration that work on an attribute.
func stepsOf(all []StepConfig) []step {
	var steps []step
	for _, s := range all {
		switch {
		case s.Set != nil:
			steps = append(steps, setStep{*s.Set})
		case s.Bit != nil:
			steps = append(steps, bitStep{*s.Bit})
		}
	}
	return steps
}

// place is where deactivation moves entries, "" for nowhere.
func (m *Mapping) place() string {
	for _, s := range m.config.Deactivate {
		if s.Move != nil {
			return s.Move.To
		}
	}
	return ""
}

// Leaves reports whether somebody inactive leaves their groups.
func (m *Mapping) Leaves() bool {
	return slices.ContainsFunc(m.config.Deactivate, func(s StepConfig) bool { return s.Leave != nil })
}

// Moves reports whether somebody inactive is moved.
func (m *Mapping) Moves() bool { return m.place() != "" }

// scrambled is the attribute whose password deactivation overwrites, "" for none.
func (m *Mapping) scrambled() string {
	for _, s := range m.config.Deactivate {
		if s.Scramble != nil {
			return s.Scramble.LDAP
		}
	}
	return ""
}

// Scrambles reports whether deactivation overwrites a password, so that a Stamp
// needs a Secret.
func (m *Mapping) Scrambles() bool { return m.scrambled() != "" }

// isScrambled reports whether the attribute is the one that is overwritten.
func (m *Mapping) isScrambled(ldap string) bool {
	return m.scrambled() != "" && strings.EqualFold(ldap, m.scrambled())
}
