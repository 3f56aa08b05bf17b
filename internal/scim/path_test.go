package scim

import (
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	work := Compare{Path{Attr: "type"}, Eq, "work"}
	for _, test := range []struct {
		text string
		want Path
	}{
		{`userName`, Path{Attr: "userName"}},
		{`name.givenName`, Path{Attr: "name", Sub: "givenName"}},
		{`emails[type eq "work"]`, Path{Attr: "emails", Filter: work}},
		{`emails[type eq "work"].value`, Path{Attr: "emails", Filter: work, Sub: "value"}},
		{`members.$ref`, Path{Attr: "members", Sub: "$ref"}},
		{`enterprise:department`, Path{URN: "enterprise", Attr: "department"}},
		{EnterpriseURN + `:manager.value`, Path{URN: EnterpriseURN, Attr: "manager", Sub: "value"}},
		{UserURN + `:emails[type eq "work"].value`, Path{URN: UserURN, Attr: "emails", Filter: work, Sub: "value"}},
		{EnterpriseURN, Path{URN: "urn:ietf:params:scim:schemas:extension:enterprise:2.0", Attr: "User"}},
		{`urn:scim:schemas:core:1.0`, Path{URN: "urn:scim:schemas:core:1.0"}},
		{`http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group`,
			Path{URN: "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"}},
	} {
		got := mustPath(t, test.text)
		wantEqual(t, got, test.want)
		if got.String() != test.text {
			t.Errorf("prints as %s, want %s", got, test.text)
		}
	}
	wantEqual(t, mustPath(t, ` emails[ TYPE  EQ work ].value `).String(), `emails[TYPE eq "work"].value`)
}

func TestParsePathErrors(t *testing.T) {
	for _, test := range []struct{ text, detail string }{
		{``, `path, position 1: found the end, expected the name of an attribute`},
		{`user name`, `path, position 6: found "name", expected the end of the path`},
		{`emails[type]`, `path, position 12: found "]", expected an operator`},
		{`emails[type eq "work"]value`, `path, position 23: found "value", expected the end`},
		{`emails[]`, `path, position 8: found "]", expected the name of a sub-attribute`},
		{`a.b.c`, `path, position 1: found "a.b.c"`},
		{`a:`, `path, position 1`},
		{`é`, `path, position 1`},
		{strings.Repeat("a", maxPath+1), `bytes long`},
	} {
		_, err := ParsePath(test.text)
		wantError(t, err, TypeInvalidPath, test.detail)
	}
}

func TestLookup(t *testing.T) {
	def := UserDefinition()
	for _, test := range []struct{ text, want string }{
		{"username", "userName"},
		{"NAME.GIVENNAME", "name.givenName"},
		{UserURN + ":userName", "userName"},
		{strings.ToLower(UserURN) + ":name.familyname", "name.familyName"},
		{EnterpriseURN + ":department", EnterpriseURN + ":department"},
		{"enterprise:MANAGER.value", EnterpriseURN + ":manager.value"},
		{"department", EnterpriseURN + ":department"},
		{"manager", EnterpriseURN + ":manager"},
		{"manager.$ref", EnterpriseURN + ":manager.$ref"},
		{EnterpriseURN + ".department", EnterpriseURN + ":department"},
		{"email.value", "emails.value"},
		{"email", "emails"},
		{`emails[TYPE eq "work"].VALUE`, `emails[type eq "work"].value`},
		{"id", "id"},
		{"meta.lastmodified", "meta.lastModified"},
		{UserURN + ":externalId", "externalId"},
		{EnterpriseURN, EnterpriseURN},
		{UserURN, UserURN},

		{"nonsense", ""},
		{"name.nonsense", ""},
		{"userName.value", ""},
		{`emails[nonsense eq "x"]`, ""},
		{"enterprise:userName", ""},
		{"urn:example:userName", ""},
		{EnterpriseURN + `[a pr]`, ""},
		{"members", ""},
	} {
		a, p, ok := def.Lookup(mustPath(t, test.text))
		if ok != (test.want != "") || ok && p.String() != test.want {
			t.Errorf("%s: %v %s, want %q", test.text, ok, p, test.want)
		}
		if ok && a.Name == "" {
			t.Errorf("%s: no attribute", test.text)
		}
		if _, again, _ := def.Lookup(p); ok && again.String() != test.want {
			t.Errorf("%s: looked up again it is %s", test.text, again)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{
		`userName`, `name.givenName`, `emails[type eq "work" or not (value pr)].value`, EnterpriseURN + `:manager.value`,
		EnterpriseURN, `urn:scim:schemas:core:1.0`, `a[b eq "\""]`, `enterprise:x`,
	} {
		f.Add(seed)
	}
	for _, seed := range append(seenPaths, transcriptSeeds(f).paths...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := ParsePath(text)
		if err != nil {
			wantError(t, err, TypeInvalidPath, "path")
			wantBadRequest(t, err)
			return
		}
		second, err := ParsePath(first.String())
		if err != nil && len(first.String()) <= maxPath {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, first, err)
		}
		wantEqual(t, second, first)
		if _, p, ok := UserDefinition().Lookup(first); ok {
			mustPath(t, p.String())
		}
	})
}
