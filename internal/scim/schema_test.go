package scim

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestSchemaJSON(t *testing.T) {
	raw, err := json.Marshal(Schema{ID: "urn:x", Name: "X", Description: "an X", Attributes: []Attribute{
		{Name: "a", Description: "an a", Required: true, CanonicalValues: []string{"1"}},
		{Name: "b", MultiValued: true, SubAttributes: []Attribute{{Name: "c", Type: Boolean}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"attributes":[` +
		`{"name":"a","type":"string","multiValued":false,"description":"an a","required":true,"canonicalValues":["1"],"caseExact":false,"mutability":"readWrite","returned":"default","uniqueness":"none"},` +
		`{"name":"b","type":"complex","multiValued":true,"description":"","required":false,"mutability":"readWrite","returned":"default","uniqueness":"none","subAttributes":[` +
		`{"name":"c","type":"boolean","multiValued":false,"description":"","required":false,"mutability":"readWrite","returned":"default","uniqueness":"none"}]}],` +
		`"description":"an X","id":"urn:x","name":"X","schemas":["urn:ietf:params:scim:schemas:core:2.0:Schema"]}`
	wantEqual(t, string(raw), want)
}

// Every attribute of the shipped schemas has all characteristics, a description,
// and a name that can be written in a path.
func TestCoreSchemas(t *testing.T) {
	var check func(t *testing.T, a Attribute, path string)
	check = func(t *testing.T, a Attribute, path string) {
		if a.Type == "" || a.Mutability == "" || a.Returned == "" || a.Uniqueness == "" || a.Description == "" || !isName(a.Name) {
			t.Errorf("%s is incomplete: %+v", path, a)
		}
		if (a.Type == Complex) != (len(a.SubAttributes) > 0) || a.Type == Reference && len(a.ReferenceTypes) == 0 {
			t.Errorf("%s does not fit its type", path)
		}
		for _, sub := range a.SubAttributes {
			check(t, sub, path+"."+sub.Name)
		}
	}
	for _, s := range append(DiscoverySchemas(), CoreUser(), CoreGroup(), EnterpriseUser(), Schema{ID: "common", Attributes: CommonAttributes()}) {
		for _, a := range s.Attributes {
			check(t, a, s.ID+":"+a.Name)
		}
	}
	if n := len(CoreUser().Attributes); n != 21 {
		t.Errorf("User has %d attributes, RFC 7643 has 21", n)
	}
}

func TestErrorJSON(t *testing.T) {
	cause := errors.New("cn=secret")
	e := BadRequest(TypeInvalidFilter, "position %d", 3)
	e.Err = cause
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, string(raw), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidFilter","detail":"position 3"}`)
	if !errors.Is(e, cause) || e.Error() != "scim: 400 invalidFilter: position 3: cn=secret" {
		t.Errorf("%v", e)
	}
	raw, _ = json.Marshal(&Error{Status: 404, Detail: "no such user"})
	wantEqual(t, string(raw), `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"no such user"}`)
	var inner *Error
	if err := within("here", cause); !errors.Is(err, cause) || errors.As(err, &inner) {
		t.Errorf("%v", err)
	}
}

func TestListResponseJSON(t *testing.T) {
	for _, test := range []struct {
		list ListResponse
		want string
	}{
		{ListResponse{StartIndex: 1}, `{"schemas":["` + ListResponseURN + `"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`},
		{ListResponse{TotalResults: 9, ItemsPerPage: 1, NextCursor: "n", PreviousCursor: "p", Resources: []any{Resource{"id": "1"}}},
			`{"schemas":["` + ListResponseURN + `"],"totalResults":9,"itemsPerPage":1,"previousCursor":"p","nextCursor":"n","Resources":[{"id":"1"}]}`},
	} {
		raw, err := json.Marshal(test.list)
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, string(raw), test.want)
	}
}
