package mapping

import (
	"fmt"
	"math/bits"
	"strings"

	"scimgate/internal/directory"
)

// StepConfig is one step of deactivation; exactly one of its fields is set.
type StepConfig struct {
	Set      *SetConfig    `yaml:"set"`
	Bit      *BitConfig    `yaml:"bit"`
	Move     *MoveConfig   `yaml:"move"`
	Leave    *LeaveConfig  `yaml:"leave"`
	Scramble *ScrambleStep `yaml:"scramble"`
}

// SetConfig sets an attribute to Inactive on deactivation and puts back what
// was there before, or Active where that is given, on activation.
type SetConfig struct {
	LDAP     string `yaml:"ldap"`
	Inactive string `yaml:"inactive"`
	Active   string `yaml:"active"`
}

// BitConfig sets one bit of a number and clears that bit again. Bit is the
// bit's own number: 1, 2, 4 and so on. Initial is the number that a new entry
// begins with; 0 leaves that to the directory.
type BitConfig struct {
	LDAP    string `yaml:"ldap"`
	Bit     int    `yaml:"bit"`
	Initial int    `yaml:"initial"`
}

// MoveConfig moves the entry below another and, on activation, back to where it
// was.
type MoveConfig struct {
	To string `yaml:"to"`
}

// LeaveConfig takes the entry out of groups, and on activation puts it back into
// those of them that nobody has taken it out of since. Groups is LeaveOwn, which
// are those that this tenant manages, and the default.
type LeaveConfig struct {
	Groups string `yaml:"groups"`
}

// LeaveOwn is the value of LeaveConfig.Groups.
const LeaveOwn = "own"

// ScrambleStep overwrites the password with a random one. Nothing undoes it.
type ScrambleStep struct {
	LDAP string `yaml:"ldap"`
}

// kind is the key under which the step stands, "" where it is none or several.
func (s StepConfig) kind() string {
	found := ""
	for kind, there := range map[string]bool{
		"set": s.Set != nil, "bit": s.Bit != nil, "move": s.Move != nil, "leave": s.Leave != nil, "scramble": s.Scramble != nil,
	} {
		switch {
		case there && found != "":
			return ""
		case there:
			found = kind
		}
	}
	return found
}

// ldap is the attribute that a step sets, "" where it sets none.
func (s StepConfig) ldap() string {
	switch {
	case s.Set != nil:
		return s.Set.LDAP
	case s.Bit != nil:
		return s.Bit.LDAP
	}
	return ""
}

// stepFaults are the faults of the steps, each by itself and together.
func (c Config) stepFaults() []directory.Fault {
	var faults []directory.Fault
	fault := func(key, format string, args ...any) {
		faults = append(faults, directory.Fault{Key: key, Problem: fmt.Sprintf(format, args...)})
	}
	once := map[string]string{}
	stops := false
	for i, s := range c.Deactivate {
		key, kind := fmt.Sprintf("deactivate[%d]", i), s.kind()
		if first, twice := once[kind]; twice {
			fault(key, "is the step %s again, after %s; an entry can do it once", kind, first)
		}
		switch kind {
		case "":
			fault(key, "is not one step that this version knows; begin each with - and one of set, bit, move, leave, scramble")
			stops = true // what it should do is not known
			continue
		case "move", "leave", "scramble":
			once[kind] = key
		}
		stops = stops || kind == "set" || kind == "bit" || kind == "move"
		s.faults(c, func(k, format string, args ...any) { fault(key+"."+kind+k, format, args...) })
	}
	if len(c.Deactivate) > 0 && !stops {
		fault("deactivate", "has no step that stops anybody from signing in: who leaves groups can still sign in, and a scrambled password can be set again; add set or bit")
	}
	return faults
}

// faults are those of one step; keys begin with a dot.
func (s StepConfig) faults(c Config, fault func(key, format string, args ...any)) {
	switch {
	case s.Set != nil:
		if s.Set.LDAP == "" {
			fault(".ldap", "is missing; name the attribute to set")
		}
		if s.Set.Inactive == "" {
			fault(".inactive", "is missing; give the value that locks an entry")
		}
		if s.Set.Inactive != "" && s.Set.Inactive == s.Set.Active {
			fault(".active", "is the value that locks an entry; give another, or leave it out so that the value before comes back")
		}
	case s.Bit != nil:
		if s.Bit.LDAP == "" {
			fault(".ldap", "is missing; name the attribute that holds the number, for example userAccountControl")
		}
		if n := s.Bit.Bit; n <= 0 || n > 1<<30 || bits.OnesCount(uint(n)) != 1 {
			fault(".bit", "%d is not one bit; give its number: 1, 2, 4, 8 and so on, for example 2 of userAccountControl", n)
		} else if s.Bit.Initial&n != 0 {
			fault(".initial", "%d has the bit %d set already, so every new entry would be locked; give the number without it", s.Bit.Initial, n)
		}
		if s.Bit.Initial < 0 {
			fault(".initial", "%d is below zero; give the number that a new entry begins with", s.Bit.Initial)
		}
	case s.Move != nil:
		s.Move.faults(c.Base, fault)
	case s.Leave != nil:
		oneOf(func(_, format string, args ...any) { fault(".groups", format, args...) }, "", s.Leave.Groups, "", LeaveOwn)
	case s.Scramble != nil:
		s.Scramble.faults(c, fault)
	}
}

func (s MoveConfig) faults(base string, fault func(key, format string, args ...any)) {
	switch {
	case s.To == "":
		fault(".to", "is missing; name the entry below which to move, for example ou=disabled,dc=example,dc=org")
	case !strings.Contains(s.To, "="):
		fault(".to", "%q is no distinguished name; give for example ou=disabled,dc=example,dc=org", s.To)
	case directory.FoldDN(s.To) == directory.FoldDN(base):
		fault(".to", "is the base, where active entries are; name another place")
	case directory.Below(base, s.To):
		fault(".to", "%q has the base in it, so every entry would be there already; name a place beside the base or below it", s.To)
	}
}

func (s ScrambleStep) faults(c Config, fault func(key, format string, args ...any)) {
	switch {
	case s.LDAP == "":
		fault(".ldap", "is missing; name the attribute of the password, for example userPassword")
	case !secret(s.LDAP):
		fault(".ldap", "%s holds no passwords; name the attribute of the password, for example userPassword", s.LDAP)
	}
}

// Warnings are what a declaration does that its author may not expect; key is
// below the declaration.
func (c Config) Warnings() []directory.Fault {
	var all []directory.Fault
	stops, moves := false, ""
	for i, s := range c.Deactivate {
		key := fmt.Sprintf("deactivate[%d]", i)
		switch s.kind() {
		case "set", "bit":
			stops = true
		case "move":
			moves = key + ".move"
		case "scramble":
			all = append(all, directory.Fault{Key: key + ".scramble",
				Problem: "has no undo: a person who is activated again needs a new password"})
		}
	}
	if moves != "" && !stops {
		all = append(all, directory.Fault{Key: moves,
			Problem: "stops nobody by itself unless the directory refuses binds in that place; add set or bit to be sure"})
	}
	return all
}
