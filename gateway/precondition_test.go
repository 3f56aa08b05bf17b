package gateway

import (
	"net/http"
	"testing"

	"scimgate/internal/directory"
)

func TestEntityTags(t *testing.T) {
	const ours = "20260102030405.000001Z#000000#000#000000" // as OpenLDAP has them
	for header, want := range map[string]string{
		`*`: "has", ` * `: "has", `W/"7"`: "has", `"7"`: "has", ` W/"7" `: "has", `W/"6", W/"7"`: "has", `"6","7"`: "has",
		`, "6",, "7",`: "has", `"6,8" , "7"`: "has", "\"6\"\t,\t\"7\"": "has",
		`W/"6"`: "not", `""`: "not", `W/"77"`: "not", `"6,7"`: "not", `W/""`: "not",
		`7`: "broken", `"W/7`: "broken", `W/7`: "broken", `"7`: "broken", `W/"6",*`: "broken", `w/"7"`: "broken", `"6" "7"`: "broken",
		`"7"x`: "broken", `,`: "broken", `W/ "7"`: "broken", `"7 8"`: "broken", `'7'`: "broken", `*,"7"`: "broken", `W/W/"7"`: "broken",
	} {
		got := "broken"
		if tags, ok := parseTags(header); ok && tags.has("7") {
			got = "has"
		} else if ok {
			got = "not"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", header, got, want)
		}
	}
	if tags, ok := parseTags(`W/"` + ours + `"`); !ok || !tags.has(ours) {
		t.Error("a version of OpenLDAP's form does not match itself")
	}
}

func FuzzEntityTags(f *testing.F) {
	for _, seed := range []string{`*`, `W/"7", "8"`, `"a,b"`, `W/"`, `,,"7"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tags, ok := parseTags(text)
		if ok && !tags.any && len(tags.tags) == 0 {
			t.Errorf("%q is a list of nothing", text)
		}
		for _, tag := range tags.tags {
			if again, ok := parseTags(`W/"` + tag + `"`); !ok || len(again.tags) != 1 || !again.has(tag) {
				t.Errorf("the tag %q of %q does not read back", tag, text)
			}
		}
	})
}

// Every method with both headers, when they hold and when they do not (RFC 9110
// section 13.2.2): a write is 412, only a read is 304.
func TestPreconditionsOfEveryMethod(t *testing.T) {
	const right, other, broken = `W/"1"`, `W/"9"`, `W/1`
	user, group := `{"userName":"ann","title":"x"}`, `{"displayName":"team","externalId":"x"}`
	title := `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`
	key := `{"Operations":[{"op":"replace","path":"externalId","value":"x"}]}`
	join := `{"Operations":[{"op":"add","path":"members","value":[{"value":"id-1"}]}]}`
	for _, of := range []struct {
		what, method, path, body string
		ok                       int
	}{
		{"get", "GET", "/Users/id-1", "", 200}, {"head", "HEAD", "/Users/id-1", "", 200},
		{"put", "PUT", "/Users/id-1", user, 200}, {"patch", "PATCH", "/Users/id-1", title, 200}, {"delete", "DELETE", "/Users/id-1", "", 204},
		{"get of a group", "GET", "/Groups/group-id-1", "", 200}, {"put of a group", "PUT", "/Groups/group-id-1", group, 200},
		{"patch of a group", "PATCH", "/Groups/group-id-1", key, 204}, {"patch of members", "PATCH", "/Groups/group-id-1", join, 204},
		{"delete of a group", "DELETE", "/Groups/group-id-1", "", 204},
	} {
		excluded := http.StatusPreconditionFailed
		if of.method == "GET" || of.method == "HEAD" {
			excluded = http.StatusNotModified
		}
		for _, tc := range []struct {
			header, value string
			status        int
		}{
			{"If-Match", right, of.ok}, {"If-Match", "*", of.ok}, {"If-Match", other + ", " + right, of.ok}, {"If-Match", `"1"`, of.ok},
			{"If-Match", other, 412}, {"If-Match", broken, 400}, {"If-Match", "  ", of.ok},
			{"If-None-Match", other, of.ok}, {"If-None-Match", right, excluded}, {"If-None-Match", other + "," + right, excluded},
			{"If-None-Match", "*", excluded}, {"If-None-Match", `"1"`, excluded}, {"If-None-Match", broken, 400},
		} {
			t.Run(of.what+" "+tc.header+" "+tc.value, func(t *testing.T) {
				s := newSite(t)
				is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
				is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"team"}`), 201)
				w := s.ask(of.method, "/scim/v2"+of.path, of.body, tc.header, tc.value)
				if w.Code != tc.status {
					t.Fatalf("%d %s, want %d", w.Code, w.Body, tc.status)
				}
				if tc.status == http.StatusNotModified && (w.Body.Len() > 0 || w.Header().Get("ETag") != right) {
					t.Errorf("304 with the body %q and the ETag %q", w.Body, w.Header().Get("ETag"))
				}
				changed := len(s.users.entries) == 0 || len(s.groups.entries) == 0 ||
					s.users.entries[0].Version != "1" || s.groups.entries[0].Version != "1"
				if refused := w.Code >= 300; refused && changed {
					t.Error("refused, and yet something was changed")
				}
				if of.method != "HEAD" && tc.status >= 400 {
					isError(t, w, tc.status, map[int]string{400: "invalidSyntax"}[tc.status])
				}
			})
		}
	}
}

// Of nothing there is no version: a missing resource is 404 whatever the client
// demands, and only a create can rely on there being none.
func TestPreconditionsOfWhatIsNotThere(t *testing.T) {
	s := newSite(t)
	for _, header := range []string{"If-Match", "If-None-Match"} {
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			body := map[string]string{"PUT": `{"userName":"ann"}`, "PATCH": `{"Operations":[{"op":"remove","path":"title"}]}`}[method]
			isError(t, s.ask(method, "/scim/v2/Users/id-9", body, header, "*"), 404, "")
		}
	}
	isError(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`, "If-Match", "*"), 412, "")
	isError(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`, "If-Match", `W/"1"`), 412, "")
	if len(s.users.entries) != 0 {
		t.Error("a create was refused, and yet somebody is there")
	}
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`, "If-None-Match", "*"), 201)
}

// A delete that was interrupted is completed by the same request, though its
// first half has changed the version.
func TestAnInterruptedDeleteIsRepeatedAsItWas(t *testing.T) {
	s := newSite(t)
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
	s.users.entries[0].Marker.State, s.users.entries[0].Version = directory.Deleting, "2"
	is(t, s.ask("DELETE", "/scim/v2/Users/id-1", "", "If-Match", `W/"1"`), 204)
	if got := s.users.entries[0].Marker.State; got != directory.Deleted {
		t.Errorf("the entry is %s", got)
	}
}

// A write of members that lost a race looks at the condition again: another
// version than the excluded one is still welcome.
func TestMembersWithAnExcludedVersionTryAgain(t *testing.T) {
	join := `{"Operations":[{"op":"add","path":"members","value":[{"value":"id-1"}]}]}`
	for header, status := range map[string]int{"If-None-Match": 204, "If-Match": 412} {
		s := newSite(t)
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)
		is(t, s.ask("POST", "/scim/v2/Groups", `{"displayName":"team"}`), 201)
		s.groups.between = func() {
			is(t, s.ask("PATCH", "/scim/v2/Groups/group-id-1", `{"Operations":[{"op":"replace","path":"externalId","value":"x"}]}`), 204)
		}
		value := map[string]string{"If-None-Match": `W/"9"`, "If-Match": `W/"1"`}[header]
		if w := s.ask("PATCH", "/scim/v2/Groups/group-id-1", join, header, value); w.Code != status {
			t.Errorf("%s: %d %s, want %d", header, w.Code, w.Body, status)
		}
	}
}

// What the discovery endpoints say has a version too.
func TestDiscoveryHasVersions(t *testing.T) {
	s := newSite(t)
	seen := map[string]bool{}
	for _, path := range []string{"ServiceProviderConfig", "ResourceTypes", "ResourceTypes/User", "Schemas"} {
		w := s.ask("GET", "/scim/v2/"+path, "")
		is(t, w, 200)
		tag := w.Header().Get("ETag")
		if tag == "" || seen[tag] {
			t.Errorf("%s: the ETag is %q", path, tag)
		}
		seen[tag] = true
		for _, header := range []string{tag, "*", `"x", ` + tag} {
			if w := s.ask("GET", "/scim/v2/"+path, "", "If-None-Match", header); w.Code != 304 || w.Body.Len() > 0 || w.Header().Get("ETag") != tag {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
		other := s.ask("GET", "/scim/v2/"+path, "", "If-None-Match", `W/"x"`)
		if is(t, other, 200); other.Header().Get("ETag") != tag {
			t.Errorf("%s: the same document has another version", path)
		}
		is(t, s.ask("GET", "/scim/v2/"+path, "", "If-Match", tag), 200)
		isError(t, s.ask("GET", "/scim/v2/"+path, "", "If-Match", `W/"x"`), 412, "")
		isError(t, s.ask("GET", "/scim/v2/"+path, "", "If-Match", "x"), 400, "invalidSyntax")
	}
}
