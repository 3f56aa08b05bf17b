package scim

import (
	"errors"
	"testing"
)

const enterprise = `"` + EnterpriseURN + `"`

func TestApply(t *testing.T) {
	const two = `{"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"}]}`
	const manager = `{` + enterprise + `:{"department":"d","manager":{"value":"m","$ref":"r"}}}`
	for _, test := range []struct{ name, before, operations, after string }{
		// simple attributes
		{"replace", `{"title":"a"}`, `{"op":"replace","path":"title","value":"b"}`, `{"title":"b"}`},
		{"add, in any case", `{}`, `{"op":"Add","path":"NICKNAME","value":"Babs"}`, `{"nickName":"Babs"}`},
		{"remove", `{"title":"a"}`, `{"op":"Remove","path":"title"}`, `{}`},
		{"remove what is not there", `{}`, `{"op":"remove","path":"title"}`, `{}`},
		{"remove with a null", `{"title":"a"}`, `{"op":"remove","path":"title","value":null}`, `{}`},
		{"replace by null", `{"title":"a"}`, `{"op":"replace","path":"title","value":null}`, `{}`},
		{"replace by nothing", `{"title":"a"}`, `{"op":"replace","path":"title","value":""}`, `{}`},
		{"boolean as text", `{"active":true}`, `{"op":"Replace","path":"active","value":"False"}`, `{"active":false}`},
		{"boolean in a list", `{"active":true}`, `{"op":"replace","path":"active","value":[false]}`, `{"active":false}`},
		{"in order", `{}`, `{"op":"add","path":"title","value":"a"},{"op":"replace","path":"title","value":"b"}`, `{"title":"b"}`},

		// path-less
		{"Okta deactivates", `{"active":true,"title":"t"}`, `{"op":"replace","value":{"active":false}}`, `{"active":false,"title":"t"}`},
		{"keys are paths", `{"name":{"givenName":"a","middleName":"m"}}`,
			`{"op":"replace","value":{"displayName":"D","name.givenName":"G","name.familyName":"F",` + enterprise[:len(enterprise)-1] + `:employeeNumber":"E"}}`,
			`{"displayName":"D","name":{"givenName":"G","middleName":"m","familyName":"F"},` + enterprise + `:{"employeeNumber":"E"}}`},
		{"keys with filters", `{}`, `{"op":"add","value":{"emails[type eq \"work\"].value":"w"}}`, `{"emails":[{"type":"work","value":"w"}]}`},
		{"nested extension", `{` + enterprise + `:{"department":"d"}}`, `{"op":"replace","value":{` + enterprise + `:{"division":"v","department":""}}}`,
			`{` + enterprise + `:{"division":"v"}}`},
		{"extension null", `{` + enterprise + `:{"department":"d"}}`, `{"op":"replace","value":{` + enterprise + `:null}}`, `{}`},
		{"extension empty object", `{` + enterprise + `:{"department":"d"}}`, `{"op":"replace","value":{` + enterprise + `:{}}}`, `{` + enterprise + `:{"department":"d"}}`},
		{"unknown and read-only keys", `{"id":"1","title":"t"}`,
			`{"op":"replace","value":{"id":"2","meta":{},"schemas":["x"],"groups":[{"value":"g"}],"what":1,"urn:x:y:z":"1","title":"u"}}`, `{"id":"1","title":"u"}`},
		{"null clears, other keys stay", `{"title":"t","nickName":"n"}`, `{"op":"replace","value":{"title":null}}`, `{"nickName":"n"}`},
		{"adding null says nothing", `{"title":"t"}`, `{"op":"add","value":{"title":null}}`, `{"title":"t"}`},
		{"add appends", two, `{"op":"add","value":{"emails":[{"type":"other","value":"o"}]}}`,
			`{"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"},{"type":"other","value":"o"}]}`},
		{"replace replaces the list", two, `{"op":"replace","value":{"emails":[{"type":"other","value":"o"}]}}`, `{"emails":[{"type":"other","value":"o"}]}`},

		// complex
		{"parts not given stay", `{"name":{"givenName":"g","familyName":"f"}}`, `{"op":"replace","path":"name","value":{"givenName":"x"}}`, `{"name":{"givenName":"x","familyName":"f"}}`},
		{"parts given empty go", `{"name":{"givenName":"g","familyName":"f"}}`, `{"op":"replace","path":"name","value":{"givenName":""}}`, `{"name":{"familyName":"f"}}`},
		{"all parts empty", `{"name":{"givenName":"g"}}`, `{"op":"replace","path":"name","value":{"givenName":null}}`, `{}`},
		{"sub-attribute", `{}`, `{"op":"replace","path":"name.givenName","value":"g"}`, `{"name":{"givenName":"g"}}`},
		{"remove the last sub-attribute", `{"name":{"givenName":"g"}}`, `{"op":"remove","path":"name.givenName"}`, `{}`},

		// the forms of manager
		{"manager as text", `{}`, `{"op":"Add","path":` + enterprise[:len(enterprise)-1] + `:manager","value":"m"}`, `{` + enterprise + `:{"manager":{"value":"m"}}}`},
		{"manager in a list", manager, `{"op":"Add","path":"manager","value":[{"$ref":"s","value":"n"}]}`, `{` + enterprise + `:{"department":"d","manager":{"value":"n","$ref":"s"}}}`},
		{"a new manager drops the old one's URI", manager, `{"op":"replace","path":"manager","value":"n"}`, `{` + enterprise + `:{"department":"d","manager":{"value":"n"}}}`},
		{"the same by its value", manager, `{"op":"replace","path":"manager.value","value":"n"}`, `{` + enterprise + `:{"department":"d","manager":{"value":"n"}}}`},
		{"manager empty", manager, `{"op":"replace","path":"manager","value":{"value":""}}`, `{` + enterprise + `:{"department":"d"}}`},
		{"manager empty text", manager, `{"op":"replace","path":"manager","value":""}`, `{` + enterprise + `:{"department":"d"}}`},
		{"remove manager", manager, `{"op":"remove","path":"manager"}`, `{` + enterprise + `:{"department":"d"}}`},
		{"remove manager.value", manager, `{"op":"remove","path":"enterprise:manager.value"}`, `{` + enterprise + `:{"department":"d"}}`},
		{"remove the extension", manager, `{"op":"remove","path":` + enterprise + `}`, `{}`},
		{"replace the extension", manager, `{"op":"replace","path":` + enterprise + `,"value":{"division":"v"}}`,
			`{` + enterprise + `:{"department":"d","division":"v","manager":{"value":"m","$ref":"r"}}}`},
		{"unknown extension", `{"title":"t"}`, `{"op":"replace","path":"urn:example:2.0:User:x","value":"y"}`, `{"title":"t"}`},

		// value filters
		{"set the value", two, `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"x"}`,
			`{"emails":[{"type":"work","value":"x","primary":true},{"type":"home","value":"h"}]}`},
		{"filters without quotes or case", two, `{"op":"replace","path":"EMAILS[TYPE EQ Work].VALUE","value":"x"}`,
			`{"emails":[{"type":"work","value":"x","primary":true},{"type":"home","value":"h"}]}`},
		{"created, then shared", `{}`, `{"op":"Add","path":"addresses[type eq \"work\"].country","value":"GB"},{"op":"Replace","path":"addresses[type eq \"work\"].locality","value":"London"}`,
			`{"addresses":[{"type":"work","country":"GB","locality":"London"}]}`},
		{"created with a real boolean", `{}`, `{"op":"Add","path":"roles[primary eq \"True\"].value","value":"admin"}`, `{"roles":[{"primary":true,"value":"admin"}]}`},
		{"found by a boolean as text", `{"roles":[{"primary":true,"value":"a"}]}`, `{"op":"Add","path":"roles[primary eq \"True\"].value","value":"b"}`, `{"roles":[{"primary":true,"value":"b"}]}`},
		{"created from two equalities", `{}`, `{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"w"}`, `{"emails":[{"type":"work","primary":true,"value":"w"}]}`},
		{"created as a whole", `{}`, `{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"w"}}`, `{"emails":[{"type":"work","value":"w"}]}`},
		{"replaced as a whole", two, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"x"}}`, `{"emails":[{"type":"work","value":"x"},{"type":"home","value":"h"}]}`},
		{"added to", two, `{"op":"add","path":"emails[type eq \"work\"]","value":{"display":"D"}}`,
			`{"emails":[{"type":"work","value":"w","primary":true,"display":"D"},{"type":"home","value":"h"}]}`},
		{"cleared", two, `{"op":"replace","path":"emails[type eq \"work\"].value","value":""}`, `{"emails":[{"type":"home","value":"h"}]}`},
		{"cleared where nothing is", `{}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":null}`, `{}`},
		{"removed", two, `{"op":"remove","path":"emails[type eq \"home\"]"}`, `{"emails":[{"type":"work","value":"w","primary":true}]}`},
		{"its value removed", two, `{"op":"remove","path":"emails[type eq \"home\"].value"}`, `{"emails":[{"type":"work","value":"w","primary":true}]}`},
		{"its part removed", two, `{"op":"remove","path":"emails[type eq \"work\"].primary"}`, `{"emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}]}`},
		{"two become one", `{"emails":[{"type":"work","value":"a"},{"type":"work","value":"b"}]}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"c"}`,
			`{"emails":[{"type":"work","value":"c"}]}`},

		// lists
		{"add what is there", two, `{"op":"add","path":"emails","value":[{"type":"work","value":"w"}]}`, two},
		{"add what is there, without its type", two, `{"op":"add","path":"emails","value":[{"value":"w"}]}`, two},
		{"add what is there with another type", two, `{"op":"add","path":"emails","value":[{"value":"h","type":"other"}]}`,
			`{"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"},{"type":"other","value":"h"}]}`},
		{"add nothing", two, `{"op":"add","path":"emails","value":[]}`, two},
		{"replace by none", two, `{"op":"replace","path":"emails","value":[]}`, `{}`},
		{"remove all", two, `{"op":"remove","path":"emails"}`, `{}`},
		{"remove named values", two, `{"op":"remove","path":"emails","value":[{"value":"h"}]}`, `{"emails":[{"type":"work","value":"w","primary":true}]}`},
		{"remove with the wrong type", two, `{"op":"remove","path":"emails","value":[{"value":"h","type":"work"}]}`, two},
		{"values of all", `{}`, `{"op":"add","path":"emails.value","value":"x"}`, `{"emails":[{"value":"x"}]}`},
		{"email is emails", `{"emails":[{"value":"a"}]}`, `{"op":"replace","path":"email.value","value":"b"}`, `{"emails":[{"value":"b"}]}`},
		{"a part of each", `{"addresses":[{"country":"FR"},{"country":"DE"}]}`, `{"op":"replace","path":"addresses.type","value":"work"}`,
			`{"addresses":[{"country":"FR","type":"work"},{"country":"DE","type":"work"}]}`},

		// at most one primary (RFC 7644 section 3.5.2)
		{"a new primary", two, `{"op":"add","path":"emails","value":{"value":"n","primary":"True"}}`,
			`{"emails":[{"type":"work","value":"w","primary":false},{"type":"home","value":"h"},{"value":"n","primary":true}]}`},
		{"primary moves", two, `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`,
			`{"emails":[{"type":"work","value":"w","primary":false},{"type":"home","value":"h","primary":true}]}`},
		{"primary among two given", `{}`, `{"op":"replace","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}`,
			`{"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := resource(t, test.before)
			got, err := Apply(UserDefinition(), before, patch(t, test.operations))
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, got, resource(t, test.after))
			wantEqual(t, before, resource(t, test.before))
		})
	}
}

func TestApplyMembers(t *testing.T) {
	const ab = `{"displayName":"g","members":[{"value":"a"},{"value":"b","type":"User"}]}`
	for _, test := range []struct{ name, before, operations, after string }{
		{"add", `{"displayName":"g"}`, `{"op":"Add","path":"members","value":[{"$ref":null,"value":"a"},{"value":"b","type":"User"}]}`, ab},
		{"add one as text", `{"displayName":"g","members":[{"value":"a"}]}`, `{"op":"add","path":"members","value":"b"}`, `{"displayName":"g","members":[{"value":"a"},{"value":"b"}]}`},
		{"add a member", ab, `{"op":"add","path":"members","value":[{"value":"a"}]}`, ab},
		{"remove by value", ab, `{"op":"Remove","path":"members","value":[{"$ref":null,"value":"b"}]}`, `{"displayName":"g","members":[{"value":"a"}]}`},
		{"remove by value with a display", ab, `{"op":"Remove","path":"members","value":{"value":"b","display":"B"}}`, `{"displayName":"g","members":[{"value":"a"}]}`},
		{"remove by filter", ab, `{"op":"remove","path":"members[value eq \"b\"]"}`, `{"displayName":"g","members":[{"value":"a"}]}`},
		{"remove no member", ab, `{"op":"remove","path":"members[value eq \"c\"]"},{"op":"remove","path":"members","value":[{"value":"D"}]}`, ab},
		{"ids compare without case", ab, `{"op":"remove","path":"members","value":[{"value":"B"}]},{"op":"add","path":"members","value":[{"value":"A"}]}`,
			`{"displayName":"g","members":[{"value":"a"}]}`},
		{"remove by filter in capitals", ab, `{"op":"remove","path":"members[value eq \"B\" and type eq \"user\"]"}`, `{"displayName":"g","members":[{"value":"a"}]}`},
		{"twice in two spellings", ab, `{"op":"replace","path":"members","value":[{"value":"c"},{"value":"C"}]}`, `{"displayName":"g","members":[{"value":"c"}]}`},
		{"replace the same member", ab, `{"op":"replace","path":"members[value eq \"A\"]","value":{"value":"A","display":"x"}}`,
			`{"displayName":"g","members":[{"value":"a","display":"x"},{"value":"b","type":"User"}]}`},
		{"remove all", ab, `{"op":"remove","path":"members"}`, `{"displayName":"g"}`},
		{"replace", ab, `{"op":"replace","path":"members","value":[{"value":"c"},{"value":"c"}]}`, `{"displayName":"g","members":[{"value":"c"}]}`},
		{"replace by none", ab, `{"op":"replace","path":"members","value":[]}`, `{"displayName":"g"}`},
		{"rename leaves members", ab, `{"op":"replace","value":{"id":"1","displayName":"h"}}`, `{"displayName":"h","members":[{"value":"a"},{"value":"b","type":"User"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Apply(GroupDefinition(), resource(t, test.before), patch(t, test.operations))
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, got, resource(t, test.after))
		})
	}
	for _, test := range []struct{ operation, scimType string }{
		{`{"op":"remove","path":"members","value":[]}`, TypeInvalidValue},
		{`{"op":"remove","path":"members","value":null}`, TypeInvalidValue},
		{`{"op":"remove","path":"members","value":""}`, TypeInvalidValue},
		{`{"op":"remove","path":"members","value":[{"value":""}]}`, TypeInvalidValue},
		{`{"op":"remove","path":"members","value":[{"value":"a"},{"id":"b"}]}`, TypeInvalidValue},
		{`{"op":"replace","path":"members","value":[{"value":""}]}`, TypeInvalidValue},
		{`{"op":"add","path":"members","value":null}`, TypeInvalidValue},
		{`{"op":"add","path":"members"}`, TypeInvalidValue},
		{`{"op":"add","value":{"members":[{"value":"a","operation":"delete"}]}}`, TypeInvalidValue},
		{`{"op":"add","path":"members[value eq \"c\"].display","value":"C"}`, TypeNoTarget},
		{`{"op":"replace","path":"members[value eq \"a\"].value","value":"c"}`, TypeMutability},
		{`{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"c"}}`, TypeMutability},
		{`{"op":"remove","path":"members[value eq \"b\"].type"}`, TypeMutability},
		{`{"op":"remove","path":"displayName"}`, TypeMutability},
	} {
		_, err := Apply(GroupDefinition(), resource(t, ab), patch(t, test.operation))
		wantError(t, err, test.scimType, "operation 1 (")
	}
}

func TestApplyErrors(t *testing.T) {
	const before = `{"userName":"u","title":"t","emails":[{"type":"work","value":"w"},{"type":"home","value":"h"}]}`
	for _, test := range []struct{ operation, scimType, detail string }{
		{`{"op":"remove"}`, TypeNoTarget, "remove needs a path"},
		{`{"op":"remove","path":"emails[type eq \"other\"]"}`, TypeNoTarget, "no value of emails matches"},
		{`{"op":"replace","path":"emails[type ne \"work\" and type ne \"home\"].value","value":"x"}`, TypeNoTarget, "no value of emails matches"},
		{`{"op":"remove","path":"` + UserURN + `"}`, TypeNoTarget, "needs the path of an attribute"},
		{`{"op":"replace","path":"nonsense","value":"x"}`, TypeInvalidPath, "User has no attribute nonsense"},
		{`{"op":"remove","path":"name.nonsense"}`, TypeInvalidPath, "User has no attribute name.nonsense"},
		{`{"op":"replace","path":"enterprise:nonsense","value":"x"}`, TypeInvalidPath, "no attribute"},
		{`{"op":"replace","path":"emails[nonsense eq 1].value","value":"x"}`, TypeInvalidPath, "sub-attribute that emails does not have"},
		{`{"op":"replace","path":"manager[value eq \"x\"]","value":"x"}`, TypeInvalidPath, "one value at most"},
		{`{"op":"remove","path":"manager[value eq \"x\"]"}`, TypeInvalidPath, "one value at most"},
		{`{"op":"replace","path":"emails.value","value":"x"}`, TypeInvalidPath, "emails has 2 values, expected a filter"},
		{`{"op":"replace","path":"id","value":"x"}`, TypeMutability, "id of User is read-only"},
		{`{"op":"add","path":"groups","value":[{"value":"g"}]}`, TypeMutability, "groups of User is read-only"},
		{`{"op":"remove","path":"meta.version"}`, TypeMutability, "read-only"},
		{`{"op":"replace","path":"manager.displayName","value":"x"}`, TypeMutability, "read-only"},
		{`{"op":"remove","path":"userName"}`, TypeMutability, "userName is required"},
		{`{"op":"replace","value":{"userName":""}}`, TypeMutability, "userName is required"},
		{`{"op":"add","path":"title"}`, TypeInvalidValue, "add needs a value, such as text"},
		{`{"op":"replace","path":"title"}`, TypeInvalidValue, "replace needs a value"},
		{`{"op":"add","path":"title","value":null}`, TypeInvalidValue, "the value is empty"},
		{`{"op":"add","path":"name.givenName","value":" "}`, TypeInvalidValue, "the value is empty"},
		{`{"op":"replace","path":"active","value":"maybe"}`, TypeInvalidValue, "active: got text, expected true or false"},
		{`{"op":"replace","path":"emails[type eq \"work\"].primary","value":"maybe"}`, TypeInvalidValue, "got text, expected true or false"},
		{`{"op":"replace","value":"x"}`, TypeInvalidValue, "got text, expected an object"},
		{`{"op":"replace"}`, TypeInvalidValue, "got null, expected an object"},
		{`{"op":"replace","value":{"active":"maybe"}}`, TypeInvalidValue, "active: got text"},
		{`{"op":"remove","path":"emails","value":[]}`, TypeInvalidValue, "names nothing to remove"},
		{`{"op":"remove","path":"emails[primary gt true]"}`, TypeInvalidFilter, "is a boolean"},
	} {
		t.Run(test.operation, func(t *testing.T) {
			r := resource(t, before)
			p := patch(t, `{"op":"add","path":"nickName","value":"n"},`+test.operation)
			got, err := Apply(UserDefinition(), r, p)
			wantError(t, err, test.scimType, "operation 2 (", test.detail)
			if got != nil {
				t.Errorf("got %v with the error", got)
			}
			wantEqual(t, r, resource(t, before))
		})
	}
}

func TestApplyImmutable(t *testing.T) {
	def := Definition{Name: "Thing", Core: Schema{ID: "urn:x:Thing", Attributes: []Attribute{
		{Name: "born", Mutability: Immutable}, {Name: "tags", MultiValued: true},
	}}}
	r := Resource{"born": "1", "tags": []any{"a", "b"}}
	for _, o := range []string{`{"op":"replace","path":"born","value":"2"}`} {
		_, err := Apply(def, r, patch(t, o))
		wantError(t, err, TypeMutability, "cannot be changed")
	}
	got, err := Apply(def, r, patch(t, `{"op":"replace","path":"born","value":"1"},{"op":"add","path":"tags","value":["b","c"]},`+
		`{"op":"remove","path":"tags[value eq \"a\"]"}`))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, Resource{"born": "1", "tags": []any{"b", "c"}})
	got, err = Apply(def, r, patch(t, `{"op":"replace","path":"tags[value eq \"a\"]","value":"z"},{"op":"remove","path":"tags","value":["b"]}`))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, got, Resource{"born": "1", "tags": []any{"z"}})
}

func TestDecodePatch(t *testing.T) {
	p, err := DecodePatch([]byte(`{"schemas":["` + PatchOpURN + `"],"operations":[{"Op":"Replace","Path":"active","Value":null},{"op":"remove","path":""}]}`))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, p, Patch{Operations: []Operation{{Op: "replace", Path: &Path{Attr: "active"}, HasValue: true}, {Op: "remove"}}})
	for _, test := range []struct{ body, scimType, detail string }{
		{`{}`, TypeInvalidSyntax, "a PATCH without Operations"},
		{`{"Operations":[]}`, TypeInvalidSyntax, "a PATCH without Operations"},
		{`{"Operations":null}`, TypeInvalidSyntax, "a PATCH without Operations"},
		{`{"members":[{"value":"u","operation":"delete"}]}`, TypeInvalidSyntax, "a PATCH without Operations"},
		{`{"Operations":["x"]}`, TypeInvalidSyntax, "operation 1: got text"},
		{`{"Operations":[{"path":"x"}]}`, TypeInvalidSyntax, "operation 1: the op is missing"},
		{`{"Operations":[{"op":"move","path":"x"}]}`, TypeInvalidSyntax, "expected add, replace or remove"},
		{`{"Operations":[{"op":"remove","path":1}]}`, TypeInvalidPath, "the path is a number"},
		{`{"Operations":[{"op":"remove","path":"x"},{"op":"remove","path":"a["}]}`, TypeInvalidPath, "operation 2: path, position 3: found the end"},
		{`[]`, TypeInvalidSyntax, "expected a JSON object"},
	} {
		_, err := DecodePatch([]byte(test.body))
		wantError(t, err, test.scimType, test.detail)
	}
}

func FuzzApply(f *testing.F) {
	for _, seed := range []string{
		`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"x"}`,
		`{"op":"add","value":{"name.givenName":"g","emails[primary eq \"True\"].value":"v","manager":["m"]}}`,
		`{"op":"remove","path":"emails","value":[{"value":"w"}]},{"op":"replace","path":"name","value":{"givenName":null}}`,
		`{"op":"add","path":"` + EnterpriseURN + `","value":{"manager":{"value":""}}},{"op":"remove","path":"addresses.country"}`,
		`{"op":"replace","value":{"members":[{"value":"a"}],"addresses":{"country":"x"}}}`,
		`{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]"}`,
	} {
		f.Add([]byte(`{"Operations":[` + seed + `]}`))
	}
	for _, seed := range seenPatches {
		f.Add([]byte(`{"Operations":[` + seed + `]}`))
	}
	for _, seed := range transcriptSeeds(f).patches {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := DecodePatch(body)
		if err != nil {
			wantBadRequest(t, err)
			return
		}
		for _, def := range []Definition{UserDefinition(), GroupDefinition()} {
			before := `{"userName":"u","displayName":"d","name":{"givenName":"g"},"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"}],` +
				`"addresses":[{"country":"FR"}],"members":[{"value":"a"},{"value":"b"}],` + enterprise + `:{"manager":{"value":"m","$ref":"r"}}}`
			r := resource(t, before)
			after, err := Apply(def, r, p)
			wantEqual(t, r, resource(t, before))
			if err != nil {
				wantBadRequest(t, err)
				continue
			}
			primaries := 0
			for _, v := range after.Values(def, Path{Attr: "emails", Sub: "primary"}) {
				if v == true {
					primaries++
				}
			}
			if primaries > 1 {
				t.Errorf("%d primaries in %v", primaries, after)
			}
			if isBlank(after["name"]) && after["name"] != nil {
				t.Errorf("an empty name in %v", after)
			}
			Project(def, after, nil, nil)
		}
	})
}

func FuzzDecodePatch(f *testing.F) {
	f.Add([]byte(`{"schemas":["` + PatchOpURN + `"],"Operations":[{"op":"Add","path":"members","value":[{"value":"a"}]}]}`))
	f.Add([]byte(`{"Operations":[{"op":"remove","path":"members[value eq \"a\"]"},{"op":"replace","value":{"displayName":"x"}}]}`))
	f.Add([]byte(`{"Operations":[{"op":"add","value":{"members":"a","x":1}},{"op":"remove","path":"members","value":["a"]}]}`))
	for _, seed := range seenPatches {
		f.Add([]byte(`{"schemas":[],"operations":[` + seed + `]}`))
	}
	for _, seed := range transcriptSeeds(f).patches {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := DecodePatch(body)
		if err != nil {
			wantBadRequest(t, err)
			return
		}
		checkSplit(t, p)
	})
}

func wantBadRequest(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !asError(err, &e) || e.Status != 400 || e.Type == "" || e.Detail == "" || len(e.Detail) > 1000 {
		t.Errorf("not a 400 with a type and a short detail: %v", err)
	}
}

// Somebody who removes a password and hears of success would believe that it
// is gone.
func TestAPasswordIsNotRemoved(t *testing.T) {
	p, err := DecodePatch([]byte(`{"Operations":[{"op":"remove","path":"password"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Apply(UserDefinition(), Resource{"userName": "ann"}, p)
	var e *Error
	if !errors.As(err, &e) || e.Status != 400 || e.Type != TypeMutability {
		t.Errorf("got %v", err)
	}
}
