package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"

	"scimgate/internal/token"
)

// maxName is how much of a subject the log shows, in bytes.
const maxName = 100

// claims are what is looked at in a token beside its issuer and audience.
type claims struct {
	Subject   string   `json:"sub"`
	Expires   *float64 `json:"exp"`
	NotBefore *float64 `json:"nbf"`
	Scope     words    `json:"scope"`
	SCP       words    `json:"scp"` // Entra ID and Okta

	// The client that the token was given to: RFC 9068, OpenID Connect, Okta, the
	// older tokens of Entra ID.
	ClientID string `json:"client_id"`
	AZP      string `json:"azp"`
	CID      string `json:"cid"`
	AppID    string `json:"appid"`

	// What tells other tokens of an issuer from access tokens, and bound ones from
	// those that whoever bears them may use.
	Type         string          `json:"typ"`       // Keycloak
	Use          string          `json:"token_use"` // Cognito
	AccessHash   string          `json:"at_hash"`
	CodeHash     string          `json:"c_hash"`
	Events       json.RawMessage `json:"events"` // RFC 8417
	Confirmation json.RawMessage `json:"cnf"`    // RFC 7800
}

// words are the values of a scope: one text with blanks, or a list.
type words []string

// UnmarshalJSON takes both.
func (w *words) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*w = strings.Fields(one)
		return nil
	}
	var several []string
	if err := json.Unmarshal(text, &several); err != nil {
		return errors.New("a scope is neither a text nor a list of texts")
	}
	*w = nil
	for _, s := range several {
		*w = append(*w, strings.Fields(s)...)
	}
	return nil
}

// client is whom the token was given to, "" where it does not say.
func (c claims) client() string {
	for _, id := range []string{c.ClientID, c.AZP, c.CID, c.AppID} {
		if id != "" {
			return id
		}
	}
	return ""
}

// name is what the log calls the caller.
func (c claims) name() string {
	who := c.Subject
	if who == "" {
		who = c.client()
	}
	return "oidc:" + printable(who)
}

// printable makes a text of somebody else fit for a line of the log.
func printable(text string) string {
	text = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text), "?")
	if len(text) > maxName {
		text = strings.ToValidUTF8(text[:maxName], "") + "..."
	}
	return text
}

// judge says why a token whose signature is good is not taken, or returns nil.
func (i *Issuer) judge(header jose.Header, audience []string, c claims, now time.Time) *token.Refusal {
	at := float64(now.Unix())
	switch {
	case !accessToken(header, c):
		return invalid("this is another kind of token than an access token (an ID token, perhaps); send the access_token that the issuer answers with", nil)
	case c.Confirmation != nil:
		return invalid("this access token is bound to a key (cnf), which takes a proof that this server does not ask for; have the issuer give a plain bearer token", nil)
	case !slices.Contains(audience, i.config.Audience):
		return invalid("this access token is for somebody else: its aud has to contain the audience that the configuration has for this tenant", nil)
	case c.Expires == nil:
		return invalid("this access token has no expiry (exp), and one that is good for ever is not taken; have the issuer set one", nil)
	case *c.Expires <= at-leeway.Seconds():
		return invalid("this access token has expired; get a new one from the issuer", nil)
	case c.NotBefore != nil && *c.NotBefore > at+leeway.Seconds():
		return invalid("this access token is not good yet (nbf); compare the clocks of the issuer and of this server", nil)
	}
	if missing := i.missing(c); len(missing) > 0 {
		return &token.Refusal{Kind: token.Insufficient, Scope: strings.Join(i.scope, " "),
			Detail: fmt.Sprintf("this access token lacks the scope %s; ask the issuer for it, and let the client have it", strings.Join(missing, " "))}
	}
	if len(i.config.Clients) > 0 && !slices.Contains(i.config.Clients, c.client()) {
		return &token.Refusal{Kind: token.Insufficient,
			Detail: "this access token was given to another client of the issuer than those that the configuration names for this tenant; use that client's, or have this one named"}
	}
	return nil
}

// missing are the words of the scope that a token lacks.
func (i *Issuer) missing(c claims) []string {
	var missing []string
	for _, word := range i.scope {
		if !slices.Contains(c.Scope, word) && !slices.Contains(c.SCP, word) {
			missing = append(missing, word)
		}
	}
	return missing
}

// accessToken reports whether nothing says that a token is of another kind. Most
// issuers put no more than JWT into the header, so at+jwt (RFC 9068 section 2.1)
// cannot be insisted on.
func accessToken(header jose.Header, c claims) bool {
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "at+jwt":
	default:
		return false
	}
	switch strings.ToLower(c.Type) {
	case "", "bearer", "jwt", "at+jwt":
	default:
		return false
	}
	return c.AccessHash == "" && c.CodeHash == "" && c.Events == nil && (c.Use == "" || c.Use == "access")
}

// Beside recognises what one verifier knows, and else the access tokens of an
// issuer.
type Beside struct {
	Tokens interface {
		Verify(text string, now time.Time) (token.Identity, bool, error)
	}
	Issuer *Issuer
}

// Verify returns who presents a token. A text that has not the form of a JWT
// never gets further than the first verifier. An error that is not a
// *token.Refusal is the first verifier's as well.
func (b Beside) Verify(text string, now time.Time) (token.Identity, bool, error) {
	id, ok, err := b.Tokens.Verify(text, now)
	if ok || !Shaped(text) {
		return id, ok, err
	}
	id, refusal := b.Issuer.Verify(text, now)
	if refusal == nil {
		return id, true, err
	}
	if err == nil {
		return id, false, refusal
	}
	return id, false, errors.Join(err, refusal)
}
