package scim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeBulk(t *testing.T) {
	b, err := DecodeBulk([]byte(`{"schemas":["`+BulkRequestURN+`"],"FAILONERRORS":2,"operations":[
		{"method":"post","path":"/Users","bulkId":"a","data":{"userName":"ann"}},
		{"Method":"Patch","path":"/Users/1","version":"W/\"7\"","data":[{"op":"remove","path":"title"}]},
		{"method":"DELETE","path":"/Users/2","data":7},
		{"method":"PUT","path":"/Users/3","bulkId":"a","data":{}}]}`), 4)
	if err != nil {
		t.Fatal(err)
	}
	want := Bulk{FailOnErrors: 2, Operations: []BulkOperation{
		{Method: "POST", Path: "/Users", BulkID: "a", Data: map[string]any{"userName": "ann"}},
		{Method: "PATCH", Path: "/Users/1", Version: `W/"7"`, Data: map[string]any{"schemas": []any{PatchOpURN},
			"Operations": []any{map[string]any{"op": "remove", "path": "title"}}}},
		{Method: "DELETE", Path: "/Users/2"}, {Method: "PUT", Path: "/Users/3", BulkID: "a", Data: map[string]any{}},
	}}
	if d := cmp.Diff(want, b); d != "" {
		t.Error(d)
	}
}

// A request that is no Bulk is refused as a whole.
func TestDecodeBulkRefuses(t *testing.T) {
	one := `{"method":"DELETE","path":"/Users/1"}`
	for body, want := range map[string]string{
		``: "400 invalidSyntax", `[]`: "400 invalidSyntax", `{}`: "400 invalidSyntax", `{"Operations":[]}`: "400 invalidSyntax",
		`{"Operations":"x"}`: "400 invalidSyntax", `{"Operations":[` + one + `,7]}`: "400 invalidSyntax",
		`{"failOnErrors":"x","Operations":[` + one + `]}`: "400 invalidSyntax", `{"failOnErrors":-1,"Operations":[` + one + `]}`: "400 invalidSyntax",
		`{"failOnErrors":1.5,"Operations":[` + one + `]}`: "400 invalidSyntax", `{"Operations":[` + one + `,` + one + `,` + one + `]}`: "413 ",
		`{"failOnErrors":true,"Operations":[` + one + `]}`: "400 invalidSyntax",
	} {
		_, err := DecodeBulk([]byte(body), 2)
		e, ok := err.(*Error)
		if !ok || fmt.Sprint(e.Status, " ", e.Type) != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
		if ok && e.Status == 413 && !strings.Contains(e.Detail, "2") {
			t.Errorf("the limit is not in %q", e.Detail)
		}
	}
}

// What is wrong with one operation is its own fault.
func TestBulkOperationsFailAlone(t *testing.T) {
	for operation, want := range map[string]string{
		`{"path":"/Users"}`:                                                 TypeInvalidSyntax,
		`{"method":"GET","path":"/Users"}`:                                  TypeInvalidSyntax,
		`{"method":7,"path":"/Users"}`:                                      TypeInvalidSyntax,
		`{"method":"DELETE"}`:                                               TypeInvalidPath,
		`{"method":"DELETE","path":["/Users/1"]}`:                           TypeInvalidSyntax,
		`{"method":"POST","path":"/Users","data":{}}`:                       TypeInvalidValue,
		`{"method":"POST","path":"/Users","bulkId":"x"}`:                    TypeInvalidSyntax,
		`{"method":"POST","path":"/Users","bulkId":"x","data":[]}`:          TypeInvalidSyntax,
		`{"method":"POST","path":"/Users","bulkId":"good","data":{}}`:       TypeInvalidValue,
		`{"method":"PUT","path":"/Users/1","data":null}`:                    TypeInvalidSyntax,
		`{"method":"PATCH","path":"/Users/1","data":"x"}`:                   TypeInvalidSyntax,
		`{"method":"PUT","path":"/Users/1","data":{},"version":{"a":"b"}}`:  TypeInvalidSyntax,
		`{"method":"PUT","path":"/Users/1","data":{},"version":null}`:       "",
		`{"method":"PATCH","path":"/Users/1","bulkId":"good","data":[]}`:    "",
		`{"method":" delete ","path":" /Users/1 "}`:                         "",
		`{"method":"POST","path":"/Users","bulkId":"other","data":{"a":1}}`: "",
	} {
		b, err := DecodeBulk([]byte(`{"Operations":[`+operation+`,{"method":"POST","path":"/Users","bulkId":"good","data":{}}]}`), 9)
		if err != nil {
			t.Errorf("%s: %v", operation, err)
			continue
		}
		got := ""
		if f := b.Operations[0].Fault; f != nil {
			got = f.Type
		}
		if got != want {
			t.Errorf("%s: %q, want %q", operation, got, want)
		}
	}
}

func decodedData(t *testing.T, text string) map[string]any {
	t.Helper()
	data, err := decodeObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBulkReferences(t *testing.T) {
	ids := map[string]string{"x": "ID-X", "y z": "ID-YZ"}
	for text, want := range map[string]string{
		`{"members":[{"value":"bulkId:x"},{"value":"BULKID:y z"},{"value":"bulkId:other"}]}`: `{"members":[{"value":"ID-X"},{"value":"ID-YZ"},{"value":"bulkId:other"}]}`,
		`{"manager":"bulkId:x","title":"bulkId:","n":1,"b":true,"z":null}`:                   `{"manager":"ID-X","title":"bulkId:","n":1,"b":true,"z":null}`,
		`{"path":"members[value eq \"bulkId:x\" or value eq \"bulkId:y z\"]"}`:               `{"path":"members[value eq \"ID-X\" or value eq \"ID-YZ\"]"}`,
		`{"path":"members[value eq \"bulkId:other\"].display"}`:                              `{"path":"members[value eq \"bulkId:other\"].display"}`,
		`{"$ref":"https://a/Users/bulkId:x","title":"see \"bulkId:x\" or /bulkId:x"}`:        `{"$ref":"https://a/Users/ID-X","title":"see \"bulkId:x\" or /bulkId:x"}`,
		`{"path":"\"bulkId:x"}`: `{"path":"\"bulkId:x"}`,
	} {
		data := decodedData(t, text)
		got, err := json.Marshal(ResolveBulk(data, ids))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(decodedData(t, want), decodedData(t, string(got))); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(decodedData(t, text), data); d != "" {
			t.Errorf("the data itself has changed: %s", d)
		}
	}
	data := decodedData(t, `{"a":"bulkId:2","b":[{"value":"bulkId:1","$ref":"../Users/bulkId:1"}],"path":"m[value eq \"bulkId:3\"]","c":"bulkId:2"}`)
	if d := cmp.Diff([]string{"1", "2", "3"}, BulkReferences(data)); d != "" {
		t.Error(d)
	}
}

// What is taken out of a resource and what is left are all of it.
func TestWithoutBulk(t *testing.T) {
	unknown := map[string]bool{"x": true, "y": true}
	for text, want := range map[string][2]string{
		`{"displayName":"a"}`: {`{"displayName":"a"}`, `null`},
		`{"displayName":"a","members":[{"value":"bulkId:x","type":"Group"},{"value":"7"},{"value":"bulkId:z"}]}`: {
			`{"displayName":"a","members":[{"value":"7"},{"value":"bulkId:z"}]}`, `{"members":[{"value":"bulkId:x","type":"Group"}]}`},
		`{"members":[{"value":"bulkId:x"},"bulkId:y"]}`: {`{}`, `{"members":[{"value":"bulkId:x"},"bulkId:y"]}`},
		`{"userName":"a","urn:e":{"department":"d","manager":{"value":"bulkId:x","displayName":"B"}}}`: {
			`{"userName":"a","urn:e":{"department":"d"}}`, `{"urn:e":{"manager":{"value":"bulkId:x","displayName":"B"}}}`},
		`{"userName":"a","urn:e":{"manager":"bulkId:x"},"n":null}`: {`{"userName":"a","n":null}`, `{"urn:e":{"manager":"bulkId:x"}}`},
	} {
		data := decodedData(t, text)
		left, taken := WithoutBulk(data, unknown)
		if d := cmp.Diff(decodedData(t, want[0]), left); d != "" {
			t.Errorf("left of %s: %s", text, d)
		}
		var wanted map[string]any
		if want[1] != "null" {
			wanted = decodedData(t, want[1])
		}
		if d := cmp.Diff(wanted, taken); d != "" {
			t.Errorf("taken from %s: %s", text, d)
		}
	}
}

func TestBulkResponse(t *testing.T) {
	for want, r := range map[string]BulkResponse{
		`{"schemas":["` + BulkResponseURN + `"],"Operations":[]}`: {},
		`{"schemas":["` + BulkResponseURN + `"],"Operations":[{"method":"POST","bulkId":"a","version":"W/\"1\"","location":"u","status":"201"},` +
			`{"method":"PUT","status":"412","response":{"schemas":["` + ErrorURN + `"],"status":"412","detail":"d"}}]}`: {Operations: []BulkResult{
			{Method: "POST", BulkID: "a", Version: `W/"1"`, Location: "u", Status: "201"},
			{Method: "PUT", Status: "412", Response: &Error{Status: 412, Detail: "d"}},
		}},
	} {
		got, err := json.Marshal(r)
		if err != nil || string(got) != want {
			t.Errorf("%s %v\nwant %s", got, err, want)
		}
	}
}

func FuzzDecodeBulk(f *testing.F) {
	f.Add(`{"failOnErrors":1,"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"members":[{"value":"bulkId:a"}]}}]}`)
	f.Add(`{"Operations":[{"method":"PATCH","path":"/Groups/bulkId:a","data":[{"op":"remove","path":"members[value eq \"bulkId:a\"]"}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		b, err := DecodeBulk([]byte(body), 50)
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Errorf("%v is no error for a client", err)
			}
			return
		}
		for _, o := range b.Operations {
			ids, unknown := map[string]string{}, map[string]bool{}
			for _, id := range BulkReferences(o.Data) {
				ids[id], unknown[id] = "known", true
			}
			if left := BulkReferences(ResolveBulk(o.Data, ids)); len(left) > 0 {
				t.Errorf("%q remain", left)
			}
			WithoutBulk(o.Data, unknown)
		}
	})
}
