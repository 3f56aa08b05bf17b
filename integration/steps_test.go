//go:build integration

package integration

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const (
	lockStep     = `set: {ldap: pwdAccountLockedTime, inactive: "000001010000Z"}`
	moveStep     = `move: {to: "ou=disabled,dc=example,dc=org"}`
	leaveStep    = `leave: {}`
	scrambleStep = `scramble: {ldap: userPassword}`
	disabledOU   = "ou=disabled,dc=example,dc=org"

	// accounts is what the account classes of RFC 2307 demand beside a name.
	accounts = ", posixAccount, shadowAccount"
)

var accountRules = []string{
	`{ldap: uidNumber, template: "1000"}`, `{ldap: gidNumber, template: "1000"}`, `{ldap: homeDirectory, template: "/home"}`,
}

// stepped is a site whose people are deactivated by steps.
func stepped(steps ...string) site {
	s := usual()
	s.Template, s.Deactivate = "steps.yaml", steps
	s.UserClasses, s.UserRules = accounts, accountRules
	s.Entries = "dn: " + disabledOU + "\nobjectClass: organizationalUnit\nou: disabled\n"
	return s
}

// closed is access by which a directory lets nobody in whom the step has marked,
// as PAM, an application or Active Directory does: it is about what the step
// writes, and about nothing else.
func closed(to string) []string {
	return []string{"to " + to + " attrs=userPassword by * none",
		"to attrs=userPassword by self write by anonymous auth by * none", "to * by * read"}
}

// Each kind of step keeps a person out and lets them in again, however often it
// is asked for, and gives back what was there before. Real binds tell.
func TestEachStepKeepsOut(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		steps     []string
		access    []string
		attribute string // that the step works on
		before    string // what others have put there
		inactive  string
		created   string // what a new entry has
		fixed     string // what an active person has then, if not what was before
	}{
		"lock of the password policy": {steps: []string{lockStep}, attribute: lockAttribute, inactive: lockedForEver},
		"login shell": {steps: []string{`set: {ldap: loginShell, inactive: /bin/false}`}, attribute: "loginShell", before: "/bin/zsh",
			inactive: "/bin/false", access: closed(`filter="(loginShell=/bin/false)"`)},
		"expiry in days": {steps: []string{`set: {ldap: shadowExpire, inactive: "1"}`}, attribute: "shadowExpire", before: "30000",
			inactive: "1", access: closed(`filter="(shadowExpire=1)"`)},
		"attribute with two values": {steps: []string{`set: {ldap: employeeType, inactive: gone, active: staff}`}, attribute: "employeeType", before: "temp",
			inactive: "gone", created: "staff", fixed: "staff", access: closed(`filter="(employeeType=gone)"`)},
		"bit of a number": {steps: []string{`bit: {ldap: shadowFlag, bit: 2, initial: 512}`}, attribute: "shadowFlag", before: "66048",
			inactive: "66050", created: "512", access: closed(`filter="(shadowFlag:1.2.840.113556.1.4.803:=2)"`)},
		"place": {steps: []string{moveStep}, access: closed(`dn.subtree="ou=disabled,dc=example,dc=org"`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stepped(tc.steps...)
			s.Access = tc.access
			g := serve(t, s)
			c, d := g.client(t), g.tree(t)
			id := c.create(person("ann", object{"password": oldPass}))
			holds := func(when, want string) {
				t.Helper()
				if tc.attribute == "" {
					return
				}
				if got := strings.Join(d.entry(id).GetAttributeValues(tc.attribute), ","); got != want {
					t.Errorf("%s: %s is %q, want %q", when, tc.attribute, got, want)
				}
			}
			holds("created", tc.created)
			if tc.before != "" {
				d.set(d.entry(id).DN, tc.attribute, tc.before)
			}
			home := d.entry(id).DN
			for way, set := range switchers(c, id, "ann") {
				for range 2 {
					if a := set(false).want(http.StatusOK); a.at("$.active") != false || d.opens(id, oldPass) {
						t.Errorf("%s: deactivated, and gets in", way)
					}
				}
				holds(way+": inactive", tc.inactive)
				c.patch("/Users/"+id, object{"op": "replace", "value": object{"password": oldPass, "title": way}}).want(http.StatusOK)
				if d.opens(id, oldPass) {
					t.Errorf("%s: a password lets an inactive person in", way)
				}
				for range 2 {
					if a := set(true).want(http.StatusOK); a.at("$.active") != true || !d.opens(id, oldPass) || d.entry(id).DN != home {
						t.Errorf("%s: activated as %s, and does not get in", way, d.entry(id).DN)
					}
				}
				holds(way+": active", cmp.Or(tc.fixed, tc.before))
				if tc.fixed != "" {
					d.set(home, tc.attribute, tc.before)
				}
			}
			later := c.create(person("later", object{"password": oldPass, "active": false}))
			if d.opens(later, oldPass) {
				t.Error("created inactive, and gets in")
			}
			c.do("PATCH", "/Users/"+later, []byte(entraOn)).want(http.StatusOK)
			if !d.opens(later, oldPass) {
				t.Error("created inactive and activated, and does not get in")
			}
			c.delete("/Users/" + id).want(http.StatusNoContent)
			if d.opens(id, oldPass) {
				t.Error("deleted, and gets in")
			}
			again := c.create(person("ann", object{"password": newPas, "externalId": "other"}))
			if again == id || !d.opens(again, newPas) || d.opens(id, newPas) {
				t.Error("the name of somebody deleted cannot be given to somebody else")
			}
		})
	}
}

// Of a number only the gateway's bit changes, whatever others do to the rest
// meanwhile; a bit that others have set stays.
func TestBitLeavesTheOthers(t *testing.T) {
	t.Parallel()
	g := serve(t, stepped(`bit: {ldap: shadowFlag, bit: 2, initial: 512}`))
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann"))
	dn := d.entry(id).DN
	is := func(when, want string) {
		t.Helper()
		if got := d.read(dn, "shadowFlag"); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %v, want %s", when, got, want)
		}
	}
	set := switchers(c, id, "ann")["PATCH"]
	set(false).want(http.StatusOK)
	d.set(dn, "shadowFlag", "66050") // never expires
	set(false).want(http.StatusOK)
	set(true).want(http.StatusOK)
	is("another bit was set while inactive", "66048")
	d.set(dn, "shadowFlag", "66050") // disabled by hand
	set(false).want(http.StatusOK)
	set(true).want(http.StatusOK)
	is("disabled by hand before", "66050")
	d.set(dn, "shadowFlag", "66048")
	set(false).want(http.StatusOK)
	d.set(dn, "shadowFlag", "66048") // enabled by hand
	set(true).want(http.StatusOK)
	is("enabled by hand while inactive", "66048")
}

// override lifts what is known to be a lock of the step, and nothing else.
func TestOverrideKnowsTheLocksOfEachStep(t *testing.T) {
	t.Parallel()
	s := stepped(`bit: {ldap: shadowFlag, bit: 2}`, `set: {ldap: loginShell, inactive: /bin/false}`, moveStep)
	s.OnForeignLock = "override"
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann"))
	dn := d.entry(id).DN
	d.set(dn, "shadowFlag", "515")
	d.set(dn, "loginShell", "/bin/sh")
	d.move(dn, disabledOU)
	c.put("/Users/"+id, person("ann")).want(http.StatusOK)
	e := d.entry(id)
	if e.DN != dn || e.GetAttributeValue("shadowFlag") != "513" || e.GetAttributeValue("loginShell") != "/bin/sh" {
		t.Errorf("%s: %v", e.DN, without(e))
	}
}

// A scrambled password is another, once, and one that comes later stays.
func TestScramble(t *testing.T) {
	t.Parallel()
	s := stepped(lockStep, scrambleStep)
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann", object{"password": oldPass}))
	first := d.entry(id).GetAttributeValue("userPassword")
	// A password in the same request is scrambled, too.
	c.put("/Users/"+id, person("ann", object{"active": false, "password": newPas})).want(http.StatusOK)
	hash := d.entry(id).GetAttributeValue("userPassword")
	if hash == first || d.opens(id, oldPass) || d.opens(id, newPas) {
		t.Error("the password was not scrambled, or somebody gets in")
	}
	c.put("/Users/"+id, person("ann", object{"active": false, "title": "x"})).want(http.StatusOK)
	if d.entry(id).GetAttributeValue("userPassword") != hash {
		t.Error("scrambled at every write")
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if d.opens(id, oldPass) || d.opens(id, newPas) {
		t.Error("an old password is back")
	}
	c.patch("/Users/"+id, object{"op": "replace", "path": "password", "value": newPas}).want(http.StatusOK)
	if !d.opens(id, newPas) {
		t.Error("a new password does not work")
	}
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	c.patch("/Users/"+id, object{"op": "replace", "path": "password", "value": oldPass}).want(http.StatusOK)
	if d.opens(id, oldPass) {
		t.Error("a password that is pushed after the scrambling wakes an inactive person")
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if !d.opens(id, oldPass) {
		t.Error("the password that was pushed meanwhile does not work")
	}
	if !strings.Contains(g.log.String(), "scramble") {
		t.Error("nothing warns of it at start")
	}
}

// A policy that takes no such password keeps nobody from being locked.
func TestScrambleThatIsRefusedLocksAllTheSame(t *testing.T) {
	t.Parallel()
	s := stepped(lockStep, scrambleStep)
	s.BindDN, s.Password = "cn=scimgate,ou=services,dc=example,dc=org", "example secret"
	s.Entries += "\n" + serviceAccount
	s.Access = []string{
		`to attrs=userPassword by dn.exact="cn=scimgate,ou=services,dc=example,dc=org" write by self write by anonymous auth by * none`,
		`to * by dn.exact="cn=scimgate,ou=services,dc=example,dc=org" write by * read`,
	}
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann", object{"password": oldPass}))
	d.setAll("cn=default,ou=policies,dc=example,dc=org", map[string][]string{"pwdCheckQuality": {"2"}}, "pwdMinLength", "100")
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	if d.opens(id, oldPass) {
		t.Error("gets in")
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if !d.opens(id, oldPass) {
		t.Error("the password was scrambled against the policy")
	}
	if !strings.Contains(g.log.String(), "the random password") {
		t.Error("the log does not say that the password is what it was")
	}
}
