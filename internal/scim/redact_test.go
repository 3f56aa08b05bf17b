package scim

import (
	"encoding/json"
	"strings"
	"testing"
)

// A secret is taken out however a client writes it, and what is no secret stays.
func TestRedact(t *testing.T) {
	const secret = "S3cret-canary"
	for name, body := range map[string]string{
		"plain":             `{"userName":"ann","password":"S3cret-canary"}`,
		"case":              `{"PassWord":"S3cret-canary"}`,
		"escaped name":      `{"\u0070assword":"S3cret-canary"}`,
		"escaped value":     `{"password":"S3cret\u002dcanary"}`,
		"with URN":          `{"urn:ietf:params:scim:schemas:core:2.0:User:password":"S3cret-canary"}`,
		"twice":             `{"password":"S3cret-canary","password":"S3cret-canary"}`,
		"in a list":         `{"password":["S3cret-canary",{"value":"S3cret-canary"}]}`,
		"patch":             `{"Operations":[{"op":"replace","path":"password","value":"S3cret-canary"}]}`,
		"patch, path last":  `{"Operations":[{"value":"S3cret-canary","op":"Replace","path":"PASSWORD"}]}`,
		"patch, no path":    `{"Operations":[{"op":"add","value":{"password":"S3cret-canary"}}]}`,
		"patch, URN":        `{"Operations":[{"OP":"add","PATH":"urn:ietf:params:scim:schemas:core:2.0:User:Password","VALUE":"S3cret-canary"}]}`,
		"patch, filter":     `{"Operations":[{"op":"remove","path":"emails[password eq \"S3cret-canary\"]"}]}`,
		"bulk":              `{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"ann","password":"S3cret-canary"}}]}`,
		"bulk, patch":       `{"Operations":[{"method":"PATCH","path":"/Users/1","data":{"Operations":[{"op":"add","path":"password","value":"S3cret-canary"}]}}]}`,
		"search":            `{"filter":"password eq \"S3cret-canary\""}`,
		"search undeclared": `{"filter":"apiToken eq \"S3cret-canary\""}`,
		"elsewhere":         `{"password":"S3cret-canary","title":"my S3cret-canary","S3cret-canary":1}`,
		"JSON in text":      `{"value":"{\"password\":\"S3cret-canary\"}"}`,
		"other names":       `{"newPassword":"S3cret-canary","access_token":"S3cret-canary","clientSecret":"S3cret-canary"}`,
		"declared":          `{"urn:example:badge:2.0:User":{"PIN":"S3cret-canary"}}`,
		"number":            `{"pin":4711471147114711,"x":"4711471147114711"}`,
		"SCIM 1.1":          `{"attributes":[{"name":"password","value":"S3cret-canary"}]}`,
		"path undeclared":   `{"Operations":[{"op":"add","path":"clientSecret","value":"S3cret-canary"}]}`,
		"path short":        `{"Operations":[{"op":"add","path":"urn:x:2.0:User:pwd","value":"S3cret-canary"}]}`,
		"filter in a path":  `{"Operations":[{"op":"remove","path":"x[apiToken eq \"S3cret-canary\"]"}]}`,
		"byte order mark":   "\ufeff" + `{"password":"S3cret-canary"}`,
		"patch, other":      `{"Operations":[{"op":"add","path":"clientSecret","value":"S3cret-canary"}]}`,
		"patch, quoted":     `{"Operations":[{"op":"add","path":"pwd[ value   eq \"S3cret-canary\" ]","value":1}]}`,
		"search, other":     `{"filter":"access_token eq S3cret-canary"}`,
		"a link":            `{"profileUrl":"https://x.example/?token=S3cret-canary"}`,
	} {
		r, ok := Redact([]byte(body), []string{"password", "pin"})
		if !ok || !json.Valid(r.Body) {
			t.Errorf("%s: %v %s", name, ok, r.Body)
		}
		if text := string(r.Body); strings.Contains(text, "canary") || strings.Contains(text, "4711") || !strings.Contains(text, Masked) {
			t.Errorf("%s: %s", name, text)
		}
		for _, v := range r.Values {
			if v == secret {
				t.Errorf("%s: the secret counts as a value", name)
			}
		}
	}
	r, _ := Redact([]byte(`{"Operations":[{"op":"remove","path":"emails[ password  eq \"S3cret-canary\" or title co Other-canary ]"}]}`), []string{"password"})
	if said := Masker(r.Secrets).Replace(`emails[password eq "S3cret-canary" or title co "Other-canary"]`); strings.Contains(said, "canary") {
		t.Errorf("whoever quotes a part of a path says %s", said)
	}
	r, _ = Redact([]byte(`{"title":"The secretary of Tokenmaster"}`), []string{"password"})
	if len(r.Secrets) > 0 {
		t.Errorf("%q are no secrets", r.Secrets)
	}
	const whole = `{"schemas":["urn:x"],"userName":"ann","active":true,"n":[1.50,null,{"a":"<&>"}],"Operations":[{"op":"add","path":"emails[type eq \"work\"].value","value":"a@x"}]}`
	if r, ok := Redact([]byte(whole), []string{"password"}); !ok || string(r.Body) != whole {
		t.Errorf("%s", r.Body)
	}
	for _, text := range []string{"", "x", `{"password":"S3cret-canary"`, `{"password":"S3cret-canary"} x`, `{"a":1,}`, strings.Repeat("[", 100) + strings.Repeat("]", 100)} {
		if r, ok := Redact([]byte(text), nil); ok || len(r.Body) > 0 {
			t.Errorf("%q: something is kept: %s", text, r.Body)
		}
	}
}

// More secrets than anybody has are not each looked for in everything else.
func TestRedactOfVeryManySecrets(t *testing.T) {
	body := []byte(`{"password":["` + strings.Repeat(`s","`, secretsSought) + `s"],"x":"y"}`)
	if r, ok := Redact(body, []string{"password"}); ok || len(r.Body) > 0 || len(r.Secrets) <= secretsSought || len(r.Values) != 1 {
		t.Errorf("%v, %d secrets, %d values, %s", ok, len(r.Secrets), len(r.Values), r.Body)
	}
}

// A long secret is found whole and in no time: with the square of a megabyte this
// test does not end.
func TestMaskerOfLongTexts(t *testing.T) {
	for _, n := range []int{longPart - 1, longPart, longPart + 1, 2*longPart - 1, 2 * longPart, 2*longPart + 3} {
		secret := strings.Repeat("s", n-1) + "t"
		if got := Masker([]string{secret}).Replace("a " + secret + " b"); strings.ContainsAny(got, "st") {
			t.Errorf("of %d bytes this is left: %s", n, got)
		}
	}
	secret := strings.Repeat("x", 1<<20)
	if got := Masker([]string{secret}).Replace("a " + secret); strings.Contains(got, "x") {
		t.Errorf("%d bytes are left", len(got))
	}
}

// What is left of any body that says password somewhere is JSON, without the secret.
func FuzzRedact(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c"}],"path":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, ok := Redact(body, []string{"password"}); ok && !json.Valid(r.Body) {
			t.Errorf("%q became %q", body, r.Body)
		}
		around, err := json.Marshal(map[string]any{"password": "S3cret-canary", "text": string(body)})
		if err != nil {
			t.Fatal(err)
		}
		if r, ok := Redact(around, []string{"password"}); !ok || strings.Contains(string(r.Body), "S3cret-canary") {
			t.Errorf("%s", r.Body)
		}
	})
}
