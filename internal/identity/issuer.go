package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"scimgate/internal/token"
)

const (
	// leeway is how far the clocks of issuer and gateway may be apart.
	leeway = time.Minute
	// maxToken is the longest text, in bytes, that is looked at as a JWT.
	maxToken = 16 << 10
)

// algorithms are the signatures that are taken: those of which the issuer alone
// can make one. What a shared secret signs (HS256), and what nothing signs (none),
// anybody could make who knows the issuer's public key.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// IssuerConfig says whose access tokens are taken, and which of them.
type IssuerConfig struct {
	Issuer   string   // its URL, as tokens have it in iss
	Audience string   // has to be in aud
	Scope    string   // words that all have to be in scope or scp; "" wants none
	Clients  []string // to which of its clients the issuer gave the token; none for any
	CAFile   string   // whom to trust for the issuer's own certificate; "" for the system's authorities
}

// Issuer tells the access tokens of an OpenID Connect issuer from any other text.
// It is safe for concurrent use.
type Issuer struct {
	config IssuerConfig
	scope  []string
	keys   *keys
}

// NewIssuer returns a verifier of an issuer's tokens. It asks the issuer nothing
// yet, so that an issuer that is away stops nobody's start.
func NewIssuer(cfg IssuerConfig) (*Issuer, error) {
	if problem := IssuerURL(cfg.Issuer); problem != "" {
		return nil, fmt.Errorf("issuer %s", problem)
	}
	client, err := newClient(cfg.CAFile)
	if err != nil {
		return nil, err
	}
	return &Issuer{config: cfg, scope: strings.Fields(cfg.Scope), keys: newKeys(cfg.Issuer, client)}, nil
}

// IssuerURL says what keeps a text from being the URL of an issuer, or "".
func IssuerURL(text string) string {
	u, err := url.Parse(text)
	if err == nil && (u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil) {
		return "has more than scheme, host and path; write what the issuer's tokens have in iss, for example https://id.example.com"
	}
	return untrusted(text)
}

// untrusted says what keeps a text from being a URL whose answer can be trusted, or
// "". Over plain HTTP the keys could be anybody's, so that is for this machine alone.
func untrusted(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Sprintf("%q is not an absolute URL; write for example https://id.example.com", text)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "is plain HTTP, over which anybody could hand out keys; use https (http is for an issuer at a loopback address, to try things out)"
	}
	return ""
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Shaped reports whether a text has the form of a JWT: no other is worth a look,
// let alone a word to the issuer.
func Shaped(text string) bool {
	if len(text) > maxToken || strings.Count(text, ".") != 2 {
		return false
	}
	_, err := jose.ParseSignedCompact(text, append(slices.Clone(algorithms), jose.HS256, jose.HS384, jose.HS512, "none"))
	return err == nil
}

// Verify returns who presents a token of the issuer. The error is always a
// *token.Refusal: it says why the token is not taken, or that the issuer's keys
// are needed to tell and cannot be had.
//
// It waits for the issuer no longer than fetchTimeout.
func (i *Issuer) Verify(text string, now time.Time) (token.Identity, error) {
	jws, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return token.Identity{}, invalid("this access token is not signed with an asymmetric algorithm (RS256, ES256 and their like), and no other is taken", nil)
	}
	// What is not even said to be by the issuer needs none of its keys.
	var claimed struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claimed) != nil || claimed.Issuer != i.config.Issuer {
		return token.Identity{}, invalid("this access token is by another issuer than the one that this tenant trusts; its iss has to be the issuer of the configuration, to the last slash", nil)
	}
	// One look at the keys for each token, whose failure is told from a bad signature.
	look := &lookup{keys: i.keys, now: now}
	verified, err := oidc.NewVerifier(i.config.Issuer, look, &oidc.Config{
		SupportedSigningAlgs: names(algorithms),
		// Both are looked at here: an expiry with leeway, an audience with a reason.
		SkipClientIDCheck: true, SkipExpiryCheck: true,
	}).Verify(context.Background(), text)
	switch {
	case look.undecided != nil:
		return token.Identity{}, look.undecided
	case err != nil:
		return token.Identity{}, invalid("this access token is not signed by a key of its issuer, or its claims cannot be read; get a new one from the issuer", err)
	}
	var c claims
	if err := verified.Claims(&c); err != nil {
		return token.Identity{}, invalid("the claims of this access token cannot be read; get a new one from the issuer", err)
	}
	if refusal := i.judge(jws.Signatures[0].Header, verified.Audience, c, now); refusal != nil {
		return token.Identity{}, refusal
	}
	return token.Identity{ID: c.name()}, nil
}

// Check asks the issuer for its keys, and is for whoever wants to know before a
// token arrives.
func (i *Issuer) Check(ctx context.Context) error {
	found, err := i.keys.fetch(ctx)
	if err == nil && len(found) == 0 {
		return errors.New("it has no public key for signatures of a kind that is taken")
	}
	return err
}

// lookup is the key set of one verification.
type lookup struct {
	keys      *keys
	now       time.Time
	undecided *token.Refusal
}

// VerifySignature implements oidc.KeySet.
func (l *lookup) VerifySignature(_ context.Context, text string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return nil, err
	}
	payload, err := l.try(l.keys.find, jws)
	if errors.Is(err, errSignature) && jws.Signatures[0].Header.KeyID == "" { // by a key that the issuer has since, perhaps
		payload, err = l.try(l.keys.anew, jws)
	}
	if err != nil && !errors.Is(err, errSignature) {
		l.undecided = &token.Refusal{Kind: token.Undecided, Err: err,
			Detail: "whether this access token is good cannot be told at the moment, because the issuer's keys cannot be had; send the request again later"}
	}
	return payload, err
}

// errSignature says that a token is by no key of the issuer.
var errSignature = errors.New("no key of the issuer fits the signature")

// try checks the signature with the keys that are found for it.
func (l *lookup) try(find func(id, algorithm string, now time.Time) ([]jose.JSONWebKey, error), jws *jose.JSONWebSignature) ([]byte, error) {
	header := jws.Signatures[0].Header
	candidates, err := find(header.KeyID, header.Algorithm, l.now)
	if err != nil {
		return nil, err
	}
	for _, key := range candidates {
		if payload, err := jws.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, errSignature
}

func invalid(detail string, err error) *token.Refusal {
	return &token.Refusal{Kind: token.Invalid, Detail: detail, Err: err}
}

func names(all []jose.SignatureAlgorithm) []string {
	list := make([]string, len(all))
	for i, a := range all {
		list[i] = string(a)
	}
	return list
}
