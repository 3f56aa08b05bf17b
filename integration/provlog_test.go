//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// logged is a gateway with a provisioning log of short segments, in a folder of its own.
func logged(t *testing.T, keys string) (c *company, folder string) {
	t.Helper()
	server := startHere(t, usual())
	folder = t.TempDir()
	config := usual().write(t, folder, server)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "\nlog: {provisioning: log/provisioning.jsonl, maxSize: 10kB"+keys+"}\n"...)
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := startServe(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	g.endWith(t)
	g.of(server, makeToken(t, config, "okta"))
	return &company{gate: g, server: server, config: config}, folder
}

// logLines asks scimgate log and returns the lines.
func (c *company) logLines(t *testing.T, flags ...string) []object {
	t.Helper()
	code, stdout, stderr := run(t, append([]string{"log", "--config", c.config, "--json"}, flags...)...)
	if code != 0 {
		t.Fatalf("log %v: %d %s", flags, code, stderr)
	}
	var lines []object
	for line := range strings.Lines(stdout) {
		var o object
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, o)
	}
	return lines
}

// What happened to somebody is found by whatever they are called, across segments,
// while the gateway runs and after it has ended; a request by the id in its answer.
func TestProvisioningLog(t *testing.T) {
	c, folder := logged(t, "")
	idp := c.client(t)
	ann := idp.post("/Users", person("ann", object{"externalId": "42"})).want(http.StatusCreated)
	id := fmt.Sprint(ann.body["id"])
	team := idp.post("/Groups", object{"schemas": []string{groupURN}, "displayName": "team"}).want(http.StatusCreated)
	idp.patch("/Groups/"+fmt.Sprint(team.body["id"]), object{"op": "add", "path": "members", "value": []object{{"value": id}}})
	idp.patch("/Users/"+id, object{"op": "replace", "path": "userName", "value": "anna"}).want(http.StatusOK)
	refused := idp.post("/Users", person("anna", object{"externalId": "43"})).want(http.StatusConflict)
	for i := range 100 { // some segments
		idp.get(fmt.Sprintf("/Users?filter=userName%%20eq%%20%%22nobody%d%%22", i)).want(http.StatusOK)
	}
	bulk := idp.post("/Bulk", object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": []object{
		{"method": "POST", "path": "/Users", "bulkId": "a", "data": person("bob", object{"externalId": "44"})}, {"method": "DELETE", "path": "/Users/" + id}}}).want(http.StatusOK)
	if files, err := filepath.Glob(filepath.Join(folder, "log", "provisioning-*.jsonl")); err != nil || len(files) < 2 {
		t.Errorf("%d closed segments %v", len(files), err)
	}
	look := func() {
		t.Helper()
		for name, want := range map[string]string{
			"ann": "create 201, patch 204, patch 200", "42": "create 201, patch 200, delete 204", id: "create 201, patch 204, patch 200, delete 204",
			"anna": "patch 200, create 409, delete 204", "team": "create 201, patch 204", "nobody7": "list 200",
		} {
			var got []string
			for _, line := range c.logLines(t, "--user", name, "--since", "24h") {
				got = append(got, fmt.Sprint(line["operation"], " ", line["status"]))
			}
			if text := strings.Join(got, ", "); text != want {
				t.Errorf("%s: %s, want %s", name, text, want)
			}
		}
		renamed := c.logLines(t, "--user", id, "--operation", "patch", "--status", "200")
		if len(renamed) != 1 || !strings.Contains(fmt.Sprint(renamed[0]["from"]), "ann,") || !strings.Contains(fmt.Sprint(renamed[0]["dn"]), "anna,") || renamed[0]["attempts"] != 1.0 {
			t.Errorf("%v", renamed)
		}
		added := c.logLines(t, "--operation", "patch", "--status", "204")
		if len(added) != 1 || !strings.Contains(fmt.Sprint(added[0]["dn"]), "team") {
			t.Errorf("%v", added)
		}
		one := c.logLines(t, "--request", refused.header.Get("X-Request-Id"))
		if len(one) != 1 || one[0]["scimType"] != "uniqueness" || one[0]["sent"] != nil || one[0]["address"] != "127.0.0.1" {
			t.Errorf("%v", one)
		}
		if parts := c.logLines(t, "--request", bulk.header.Get("X-Request-Id")); len(parts) != 3 {
			t.Errorf("%d lines of the Bulk", len(parts))
		}
		if all := c.logLines(t, "--limit", "0"); len(all) != 5+100+3 {
			t.Errorf("%d lines", len(all))
		}
	}
	look()
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	look()
	for _, wrong := range [][]string{{"--status", "9xx"}, {"--since", "yesterday"}, {"--limit", "-1"}, {"--since", "1h", "--until", "2h"}, {"extra"}} {
		if code, _, stderr := run(t, append([]string{"log", "--config", c.config}, wrong...)...); code != 2 || stderr == "" {
			t.Errorf("%v: %d %s", wrong, code, stderr)
		}
	}
	if code, _, stderr := run(t, "log", "--config", c.config, "--request", "NONE"); code != 1 || stderr == "" {
		t.Errorf("%d %s", code, stderr)
	}
}

// The files and the output of a gateway hold no token and no password, and values only
// where they are asked for. Every kind of request goes through it, and its directory too.
func TestLogsHoldNoSecret(t *testing.T) {
	for keys, values := range map[string]bool{"": false, ", keepFailedBodies: true": true, ", values: true, keepFailedBodies: true": true} {
		t.Run(keys, func(t *testing.T) {
			c, folder := logged(t, keys)
			idp := c.client(t)
			const secret, value = "S3cret-canary-1!", "v-canary"
			send := func(method, path, body string) {
				t.Helper()
				if a, err := idp.try(method, path, []byte(body)); err != nil || a.status == http.StatusInternalServerError {
					t.Fatalf("%s %s: %v %v", method, path, a, err)
				}
			}
			called := value
			if here.unnamed { // the name of an entry is in the log, as every user name is
				called = "Ann"
			}
			made := idp.post("/Users", object{"userName": "ann", "externalId": "42", "displayName": called, "title": value, "password": secret,
				"name": object{"familyName": value}}).want(http.StatusCreated)
			at := "/Users/" + fmt.Sprint(made.body["id"])
			for _, r := range []struct{ method, path, body string }{
				{"GET", at + "?access_token=" + c.token, ""},
				{"GET", "/Users/" + c.token, ""},
				{"GET", "/" + c.token, ""},
				{"GET", "/Users?filter=title%20eq%20%22" + value + "%22", ""},
				{"GET", "/Users?filter=" + value + "%20eq%20" + value, ""},
				{"GET", "/Users?filter=password%20eq%20%22" + secret + "%22", ""},
				{"PUT", at, `{"userName":"ann","password":"` + secret + `","active":"v-canary"}`},
				{"PUT", at, `{"userName":"ann","password":"` + secret + `","title":["v-canary","v-canary2"]}`},
				{"PATCH", at, `{"Operations":[{"op":"replace","path":"password","value":"` + secret + `"}]}`},
				{"PATCH", at, `{"Operations":[{"op":"replace","path":"Password","value":{"x":"` + secret + `"}}]}`},
				{"PATCH", at, `{"Operations":[{"op":"replace","value":{"urn:ietf:params:scim:schemas:core:2.0:User:password":["` + secret + `","v-canary"]}}]}`},
				{"PATCH", at, `{"Operations":[{"op":"replace","path":"emails[value eq \"v-canary\"].value","value":"v-canary"}]}`},
				{"POST", "/Users", `{"userName":"ann","title":"v-canary","password":"` + secret + `"}`},
				{"POST", "/Users", `{"userName":"ann","password":"` + secret},
				{"POST", "/Users", `password=` + secret},
				{"POST", "/Bulk", `{"Operations":[{"method":"PUT","path":"` + at + `","data":{"userName":"ann","active":"v-canary","password":"` + secret + `"}}]}`},
				{"POST", "/.search", `{"filter":"password eq \"` + secret + `\""}`},
				{"DELETE", "/Users/v-canary", ""},
			} {
				send(r.method, r.path, r.body)
			}
			wrong := c.client(t).with("Authorization", "Bearer scimgate_0000_WR0NG-canary")
			wrong.get("/Users").want(http.StatusUnauthorized)
			if err := c.stop(); err != nil {
				t.Fatal(err)
			}
			texts := map[string]string{"stderr": c.log.String(), "stdout": c.out.String()}
			files, err := filepath.Glob(filepath.Join(folder, "log", "*"))
			if err != nil || len(files) < 4 {
				t.Fatal(files, err)
			}
			for _, file := range files {
				raw, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				texts[filepath.Base(file)] = string(raw)
			}
			whole := ""
			for name, text := range texts {
				for what, canary := range map[string]string{"the token": c.token, "a wrong token": "WR0NG", "a password": "S3cret", "the bind password": c.password} {
					if strings.Contains(text, canary) {
						t.Errorf("%s holds %s", name, what)
					}
				}
				if strings.Contains(text, "v-canary") && (!values || !strings.HasPrefix(name, "provisioning")) && !strings.HasPrefix(name, "std") {
					t.Errorf("%s holds a value", name)
				}
				if strings.HasPrefix(name, "provisioning") {
					whole += text
				}
			}
			for line := range strings.Lines(texts["stderr"]) {
				if strings.Contains(line, "v-canary") && !strings.Contains(line, `"path":"/scim/v2/Users/v-canary"`) { // a path is no value
					t.Errorf("%s", line)
				}
			}
			if strings.Contains(whole, "v-canary") != values || !strings.Contains(whole, `"operation":"patch"`) {
				t.Error("the log holds less than it should")
			}
		})
	}
}
