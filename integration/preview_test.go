//go:build integration

package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

// preview runs the command for a request, and holds that the directory is after
// it what it was before.
func (c *company) preview(t *testing.T, code int, body any, flags ...string) string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "request.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	before := c.tree(t).search("(objectClass=*)")
	got, out, complaint := run(t, append([]string{"preview", "--config", c.config, "--tenant", "okta", file}, flags...)...)
	if got != code {
		t.Fatalf("preview ended with %d, not %d\n%s%s", got, code, out, complaint)
	}
	if d := cmp.Diff(all(before), all(c.tree(t).search("(objectClass=*)"))); d != "" {
		t.Fatalf("a preview has changed the directory: %s", d)
	}
	return out
}

func all(entries []*ldap.Entry) map[string]map[string][]string {
	tree := map[string]map[string][]string{}
	for _, e := range entries {
		tree[e.DN] = without(e)
	}
	return tree
}

// apply hands LDIF to ldapmodify.
func (c *company) apply(t *testing.T, ldif string) {
	t.Helper()
	cmd := exec.Command("ldapmodify", "-x", "-H", c.slapd.URL(), "-D", c.slapd.AdminDN(), "-w", c.slapd.AdminPassword())
	cmd.Stdin = strings.NewReader(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ldapmodify: %v: %s\n%s", err, out, ldif)
	}
}

// What a preview shows is what the request does: once its LDIF is in the
// directory, the same request has nothing left to write.
func TestPreviewIsWhatTheRequestWouldWrite(t *testing.T) {
	c := serve(t, usual())
	api := c.client(t)
	ann := person(unlike("Änn, the 2nd"), object{"externalId": "x-1", "title": "Boss", "active": false, "nickName": "A"})

	ldif := c.preview(t, 0, ann)
	for _, wanted := range []string{"POST /Users: 201 Created", "scimgate.yaml:", ": userName\n", ": deactivate\n", "kept by no rule: nickName\n"} {
		if !strings.Contains(ldif, wanted) {
			t.Errorf("%q is missing in\n%s", wanted, ldif)
		}
	}
	c.apply(t, ldif)
	found := api.find("Users", `externalId eq "x-1"`).want(200)
	if len(found.ids()) != 1 {
		t.Fatalf("what the preview showed is no resource: %v", found.body)
	}
	path := "/Users/" + found.ids()[0]
	same := func(send func() *answer) {
		t.Helper()
		before := api.get(path).want(200).text("$.meta.version")
		if after := send().want(200).text("$.meta.version"); after != before {
			t.Errorf("the request still had something to write")
		}
	}
	same(func() *answer { return api.put(path, ann) })

	patch := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []object{
		{"op": "replace", "value": object{"userName": unlike("ann"), "title": "Head", "active": true}}}}
	ldif = c.preview(t, 0, patch, "--name", ann["userName"].(string))
	if !strings.Contains(ldif, "changetype: moddn") {
		t.Errorf("no rename in\n%s", ldif)
	}
	c.apply(t, ldif)
	same(func() *answer { return api.do("PATCH", path, patch) })

	// A resource without an id is compared with the one that it would change.
	ann["userName"] = api.get(path).text("$.userName")
	ann["title"] = "Chief"
	delete(ann, "active")
	ldif = c.preview(t, 0, ann)
	if !strings.Contains(ldif, "PUT "+path) {
		t.Errorf("the preview is not of a PUT:\n%s", ldif)
	}
	c.apply(t, ldif)
	same(func() *answer { return api.put(path, ann) })
	if ldif = c.preview(t, 0, ann); !strings.Contains(ldif, "nothing would be written") {
		t.Errorf("the preview of what is there already:\n%s", ldif)
	}
}

func TestPreviewOfABulkBuildsOnItself(t *testing.T) {
	c := serve(t, usual())
	taken := unlike("taken")
	c.client(t).create(person(taken))
	name := unlike("bob")
	bulk := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": []object{
		{"method": "POST", "path": "/Users", "bulkId": "b", "data": person(name, object{"password": "Se-cret-123"})},
		{"method": "POST", "path": "/Groups", "bulkId": "g", "data": group("team", "bulkId:b")},
		{"method": "POST", "path": "/Users", "bulkId": "c", "data": person(taken)},
	}}
	out := c.preview(t, 1, bulk)
	for _, wanted := range []string{"POST b: 201", "POST g: 201", "POST c: 409", "member: uid=" + name + ",", "# userPassword: a value that is not shown"} {
		if !strings.Contains(out, wanted) {
			t.Errorf("%q is missing in\n%s", wanted, out)
		}
	}
	if strings.Contains(out, "Se-cret-123") {
		t.Error("the preview shows a password")
	}
	c.apply(t, out)
	if found := c.client(t).find("Groups", `displayName eq "team"`).want(200); found.total() != 1 {
		t.Errorf("the group of the preview: %v", found.body)
	}
}

func TestPreviewSaysWhatIsWrongWithItsUse(t *testing.T) {
	c := serve(t, usual())
	patch := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []object{{"op": "remove", "path": "title"}}}
	c.preview(t, 2, patch)
	c.preview(t, 1, patch, "--name", "nobody")
	c.preview(t, 2, person("x"), "--type", "Printer")
	if code, _, complaint := run(t, "preview", "--config", c.config, "no-such-file.json"); code != 2 || !strings.Contains(complaint, "no-such-file.json") {
		t.Errorf("%d: %s", code, complaint)
	}
}
