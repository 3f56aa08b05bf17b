package identity

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	// fetchTimeout bounds everything that the issuer is asked for one set of keys.
	fetchTimeout = 5 * time.Second
	// maxAnswer is how much is read of an answer, in bytes.
	maxAnswer = 1 << 20
	// maxKeys is how many keys are kept; an issuer has two or three.
	maxKeys = 50
	// maxCause is how much of an error is kept: it may quote what the issuer sent.
	maxCause = 300
)

// newClient makes a client that follows nobody elsewhere: where the keys are, the
// issuer's document alone says.
func newClient(caFile string) (*http.Client, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		authorities, err := Authorities(caFile)
		if err != nil {
			return nil, err
		}
		trust.RootCAs = Pool(authorities)
	}
	return &http.Client{
		Transport: bounded{&http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			TLSClientConfig:   trust,
			DisableKeepAlives: true, // it is asked every quarter of an hour
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       fetchTimeout,
	}, nil
}

// bounded cuts answers that are too long, which then are no JSON.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

// fetch reads the issuer's document and then the keys that it names.
func (k *keys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	found, err := k.ask(oidc.ClientContext(ctx, k.client))
	if err != nil {
		if text := err.Error(); len(text) > maxCause {
			err = errors.New(printable(text[:maxCause]) + "...")
		}
		return nil, fmt.Errorf("keys of %s: %w", k.issuer, err)
	}
	return found, nil
}

func (k *keys) ask(ctx context.Context) ([]jose.JSONWebKey, error) {
	provider, err := oidc.NewProvider(ctx, k.issuer) // it holds the document's issuer against ours
	if err != nil {
		return nil, err
	}
	var document struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil {
		return nil, err
	}
	if document.Keys == "" {
		return nil, errors.New("its document names no keys (jwks_uri)")
	}
	if problem := untrusted(document.Keys); problem != "" {
		return nil, fmt.Errorf("the place of its keys (jwks_uri) %s", problem)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, document.Keys, nil)
	if err != nil {
		return nil, err
	}
	answer, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it was only read from
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", document.Keys, answer.Status)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil {
		return nil, fmt.Errorf("%s is no set of keys: %w", document.Keys, err)
	}
	return usable(set.Keys), nil
}

// usable are the public keys for signatures. Others, and those of kinds that are
// not known here, may stand beside them (RFC 7517 section 5).
func usable(texts []json.RawMessage) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, text := range texts {
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) != nil || !key.IsPublic() || !key.Valid() || key.Use != "" && key.Use != "sig" {
			continue
		}
		if key.Algorithm != "" && !slices.Contains(names(algorithms), key.Algorithm) {
			continue
		}
		if found = append(found, key); len(found) == maxKeys {
			break
		}
	}
	return found
}
