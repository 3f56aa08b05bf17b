// Package testissuer is an OpenID Connect issuer for tests: discovery, keys that
// rotate, and tokens with whatever claims, good and forged. It is written without
// the library that it is there to test.
package testissuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"scimgate/internal/testcert"
)

// Object is JSON.
type Object = map[string]any

// Key is a key of an issuer.
type Key struct {
	ID     string
	Signer crypto.Signer // *rsa.PrivateKey (RS256) or *ecdsa.PrivateKey (ES256)
}

// Issuer is a running issuer.
type Issuer struct {
	URL string
	// Document, if set, changes the discovery document; Keys adds to the set of keys.
	Document func(Object)
	Keys     []Object
	// Down has it answer 503, Fetches counts how often the keys were asked for.
	Down    atomic.Bool
	Fetches atomic.Int64
	// Asked counts requests of any kind.
	Asked atomic.Int64
	// Wait, if set, is called before each answer.
	Wait func()

	mu     sync.Mutex
	keys   []Key
	server *httptest.Server
}

// Start starts an issuer over plain HTTP at a loopback address.
func Start() *Issuer {
	i := &Issuer{}
	i.server = httptest.NewServer(i)
	return i.ready()
}

// StartTLS starts one over HTTPS.
func StartTLS(authority *testcert.Authority) *Issuer {
	i := &Issuer{}
	i.server = httptest.NewUnstartedServer(i)
	i.server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Server("127.0.0.1").TLS()}}
	i.server.StartTLS()
	return i.ready()
}

func (i *Issuer) ready() *Issuer {
	i.URL = i.server.URL
	i.Rotate(NewKey("first"))
	return i
}

// Stop ends it; its address refuses connections from then on.
func (i *Issuer) Stop() { i.server.Close() }

// Rotate makes these the issuer's keys, the first of which signs.
func (i *Issuer) Rotate(keys ...Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// Key is the key that signs.
func (i *Issuer) Key() Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[0]
}

// NewKey makes a key of elliptic curves.
func NewKey(id string) Key {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return Key{id, key}
}

// NewRSA makes an RSA key.
func NewRSA(id string) Key {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	return Key{id, key}
}

// ServeHTTP answers for the issuer.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.Asked.Add(1)
	if i.Wait != nil {
		i.Wait()
	}
	if i.Down.Load() {
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		document := Object{
			"issuer": i.URL, "jwks_uri": i.URL + "/keys?of=all", "token_endpoint": i.URL + "/token", "authorization_endpoint": i.URL + "/authorize",
			"id_token_signing_alg_values_supported": []string{"RS256", "ES256"}, "subject_types_supported": []string{"public"}, "response_types_supported": []string{"code"},
		}
		if i.Document != nil {
			i.Document(document)
		}
		_ = json.NewEncoder(w).Encode(document)
	case "/keys":
		i.Fetches.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		all := append([]Object{}, i.Keys...)
		for _, key := range i.keys {
			all = append(all, key.public())
		}
		_ = json.NewEncoder(w).Encode(Object{"keys": all})
	default:
		http.NotFound(w, r)
	}
}

// Claims are those of a good access token, for the audience scim, with changes. A
// nil takes a claim away.
func (i *Issuer) Claims(changes ...Object) Object {
	now := time.Now()
	claims := Object{
		"iss": i.URL, "aud": "scim", "sub": "client-1", "client_id": "client-1", "scope": "openid scim.write",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": rand.Text(),
	}
	for _, change := range changes {
		maps.Copy(claims, change)
	}
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

// Token is an access token with these changes to its claims.
func (i *Issuer) Token(changes ...Object) string {
	return i.Key().Sign(Object{"typ": "at+jwt"}, i.Claims(changes...))
}

// Sign makes a JWT; header adds to, or replaces, what is right for the key.
func (k Key) Sign(header, claims Object) string {
	head := Object{"alg": k.algorithm(), "kid": k.ID}
	maps.Copy(head, header)
	maps.DeleteFunc(head, func(_ string, v any) bool { return v == nil })
	text := encode(head) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	if key, ok := k.Signer.(*rsa.PrivateKey); ok {
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		must(err)
		return text + "." + raw(signature)
	}
	r, s, err := ecdsa.Sign(rand.Reader, k.Signer.(*ecdsa.PrivateKey), sum[:])
	must(err)
	return text + "." + raw(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// Unsigned makes a JWT that nobody has signed (alg none).
func Unsigned(header, claims Object) string {
	head := Object{"alg": "none"}
	maps.Copy(head, header)
	return encode(head) + "." + encode(claims) + "."
}

// WithSecret makes a JWT that is signed with a secret (HS256).
func WithSecret(secret []byte, header, claims Object) string {
	head := Object{"alg": "HS256"}
	maps.Copy(head, header)
	text := encode(head) + "." + encode(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + raw(mac.Sum(nil))
}

func (k Key) algorithm() string {
	if _, ok := k.Signer.(*rsa.PrivateKey); ok {
		return "RS256"
	}
	return "ES256"
}

// public is the key as RFC 7517 writes it.
func (k Key) public() Object {
	jwk := Object{"kid": k.ID, "use": "sig", "alg": k.algorithm()}
	switch public := k.Signer.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", raw(public.N.Bytes()), raw(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, then both coordinates
		must(err)
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", raw(point[1:33]), raw(point[33:])
	}
	return jwk
}

func encode(o Object) string {
	text, err := json.Marshal(o)
	must(err)
	return raw(text)
}

func raw(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// must ends a test that asks for what cannot be made.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("testissuer: %v", err))
	}
}
