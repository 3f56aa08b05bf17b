package identity

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scimgate/internal/testcert"
	"scimgate/internal/testissuer"
	"scimgate/internal/token"
)

type object = testissuer.Object

// start starts an issuer that ends with the test, and a verifier of its tokens.
func start(t *testing.T, changes ...func(*IssuerConfig)) (*testissuer.Issuer, *Issuer) {
	t.Helper()
	server := testissuer.Start()
	t.Cleanup(server.Stop)
	return server, trusting(t, server, changes...)
}

// trusting makes a verifier of an issuer's tokens.
func trusting(t *testing.T, server *testissuer.Issuer, changes ...func(*IssuerConfig)) *Issuer {
	t.Helper()
	cfg := IssuerConfig{Issuer: server.URL, Audience: "scim"}
	for _, change := range changes {
		change(&cfg)
	}
	issuer, err := NewIssuer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

// outcome is what became of a token, in a word: taken, invalid, insufficient or undecided.
func outcome(t *testing.T, i *Issuer, text string, now time.Time) string {
	t.Helper()
	id, err := i.Verify(text, now)
	var refusal *token.Refusal
	switch {
	case err == nil && id.ID != "" && id.Subject == "":
		return "taken"
	case !errors.As(err, &refusal) || refusal.Detail == "" || id != (token.Identity{}):
		t.Fatalf("the identity is %v with the error %v", id, err)
	}
	return []string{"invalid", "insufficient", "undecided"}[refusal.Kind]
}

func wanted(t *testing.T, i *Issuer, text string, now time.Time, want string) {
	t.Helper()
	if got := outcome(t, i, text, now); got != want {
		_, err := i.Verify(text, now)
		t.Errorf("the token is %s, wanted %s: %v", got, want, err)
	}
}

func TestATokenIsTakenForWhatItSays(t *testing.T) {
	server, issuer := start(t, func(c *IssuerConfig) { c.Scope = "scim.write  scim.read"; c.Clients = []string{"client-1", "client-2"} })
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	both := object{"scope": "openid scim.read scim.write"}
	for _, tc := range []struct {
		name    string
		changes object
		want    string
	}{
		{"the words as a text", object{}, "taken"},
		{"scp as a list", object{"scope": nil, "scp": []string{"scim.read", "scim.write"}}, "taken"},
		{"scp as a text", object{"scope": nil, "scp": "scim.write scim.read"}, "taken"},
		{"scope as a list", object{"scope": []string{"scim.read scim.write"}}, "taken"},
		{"words in both", object{"scope": "scim.read", "scp": []string{"scim.write"}}, "taken"},
		{"one word is missing", object{"scope": "scim.read"}, "insufficient"},
		{"no scope", object{"scope": nil}, "insufficient"},
		{"a word that only begins so", object{"scope": "scim.read scim.writer"}, "insufficient"},
		{"another case", object{"scope": "scim.read SCIM.WRITE"}, "insufficient"},
		{"a scope that is a number", object{"scope": 7}, "invalid"},
		{"several audiences", object{"aud": []string{"other", "scim"}}, "taken"},
		{"another audience", object{"aud": "other"}, "invalid"},
		{"an audience that begins so", object{"aud": "scim2"}, "invalid"},
		{"no audience", object{"aud": nil}, "invalid"},
		{"another issuer", object{"iss": "https://id.example.com"}, "invalid"},
		{"the issuer with a slash", object{"iss": server.URL + "/"}, "invalid"},
		{"no issuer", object{"iss": nil}, "invalid"},
		{"expired within the leeway", object{"exp": at(-50 * time.Second)}, "taken"},
		{"expired", object{"exp": at(-70 * time.Second)}, "invalid"},
		{"expired long ago", object{"exp": -1}, "invalid"},
		{"good for ever", object{"exp": nil}, "invalid"},
		{"an expiry that is text", object{"exp": "tomorrow"}, "invalid"},
		{"an expiry beyond all times", object{"exp": math.MaxFloat64}, "taken"},
		{"good within the leeway", object{"nbf": at(50 * time.Second)}, "taken"},
		{"not good yet", object{"nbf": at(70 * time.Second)}, "invalid"},
		{"given to the other client", object{"client_id": nil, "azp": "client-2"}, "taken"},
		{"given to a client, as Okta says it", object{"client_id": nil, "cid": "client-2"}, "taken"},
		{"given to a client, as Entra ID says it", object{"client_id": nil, "appid": "client-2"}, "taken"},
		{"given to a stranger", object{"client_id": "client-3"}, "insufficient"},
		{"given to a stranger, with a second name", object{"client_id": "client-3", "azp": "client-1"}, "insufficient"},
		{"given to nobody", object{"client_id": nil}, "insufficient"},
		{"an ID token", object{"at_hash": "x"}, "invalid"},
		{"an ID token of Keycloak", object{"typ": "ID"}, "invalid"},
		{"an access token of Keycloak", object{"typ": "Bearer"}, "taken"},
		{"an ID token of Cognito", object{"token_use": "id"}, "invalid"},
		{"a logout token", object{"events": object{"http://schemas.openid.net/event/backchannel-logout": object{}}}, "invalid"},
		{"a token that is bound to a key", object{"cnf": object{"jkt": "x"}}, "invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) { wanted(t, issuer, server.Token(both, tc.changes), now, tc.want) })
	}
	for typ, want := range map[string]string{"JWT": "taken", "application/at+jwt": "taken", "AT+JWT": "taken", "logout+jwt": "invalid", "dpop+jwt": "invalid"} {
		wanted(t, issuer, server.Key().Sign(object{"typ": typ}, server.Claims(both)), now, want)
	}
}

func TestTheNameInTheLogIsOfTheTokenAndHarmless(t *testing.T) {
	server, issuer := start(t)
	for _, tc := range []struct {
		changes object
		want    string
	}{
		{object{}, "oidc:client-1"},
		{object{"sub": "ann@example.org"}, "oidc:ann@example.org"},
		{object{"sub": nil, "client_id": "the client"}, "oidc:the client"},
		{object{"sub": "a\nb\x00c"}, "oidc:a?b?c"},
		{object{"sub": strings.Repeat("ü", 200)}, "oidc:" + strings.Repeat("ü", 50) + "..."},
	} {
		id, err := issuer.Verify(server.Token(tc.changes), time.Now())
		if err != nil || id.ID != tc.want {
			t.Errorf("the name is %q, wanted %q, error %v", id.ID, tc.want, err)
		}
	}
}

// Whoever knows all that is public can make none of these pass.
func TestForgeries(t *testing.T) {
	server, issuer := start(t)
	key := testissuer.NewRSA("rsa")
	server.Rotate(server.Key(), key)
	der, err := x509.MarshalPKIXPublicKey(key.Signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	server.Keys = []object{{"kty": "oct", "kid": "shared", "alg": "HS256", "k": "c2VjcmV0"}, {"kty": "oct", "kid": "shared2", "k": "c2VjcmV0"}}
	claims := server.Claims()
	good := key.Sign(nil, claims)
	parts := strings.Split(good, ".")
	mine := testissuer.NewKey("first")
	now := time.Now()
	wanted(t, issuer, good, now, "taken")
	wanted(t, issuer, server.Token(), now, "taken")
	for name, text := range map[string]string{
		"nobody signed it":                       testissuer.Unsigned(nil, claims),
		"nobody signed it, by a known key":       testissuer.Unsigned(object{"kid": "rsa"}, claims),
		"none in another case":                   testissuer.Unsigned(object{"alg": "nOnE", "kid": "rsa"}, claims),
		"the public key as a secret":             testissuer.WithSecret(public, object{"kid": "rsa"}, claims),
		"the modulus as a secret":                testissuer.WithSecret(key.Signer.Public().(*rsa.PublicKey).N.Bytes(), object{"kid": "rsa"}, claims),
		"a secret that is among the keys":        testissuer.WithSecret([]byte("secret"), object{"kid": "shared"}, claims),
		"a secret that does not say its purpose": testissuer.WithSecret([]byte("secret"), object{"kid": "shared2"}, claims),
		"an own key under a known id":            mine.Sign(nil, claims),
		"an own key under the other's id":        mine.Sign(object{"kid": "rsa"}, claims),
		"an own key in the header":               mine.Sign(object{"kid": nil, "jwk": object{"kty": "EC"}}, claims),
		"an own key elsewhere":                   mine.Sign(object{"jku": "http://127.0.0.1:1/keys"}, claims),
		"the algorithm of another kind of key":   key.Sign(object{"alg": "ES256"}, claims),
		"another algorithm than the key's":       key.Sign(object{"alg": "PS256"}, claims),
		"an extension that has to be understood": key.Sign(object{"crit": []string{"b64"}, "b64": false}, claims),
		"the signature of another token":         strings.Join([]string{parts[0], strings.Split(server.Token(object{"sub": "other"}), ".")[1], parts[2]}, "."),
		"another header":                         strings.Join([]string{strings.Split(key.Sign(object{"typ": "JWT"}, claims), ".")[0], parts[1], parts[2]}, "."),
		"no signature":                           parts[0] + "." + parts[1] + ".",
		"half a signature":                       good[:len(good)-100],
		"a second part more":                     good + "." + parts[1],
		"not JSON":                               parts[0] + ".AAAA." + parts[2],
		"huge":                                   key.Sign(nil, server.Claims(object{"scope": strings.Repeat("x", 20_000), "iss": "x"})),
	} {
		t.Run(name, func(t *testing.T) {
			// By now the id of every key has been asked for; the bound on that is another test.
			wanted(t, issuer, text, now.Add(time.Hour), "invalid")
		})
	}
}

func TestOnlyWhatHasTheFormOfAJWTIsLookedAt(t *testing.T) {
	server, issuer := start(t)
	for text, want := range map[string]bool{
		server.Token(): true,
		testissuer.WithSecret([]byte("x"), nil, server.Claims()): true, // so that its bearer is told why not
		"": false, "scimgate_1234_5678": false, "a.b.c": false, "..": false, "x.y": false, strings.Repeat(".", 1<<20): false,
		server.Token(object{"scope": strings.Repeat("x", maxToken)}):                                    false,
		`{"payload":"e30","protected":"eyJhbGciOiJSUzI1NiJ9","signature":"AAAA","header":{"a":"b..c"}}`: false,
	} {
		if got := Shaped(text); got != want {
			t.Errorf("%.60s has the form: %v", text, got)
		}
	}
	file := fixed{"of the file"}
	beside := Beside{file, issuer}
	for _, text := range []string{"of the file", "no token", "a.b.c", strings.Repeat("e30.", 2) + strings.Repeat("A", 1<<20)} {
		id, ok, err := beside.Verify(text, time.Now())
		if ok != (text == "of the file") || ok != (id.ID != "") || err != nil {
			t.Errorf("%.20s is %v, %v, %v", text, id, ok, err)
		}
	}
	if n := server.Asked.Load(); n != 0 {
		t.Errorf("the issuer was asked %d times about what is no JWT", n)
	}
	if id, ok, err := beside.Verify(server.Token(), time.Now()); !ok || id.ID != "oidc:client-1" || err != nil {
		t.Errorf("a good JWT is %v, %v, %v", id, ok, err)
	}
}

// fixed knows one token.
type fixed struct{ text string }

func (f fixed) Verify(text string, _ time.Time) (token.Identity, bool, error) {
	if text == f.text {
		return token.Identity{ID: "t1"}, true, nil
	}
	return token.Identity{}, false, nil
}

func TestTheIssuerHasToProveWhoItIs(t *testing.T) {
	authority := testcert.NewAuthority("issuers")
	server := testissuer.StartTLS(authority)
	t.Cleanup(server.Stop)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, authority.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	wanted(t, trusting(t, server, func(c *IssuerConfig) { c.CAFile = file }), server.Token(), time.Now(), "taken")
	wanted(t, trusting(t, server), server.Token(), time.Now(), "undecided")
	if _, err := NewIssuer(IssuerConfig{Issuer: server.URL, Audience: "scim", CAFile: file + "x"}); err == nil {
		t.Error("an authority that cannot be read is no fault")
	}
}

func TestTheURLOfAnIssuer(t *testing.T) {
	for url, good := range map[string]bool{
		"https://id.example.com": true, "https://id.example.com/realms/x/": true, "http://127.0.0.1:8080": true, "http://[::1]/x": true, "http://localhost": true,
		"": false, "id.example.com": false, "http://id.example.com": false, "http://127.0.0.1.example.com": false, "http://0x7f.1": false,
		"ftp://id.example.com": false, "https://id.example.com?x": false, "https://id.example.com/#x": false, "https://a:b@id.example.com": false,
	} {
		if problem := IssuerURL(url); (problem == "") != good {
			t.Errorf("%s: %q", url, problem)
		}
	}
}

// What an issuer says of itself is not believed against the configuration.
func TestAnIssuerThatIsSomebodyElse(t *testing.T) {
	for name, document := range map[string]func(object){
		"the document of another":   func(d object) { d["issuer"] = "https://id.example.com" },
		"no keys":                   func(d object) { delete(d, "jwks_uri") },
		"keys over plain HTTP":      func(d object) { d["jwks_uri"] = "http://id.example.com/keys" },
		"keys in a file":            func(d object) { d["jwks_uri"] = "file:///etc/passwd" },
		"keys that are not there":   func(d object) { d["jwks_uri"] = fmt.Sprint(d["issuer"], "/nothing") },
		"keys that are no keys":     func(d object) { d["jwks_uri"] = fmt.Sprint(d["issuer"], "/.well-known/openid-configuration/x") },
		"a document without an end": func(d object) { d["more"] = strings.Repeat("x", 2<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			server, issuer := start(t)
			server.Document = document
			wanted(t, issuer, server.Token(), time.Now(), "undecided")
			if err := issuer.Check(t.Context()); err == nil || len(err.Error()) > 600 {
				t.Errorf("the check finds %v", err)
			}
		})
	}
}
