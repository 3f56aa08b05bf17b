//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const lockedForGood = "000001010000Z"

// settled is a directory that was there before the gateway, in which the staff
// may be taken over.
func settled() site {
	s := usual()
	s.OnExisting = `{adopt: {by: [userName], filter: "(employeeType=staff)"}}`
	s.GroupsOnExisting = `{adopt: {by: [displayName], filter: "(description=for the gateway)"}}`
	return s
}

// settle makes somebody past the gateway.
func (d *tree) settle(uid string, changes map[string][]string) string {
	d.t.Helper()
	dn := "uid=" + uid + ",ou=people," + d.suffix
	attributes := map[string][]string{
		"objectClass": {"inetOrgPerson"}, "uid": {uid}, "cn": {"Somebody"}, "sn": {"Old"}, "userPassword": {oldPass},
		"employeeType": {"staff"}, "mail": {"first@example.org", "second@example.org"},
	}
	maps.Copy(attributes, changes)
	d.add(dn, attributes)
	return dn
}

func refusedFor(t *testing.T, a *answer, piece string) {
	t.Helper()
	a.wantError(http.StatusConflict, "uniqueness")
	if detail := a.text("$.detail"); !strings.Contains(detail, piece) || strings.Contains(detail, "dc=") {
		t.Errorf("the detail is %q, want something of %q and no name of an entry", detail, piece)
	}
}

// Whoever is taken over keeps the entry, the password, the groups and what the
// gateway does not map.
func TestAdopted(t *testing.T) {
	t.Parallel()
	g := serve(t, settled())
	c, d := g.client(t), g.tree(t)
	name := unlike("Ann")
	dn := d.settle(name, map[string][]string{
		"objectClass": {"inetOrgPerson", "simpleSecurityObject"}, "description": {"theirs"},
	})
	before := d.named("uid", name)[0].GetAttributeValue("entryUUID")
	club := d.foreignGroup(unlike("club"), dn)
	p := person(strings.ToLower(name), object{"externalId": name, "password": newPas})
	a := c.post("/Users", p).want(http.StatusCreated)
	if a.id() != before || a.text("$.userName") != name {
		t.Errorf("adopted as %s: %s", a.id(), a.raw)
	}
	e := d.entry(before)
	if e.DN != dn || e.GetAttributeValue("description") != "theirs" || e.GetAttributeValue("sn") != "Lee" || e.GetAttributeValue("employeeType") != "staff" {
		t.Errorf("the entry is %v", without(e))
	}
	if got := e.GetAttributeValues("mail"); len(got) != 2 || got[0] != "second@example.org" && got[1] != "second@example.org" {
		t.Errorf("mail is %v: one value shows, the other stays", got)
	}
	if got := e.GetAttributeValues("objectClass"); !slices.Contains(got, "simpleSecurityObject") || !slices.Contains(got, "scimgateObject") {
		t.Errorf("object classes %v", got)
	}
	if !strings.Contains(e.GetAttributeValue("scimState"), `"adopted":true`) || e.GetAttributeValue("scimSource") != "okta" {
		t.Errorf("the marker is %s", e.GetAttributeValue("scimState"))
	}
	if !d.canBind(dn, oldPass) || d.canBind(dn, newPas) {
		t.Error("the password of the create was written")
	}
	if !d.hasMember(club, dn) {
		t.Error("the group of others has lost its member")
	}
	refusedFor(t, c.post("/Users", p), "taken")
	c.patch("/Users/"+before, object{"op": "replace", "path": "password", "value": newPas}).want(http.StatusOK)
	if !d.canBind(dn, newPas) {
		t.Error("a later password does not come through")
	}
	c.do("PATCH", "/Users/"+before, []byte(oktaOff)).want(http.StatusOK)
	if d.canBind(dn, newPas) {
		t.Error("deactivated, and gets in")
	}
	c.delete("/Users/" + before).want(http.StatusNoContent)
	if e := d.entry(before); e.DN != dn || !d.hasMember(club, dn) {
		t.Error("the tombstone is not what was adopted")
	}
	if back := c.post("/Users", p).want(http.StatusCreated); back.id() != before {
		t.Errorf("came back as %s", back.id())
	}
	if !d.canBind(dn, newPas) {
		t.Error("revived, and does not get in")
	}
}

// A lock of others stays at an adoption; active: false locks.
func TestAdoptedLocks(t *testing.T) {
	t.Parallel()
	g := serve(t, settled())
	c, d := g.client(t), g.tree(t)
	locked, off := unlike("locked"), unlike("off")
	lockedDN := d.settle(locked, nil)
	d.set(lockedDN, "pwdAccountLockedTime", lockedForGood)
	offDN := d.settle(off, nil)
	id := c.post("/Users", person(locked)).want(http.StatusCreated).id()
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if d.canBind(lockedDN, oldPass) {
		t.Error("the lock of others was lifted")
	}
	id = c.post("/Users", person(off, object{"active": false})).want(http.StatusCreated).id()
	if d.canBind(offDN, oldPass) {
		t.Error("adopted inactive, and gets in")
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if !d.canBind(offDN, oldPass) {
		t.Error("activated, and does not get in")
	}
}

// Everything but the one entry that the declaration names is refused, with the reason.
func TestNotAdopted(t *testing.T) {
	t.Parallel()
	s := settled()
	s.OnExisting = `{adopt: {by: [userName, 'emails[type eq "work"].value'], filter: "(employeeType=staff)"}}`
	s.Entries = "dn: uid=scimgate,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: scimgate\ncn: G\nsn: G\nemployeeType: staff\nmail: scimgate@example.org\nuserPassword: service\n"
	s.BindDN, s.Password = "uid=scimgate, ou=people,dc=example,dc=org", "service"
	s.Access = []string{`to attrs=userPassword by dn.exact="uid=scimgate,ou=people,dc=example,dc=org" write by anonymous auth`,
		`to * by dn.exact="uid=scimgate,ou=people,dc=example,dc=org" manage by * read`}
	s.Protected = `{groups: ["cn=chiefs,ou=groups,dc=example,dc=org"], filter: "(title=Root)"}`
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	settle := func(name string, more map[string][]string) string {
		all := map[string][]string{"mail": {name + "@example.org"}}
		maps.Copy(all, more)
		return d.settle(name, all)
	}
	pushed := func(name string) object {
		return person(name, object{"emails": []object{{"type": "work", "value": name + "@example.org"}}})
	}
	chief := settle("chief", nil)
	deputy := settle("deputy", nil)
	d.foreignGroup("deputies", deputy)
	d.foreignGroup("chiefs", chief, "cn=deputies,ou=groups,"+d.suffix)
	settle("root", map[string][]string{"title": {"Root"}})
	settle("guest", map[string][]string{"employeeType": {"guest"}})
	settle("other", map[string][]string{"mail": {"elsewhere@example.org"}})
	settle("theirs", map[string][]string{"objectClass": {"inetOrgPerson", "scimgateObject"},
		"scimSource": {"entra"}, "scimState": {"scimgate:active {}"}})
	d.add("uid=account,ou=people,"+d.suffix, map[string][]string{"objectClass": {"account", "extensibleObject"}, "uid": {"account"},
		"mail": {"account@example.org"}, "employeeType": {"staff"}})
	before := map[string]string{}
	for _, e := range d.search("(uid=*)") {
		before[e.DN] = e.GetAttributeValue("entryCSN")
	}
	for name, piece := range map[string]string{
		"scimgate": "the account that this gateway itself uses", "chief": "group of administrators", "deputy": "group of administrators",
		"root": "the configuration of this gateway protects it", "guest": "onExisting.adopt.filter", "other": "onExisting.adopt.by",
		"theirs": "another entry of the directory has it", "account": "object class",
	} {
		a := c.post("/Users", pushed(name))
		refusedFor(t, a, piece)
	}
	a := c.post("/Users", object{"schemas": []string{userURN}, "userName": "guest"})
	refusedFor(t, a, "this resource has no emails")
	for _, e := range d.search("(uid=*)") {
		if before[e.DN] != e.GetAttributeValue("entryCSN") {
			t.Errorf("%s was written", e.DN)
		}
	}
	settle("twin", nil)
	d.add("cn=Twin,ou=people,"+d.suffix, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"Twin"}, "sn": {"T"}, "uid": {"twin"},
		"mail": {"twin@example.org"}, "employeeType": {"staff"}})
	refusedFor(t, c.post("/Users", pushed("twin")), "several")
	c.create(pushed("newcomer"))
}

// Somebody who becomes an administrator while the gateway manages them is not
// written any more, and the answer and the log say so.
func TestBecameAdministrator(t *testing.T) {
	t.Parallel()
	s := settled()
	s.Protected = `{filter: "(title=Root)"}`
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	id := c.create(person("ann", object{"password": oldPass}))
	crew := c.createGroup("crew", id)
	d.set(d.entry(id).DN, "title", "Root")
	before := d.entry(id).GetAttributeValue("entryCSN")
	for _, a := range []*answer{
		c.do("PATCH", "/Users/"+id, []byte(oktaOff)), c.put("/Users/"+id, person("bob")), c.delete("/Users/" + id),
	} {
		if a.want(http.StatusForbidden); !strings.Contains(a.text("$.detail"), "still has access") {
			t.Errorf("%s", a.raw)
		}
	}
	if e := d.entry(id); e.GetAttributeValue("entryCSN") != before || !d.hasMember(d.entry(crew).DN, e.DN) || !d.opens(id, oldPass) {
		t.Error("something was written all the same")
	}
	if !strings.Contains(g.program.log.String(), `"level":"error"`) {
		t.Error("no error in the log")
	}
}

// An entry with a name of another kind is taken over as it is, and follows
// changes without losing it.
func TestAdoptedByAnotherName(t *testing.T) {
	t.Parallel()
	g := serve(t, settled())
	c, d := g.client(t), g.tree(t)
	name := unlike("ann")
	dn := "cn=Lee\\, Ann,ou=people," + d.suffix
	d.add(dn, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"Lee, Ann"}, "sn": {"L"}, "uid": {name}, "employeeType": {"staff"}})
	id := c.create(person(name, object{"displayName": "Ann Lee"}))
	c.put("/Users/"+id, person(name+"x", object{"displayName": "Ann B. Lee"})).want(http.StatusOK)
	e := d.entry(id)
	if e.GetAttributeValue("uid") != name+"x" || !slices.Contains(e.GetAttributeValues("cn"), "Lee, Ann") || !slices.Contains(e.GetAttributeValues("cn"), "Ann B. Lee") {
		t.Errorf("%s: %v", e.DN, without(e))
	}
	if c.get("/Users/"+id).text("$.userName") != name+"x" {
		t.Error("the new name does not show")
	}
}

// Of many creates at two gateways one takes the entry over.
func TestAdoptedOnce(t *testing.T) {
	t.Parallel()
	g := serve(t, settled())
	second, err := startServe(t.Context(), g.config)
	if err != nil {
		t.Fatal(err)
	}
	second.endWith(t)
	second.token = g.token
	d := g.tree(t)
	gates := []*client{g.client(t), second.client(t)}
	for round := range 8 {
		name := unlike(fmt.Sprint("once", round))
		d.settle(name, nil)
		counts := map[int]int{}
		var mu sync.Mutex
		together(16, func(i int) {
			a, err := gates[i%2].try("POST", "/Users", person(name, object{"externalId": fmt.Sprint(name, i)}))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			counts[a.status]++
		})
		if want := map[int]int{http.StatusCreated: 1, http.StatusConflict: 15}; !maps.Equal(counts, want) {
			t.Errorf("%v, want %v", counts, want)
		}
		if found := d.named("uid", name); len(found) != 1 || len(found[0].GetAttributeValues("scimState")) != 1 {
			t.Errorf("%d entries", len(found))
		}
	}
}

// What was adopted is never removed: a delete gives it back.
func TestReleased(t *testing.T) {
	t.Parallel()
	s := settled()
	s.Delete = "remove"
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	name := unlike("ann")
	dn := d.settle(name, map[string][]string{"displayName": {"Old"}})
	club := d.foreignGroup(unlike("club"), dn)
	id := c.create(person(name, object{"externalId": name}))
	crew := c.createGroup(unlike("crew"), id)
	c.delete("/Users/" + id).want(http.StatusNoContent)
	e := d.entry(id)
	for _, gone := range []string{"scimState", "scimSource", "scimExternalId"} {
		if len(e.GetAttributeValues(gone)) > 0 {
			t.Errorf("%s is left: %v", gone, e.GetAttributeValues(gone))
		}
	}
	if slices.Contains(e.GetAttributeValues("objectClass"), "scimgateObject") {
		t.Error("the object class is left")
	}
	if d.canBind(dn, oldPass) || !d.hasMember(club, dn) || d.hasMember(d.entry(crew).DN, dn) {
		t.Error("released: gets in, or is out of the groups of others, or still in ours")
	}
	c.get("/Users/" + id).want(http.StatusNotFound)
	if again := c.create(person(name, object{"externalId": name})); again != id {
		t.Error("not adopted again")
	}
	if made := c.create(person(unlike("bob"))); true {
		c.delete("/Users/" + made).want(http.StatusNoContent)
		if len(d.search("(entryUUID="+made+")")) != 0 {
			t.Error("what the gateway made was not removed")
		}
	}
}

// A group of others is taken over with its members, and given back with them.
func TestAdoptedGroup(t *testing.T) {
	t.Parallel()
	g := serve(t, settled())
	c, d := g.client(t), g.tree(t)
	ann, bob := c.create(person(unlike("ann"))), c.create(person(unlike("bob")))
	foreign := d.settle(unlike("foreign"), nil)
	name := unlike("club")
	dn := d.foreignGroup(name, foreign, d.entry(ann).DN)
	d.set(dn, "seeAlso", "ou=people,"+d.suffix)
	refusedFor(t, c.post("/Groups", group(name, bob)), "onExisting.adopt.filter")
	d.set(dn, "description", "for the gateway")
	a := c.post("/Groups", object{"schemas": []string{groupURN}, "displayName": strings.ToUpper(name), "externalId": name, "members": values(bob)}).want(http.StatusCreated)
	if got := c.get("/Groups/" + a.id()).members(); len(got) != 2 {
		t.Errorf("members %v", got)
	}
	if !d.hasMember(dn, foreign) || !d.hasMember(dn, d.entry(bob).DN) || len(d.read(dn, "seeAlso")) != 1 {
		t.Error("the group has lost something")
	}
	c.put("/Groups/"+a.id(), object{"schemas": []string{groupURN}, "displayName": name, "members": values(ann)}).want(http.StatusOK)
	if !d.hasMember(dn, foreign) || d.hasMember(dn, d.entry(bob).DN) {
		t.Error("a PUT keeps members of others and removes its own")
	}
	c.delete("/Groups/" + a.id()).want(http.StatusNoContent)
	e := d.entry(a.id())
	if !d.hasMember(dn, foreign) || slices.Contains(e.GetAttributeValues("objectClass"), "scimgateObject") || len(e.GetAttributeValues("scimState")) > 0 {
		t.Errorf("released as %v", without(e))
	}
}

// A dry run says what a push would do, by the same decision, and writes nothing.
func TestAdoptDryRun(t *testing.T) {
	t.Parallel()
	g := serve(t, settled())
	c, d := g.client(t), g.tree(t)
	d.settle("ann", nil)
	d.settle("guest", map[string][]string{"employeeType": {"guest"}})
	d.settle("twin", nil)
	d.add("cn=Twin,ou=people,"+d.suffix, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"Twin"}, "sn": {"T"}, "uid": {"TWIN"}, "employeeType": {"staff"}})
	d.add("cn=Nameless,ou=people,"+d.suffix, map[string][]string{"objectClass": {"inetOrgPerson"}, "cn": {"Nameless"}, "sn": {"N"}, "employeeType": {"staff"}})
	d.add("uid=account,ou=people,"+d.suffix, map[string][]string{"objectClass": {"account", "extensibleObject"}, "uid": {"account"}, "employeeType": {"staff"}})
	c.create(person("managed"))
	snapshot := func() string {
		var b strings.Builder
		for _, e := range d.search("(objectClass=*)", "entryCSN") {
			fmt.Fprintln(&b, e.DN, e.GetAttributeValue("entryCSN"))
		}
		return b.String()
	}
	before := snapshot()
	code, out, log := run(t, "adopt", "--dry-run", "--config", g.config, "--tenant", "okta", "--json")
	if code != 0 {
		t.Fatalf("%d: %s", code, log)
	}
	var report struct {
		Summary map[string]int
		Lines   []struct{ Type, Value, Entry, Verdict, Reason string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := map[string]string{}
	for _, l := range report.Lines {
		got[strings.SplitN(l.Entry, ",", 2)[0]] = l.Verdict + " " + l.Reason
	}
	for entry, want := range map[string]string{"uid=ann": "adopt", "uid=guest": "refuse outside", "uid=twin": "refuse ambiguous", "cn=Twin": "refuse ambiguous",
		"cn=Nameless": "refuse no value", "uid=account": "refuse no room"} {
		if !strings.HasPrefix(got[entry], want) {
			t.Errorf("%s: %q, want %q", entry, got[entry], want)
		}
	}
	if len(got) != 6 || report.Summary["adopt"] != 1 || report.Summary["refuse"] != 5 {
		t.Errorf("%v", report)
	}
	file := filepath.Join(t.TempDir(), "export.json")
	var text strings.Builder
	for _, p := range []object{person("ann"), person("guest"), person("new"), person("managed"), person("NEW"), {"userName": ""}, group("team", "x")} {
		line, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s\n", line)
	}
	for form, content := range map[string]string{
		"lines": text.String(),
		"array": "[" + strings.Join(strings.Split(strings.TrimSpace(text.String()), "\n"), ",") + "]",
		"list": `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":7,"Resources":[` +
			strings.Join(strings.Split(strings.TrimSpace(text.String()), "\n"), ",") + "]}",
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, log = run(t, "adopt", "--dry-run", "--config", g.config, "--tenant", "okta", "--json", file)
		if code != 1 {
			t.Fatalf("%s: %d: %s", form, code, log)
		}
		report.Lines = nil
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var verdicts []string
		for _, l := range report.Lines {
			verdicts = append(verdicts, l.Verdict)
		}
		if want := []string{"adopt", "refuse", "create", "refuse", "refuse", "refuse", "create"}; !slices.Equal(verdicts, want) {
			t.Errorf("%s: %v, want %v\n%s", form, verdicts, want, out)
		}
	}
	if code, out, _ = run(t, "adopt", "--dry-run", "--config", g.config); code != 0 || !strings.Contains(out, "ambiguous") {
		t.Errorf("%d: %s", code, out)
	}
	if code, _, log = run(t, "adopt", "--config", g.config); code != 2 || !strings.Contains(log, "push") {
		t.Errorf("%d: %s", code, log)
	}
	if snapshot() != before {
		t.Error("something was written")
	}
}
