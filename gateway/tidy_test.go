package gateway

import (
	"net/url"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A filter that the query's parser would drop must not list everybody.
func TestNoFilterIsLost(t *testing.T) {
	s := newSite(t)
	for _, name := range []string{"ann", "bob;ops", "100%"} {
		is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"`+name+`"}`), 201)
	}
	for query, want := range map[string]string{
		`filter=userName+eq+"bob;ops"`: "bob;ops", `filter=userName%20eq%20%22bob%3Bops%22`: "bob;ops", `count=9;x&filter=userName+eq+"ann"`: "",
		`filter=userName+eq+"nobody;here"`: "nobody", `filter=userName+eq+"100%25"`: "100%", `filter=userName+eq+"100%"`: "", `%zz=1`: "", `filter=%`: "",
	} {
		w := s.ask("GET", "/scim/v2/Users?"+strings.ReplaceAll(query, `"`, "%22"), "")
		switch want {
		case "":
			isError(t, w, 400, "invalidValue")
		case "nobody":
			if got := is(t, w, 200); got["totalResults"] != 0.0 {
				t.Errorf("%s finds %v", query, got["totalResults"])
			}
		default:
			list, _ := is(t, w, 200)["Resources"].([]any)
			if len(list) != 1 || list[0].(map[string]any)["userName"] != want {
				t.Errorf("%s finds %v", query, list)
			}
		}
	}
}

// A list of names may come in parts; anything else comes once.
func TestRepeatedParameters(t *testing.T) {
	s := newSite(t)
	id, _ := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann","title":"Dr","externalId":"e1"}`), 201)["id"].(string)
	for _, path := range []string{"/scim/v2/Users/" + id, "/scim/v2/Users"} {
		got := is(t, s.ask("GET", path+"?attributes=userName&attributes=title", ""), 200)
		if list, ok := got["Resources"].([]any); ok {
			got, _ = list[0].(map[string]any)
		}
		if got["userName"] != "ann" || got["title"] != "Dr" || got["externalId"] != nil {
			t.Errorf("%s: two attributes parameters show %v", path, got)
		}
		got = is(t, s.ask("GET", path+"?excludedAttributes=title&excludedAttributes=externalId", ""), 200)
		if list, ok := got["Resources"].([]any); ok {
			got, _ = list[0].(map[string]any)
		}
		if got["userName"] != "ann" || got["title"] != nil || got["externalId"] != nil {
			t.Errorf("%s: two excludedAttributes parameters show %v", path, got)
		}
	}
	w := s.ask("GET", "/scim/v2/Users?filter=userName+pr&filter=title+pr", "")
	isError(t, w, 400, "invalidValue")
	if !strings.Contains(w.Body.String(), "filter") {
		t.Errorf("which parameter? %s", w.Body)
	}
}

// What is not offered is no fault of the server, and a client that tries it
// must not fill the log with errors.
func TestNotImplementedIsNoErrorInTheLog(t *testing.T) {
	s := newSite(t)
	core, seen := observer.New(zap.InfoLevel)
	s.log = zap.New(core)
	isError(t, s.ask("GET", "/scim/v2/Me", ""), 501, "")
	lines := seen.FilterMessage("request").All()
	if len(lines) != 1 || lines[0].Level != zap.InfoLevel {
		t.Errorf("the log has %v", lines)
	}
}

// Clients that encode whatever is not a letter are understood.
func TestEncodedPaths(t *testing.T) {
	s := newSite(t)
	id, _ := is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`), 201)["id"].(string)
	for _, path := range []string{
		"/scim/v2/Users/" + strings.ReplaceAll(id, "-", "%2D"), "/scim/v2/%55sers/" + id,
		"/scim/v2/Schemas/" + url.QueryEscape("urn:ietf:params:scim:schemas:core:2.0:User"), "/scim/v2/Users%2F",
	} {
		is(t, s.ask("GET", path, ""), 200)
	}
	isError(t, s.ask("GET", "/scim/v2/Users/"+id+"%2Fx", ""), 404, "")
}

func TestCompressedBodies(t *testing.T) {
	s := newSite(t)
	w := s.ask("POST", "/scim/v2/Users", "\x1f\x8b\x08", "Content-Encoding", "gzip")
	isError(t, w, 415, "")
	if got := w.Header().Get("Accept-Encoding"); got != "identity" {
		t.Errorf("Accept-Encoding: %q", got)
	}
	is(t, s.ask("POST", "/scim/v2/Users", `{"userName":"ann"}`, "Content-Encoding", "Identity"), 201)
}
