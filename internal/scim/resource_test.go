package scim

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	const e = `"` + EnterpriseURN + `"`
	for _, test := range []struct{ name, body, want string }{
		{"names in any case", `{"USERNAME":"x","Name":{"GIVENNAME":"g"},"Emails":[{"VALUE":"v"}]}`,
			`{"userName":"x","name":{"givenName":"g"},"emails":[{"value":"v"}]}`},
		{"dotted and URN names", `{"name.givenName":"g","name":{"familyName":"f"},` + e[:len(e)-1] + `:department":"d",` + e + `:{"manager":{"value":"m"}}}`,
			`{"name":{"givenName":"g","familyName":"f"},` + e + `:{"department":"d","manager":{"value":"m"}}}`},
		{"names with a value filter", `{"emails":[{"type":"home","value":"h"}],"emails[type eq \"work\"].value":"w"}`,
			`{"emails":[{"type":"home","value":"h"},{"type":"work","value":"w"}]}`},
		{"core URN", `{"` + UserURN + `:userName":"x","` + UserURN + `":{"title":"t"}}`, `{"userName":"x","title":"t"}`},
		{"bare extension names", `{"department":"d","manager":"m"}`, `{` + e + `:{"department":"d","manager":{"value":"m"}}}`},
		{"empty is absent", `{"title":null,"nickName":"","displayName":"  ","emails":[],"name":{},"phoneNumbers":null,"roles":[{}],"photos":[null,""]}`, `{}`},
		{"empty within", `{"name":{"givenName":"","familyName":null},` + e + `:{"department":"","manager":{"value":"","displayName":" "}}}`, `{}`},
		{"a template nothing was filled into", `{"emails":[{"value":"","type":"work","primary":true}]}`, `{}`},
		{"blanks at the end stay", `{"title":"x "}`, `{"title":"x "}`},
		{"booleans as text", `{"active":"False","emails":[{"value":"v","primary":"TRUE"}]}`, `{"active":false,"emails":[{"value":"v","primary":true}]}`},
		{"booleans in a list", `{"active":["true"]}`, `{"active":true}`},
		{"one object for a list", `{"emails":{"value":"v","type":"work"}}`, `{"emails":[{"value":"v","type":"work"}]}`},
		{"a list for one object", `{"manager":[{"value":"m","$ref":null}],"title":["t"]}`, `{"title":"t",` + e + `:{"manager":{"value":"m"}}}`},
		{"text for a list of objects", `{"emails":"v","roles":["a","b"]}`, `{"emails":[{"value":"v"}],"roles":[{"value":"a"},{"value":"b"}]}`},
		{"numbers for text", `{"externalId":42,` + e + `:{"employeeNumber":701984}}`, `{"externalId":"42",` + e + `:{"employeeNumber":"701984"}}`},
		{"read-only and unknown", `{"schemas":["x"],"id":"1","meta":{"version":"W/1"},"groups":[{"value":"g"}],"what":1,"urn:x:y:z":{"a":1},"http://x/y":2,"userName":"x"}`,
			`{"userName":"x"}`},
		{"unknown within", `{"name":{"givenName":"g","what":1},"manager":{"managerId":1,"displayName":"d"}}`, `{"name":{"givenName":"g"}}`},
		{"extension null", `{` + e + `:null}`, `{}`},
		{"one primary", `{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`,
			`{"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]}`},
		{"the same twice", `{"userName":"x","USERNAME":"x"}`, `{"userName":"x"}`},
		{"byte order mark", "\ufeff{\"userName\":\"x\"}", `{"userName":"x"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Decode([]byte(test.body), UserDefinition())
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, got, resource(t, test.want))
		})
	}
}

func TestDecodeGroup(t *testing.T) {
	got, err := Decode([]byte(`{"displayName":"g","members":[{"value":"a","$ref":null,"display":"A"},"b",{"value":"a","type":"User"}]}`), GroupDefinition())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, resource(t, `{"displayName":"g","members":[{"value":"a","display":"A","type":"User"},{"value":"b"}]}`))
}

func TestDecodeErrors(t *testing.T) {
	for _, test := range []struct{ name, body, scimType, detail string }{
		{"nothing", ``, TypeInvalidSyntax, "ends too early"},
		{"half", `{"userName":`, TypeInvalidSyntax, "ends too early"},
		{"no JSON", `userName=x`, TypeInvalidSyntax, "not one valid JSON object, byte"},
		{"a list", `[]`, TypeInvalidSyntax, "a list of 0, expected a JSON object"},
		{"null", `null`, TypeInvalidSyntax, "null, expected a JSON object"},
		{"trailing", `{} {}`, TypeInvalidSyntax, "something follows"},
		{"trailing brace", `{}}`, TypeInvalidSyntax, "something follows"},
		{"twice", `{"a":1,"a":2}`, TypeInvalidSyntax, `"a" is there twice`},
		{"NUL", `{"userName":"admin\u0000x"}`, TypeInvalidSyntax, "U+0000"},
		{"half a character", `{"userName":"a\ud800"}`, TypeInvalidSyntax, `byte 15: the escape \ud800`},
		{"the other half", `{"userName":"a\uDC00b"}`, TypeInvalidSyntax, `\uDC00`},
		{"two first halves", `{"userName":"\ud800\ud800\udc00"}`, TypeInvalidSyntax, "byte 14"},
		{"halves the wrong way round", `{"userName":"\udc00\ud800"}`, TypeInvalidSyntax, "byte 14"},
		{"two second halves", `{"userName":"\udc00\udc00"}`, TypeInvalidSyntax, "byte 14"},
		{"half a character in a name", `{"a\ud800":1}`, TypeInvalidSyntax, "byte 4"},
		{"half a character at the end", `{"userName":"\\\ud83d`, TypeInvalidSyntax, "half"},
		{"NUL in a name", `{"a\u0000":1}`, TypeInvalidSyntax, "U+0000"},
		{"comma", `{"a":[1,]}`, TypeInvalidSyntax, ""},
		{"not UTF-8", "{\"a\":\"\xff\"}", TypeInvalidSyntax, "UTF-8"},
		{"too deep", strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), TypeInvalidSyntax, "deeper than 32"},
		{"twice in another case", `{"userName":"x","username":"y"}`, TypeInvalidSyntax, "userName: given twice"},
		{"twice by another name", `{"manager":"x","` + EnterpriseURN + `":{"manager":{"value":"y"}}}`, TypeInvalidSyntax, "given twice"},
		{"object for text", `{"userName":{"a":1}}`, TypeInvalidValue, "userName: got an object, expected text"},
		{"list for text", `{"userName":["a","b"]}`, TypeInvalidValue, "userName: got a list of 2, expected one value"},
		{"text for a boolean", `{"active":"maybe"}`, TypeInvalidValue, "active: got text, expected true or false"},
		{"number for a boolean", `{"active":1}`, TypeInvalidValue, "active: got a number, expected true or false"},
		{"within a list", `{"emails":[{"value":"v","primary":"x"}]}`, TypeInvalidValue, "emails.primary: got text"},
		{"text for an object", `{"name":"Jane"}`, TypeInvalidValue, `name: got text, expected an object such as {"formatted":"…"}`},
		{"text for an extension", `{"` + EnterpriseURN + `":"x"}`, TypeInvalidValue, "got text, expected an object"},
		{"broken filter", `{"emails[type eq].value":"x"}`, TypeInvalidPath, "position"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Decode([]byte(test.body), UserDefinition())
			wantError(t, err, test.scimType, test.detail)
		})
	}
	for _, members := range []string{`[{"value":""}]`, `[{"display":"x"}]`, `[null]`, `[{"value":"a"},{}]`, `[{"value":"a","operation":"delete"}]`} {
		_, err := Decode([]byte(`{"displayName":"g","members":`+members+`}`), GroupDefinition())
		wantError(t, err, TypeInvalidValue, "members")
	}
}

// Both halves of a character are one, and an escaped backslash begins no escape.
func TestWholePairsAreText(t *testing.T) {
	for body, want := range map[string]string{
		`{"userName":"\ud83d\uDE00\ud83d\ude00"}`: "😀😀", `{"userName":"\\ud800"}`: `\ud800`, `{"userName":"\\\ud83d\ude00\u00fc"}`: `\😀ü`,
	} {
		r, err := Decode([]byte(body), UserDefinition())
		if err != nil || r["userName"] != want {
			t.Errorf("%s: %v %v, want %s", body, r["userName"], err, want)
		}
	}
}

// A password must not come back in the detail of an error.
func TestDecodeErrorsHideValues(t *testing.T) {
	for _, body := range []string{`{"password":{"x":"s3cret"}}`, `{"password":["s3cret","s3cret2"]}`, `{"active":"s3cret"}`} {
		_, err := Decode([]byte(body), UserDefinition())
		wantError(t, err, TypeInvalidValue)
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestDecodeTypes(t *testing.T) {
	def := Definition{Name: "Thing", Core: Schema{ID: "urn:x:Thing", Attributes: []Attribute{
		{Name: "n", Type: Integer}, {Name: "d", Type: Decimal}, {Name: "t", Type: DateTime}, {Name: "tags", MultiValued: true},
	}}}
	got, err := Decode([]byte(`{"n":" 42 ","d":"1.5","t":"2011-05-13T04:42:34Z","tags":["a",null,7,"a"]}`), def)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, Resource{"n": json.Number("42"), "d": json.Number("1.5"), "t": "2011-05-13T04:42:34Z", "tags": []any{"a", "7"}})
	for _, body := range []string{`{"n":1.5}`, `{"n":"x"}`, `{"n":true}`, `{"d":"0x1p3"}`, `{"d":"NaN"}`, `{"t":"yesterday"}`, `{"tags":[{"value":"x"}]}`} {
		_, err := Decode([]byte(body), def)
		wantError(t, err, TypeInvalidValue, "expected")
	}
}

func TestValues(t *testing.T) {
	r := resource(t, `{"userName":"x","emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}],"`+EnterpriseURN+`":{"manager":{"value":"m"}}}`)
	for _, test := range []struct {
		path string
		want []any
	}{
		{"userName", []any{"x"}},
		{"emails.value", []any{"w", "h"}},
		{`emails[type eq "home"].value`, []any{"h"}},
		{"manager.value", []any{"m"}},
		{"title", nil},
		{"unknown", nil},
	} {
		wantEqual(t, r.Values(UserDefinition(), mustPath(t, test.path)), test.want)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"userName":"x","emails":{"value":"v","primary":"True"},"name.givenName":"g"}`,
		`{"` + EnterpriseURN + `":{"manager":[{"value":"m"}]},"department":null}`,
		`{"emails[type eq \"work\"].value":"w","roles":[[["x"]]],"active":[]}`, `[]`, `{"a":{"b":[1,2,{"c":null}]}}`,
		`{"addresses":[{"country":"GB"},{"country":"GB"}],"urn:x":{}}`,
	} {
		f.Add([]byte(seed))
	}
	for _, seed := range transcriptSeeds(f).bodies {
		f.Add(seed)
	}
	f.Add([]byte(`{"userName":"u","USERNAME":"U","emails":[{"VALUE":"a","value":""}],"active":["True"],"name":{"givenName":["x"]}}`))
	f.Add([]byte(strings.Repeat(`{"a":[`, 40)))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Decode(body, UserDefinition())
		if err != nil {
			wantBadRequest(t, err)
			return
		}
		// What Decode made is already in the shape that it makes.
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Decode(again, UserDefinition())
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		wantEqual(t, second, r)
	})
}
