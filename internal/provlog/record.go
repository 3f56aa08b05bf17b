package provlog

import (
	"encoding/json"
	"time"
)

// Record is what is kept of one request. Whoever makes it leaves out what may not
// be kept: tokens and passwords always, values unless they were asked for.
type Record struct {
	Time      time.Time `json:"time"` // when it was answered
	Request   string    `json:"request"`
	Bulk      string    `json:"bulk,omitempty"` // the request id of the Bulk that this is an operation of
	Tenant    string    `json:"tenant,omitempty"`
	Token     string    `json:"token,omitempty"`   // the id of the token, never the token
	Address   string    `json:"address,omitempty"` // of the client
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Operation string    `json:"operation,omitempty"`
	ID        string    `json:"id,omitempty"` // of the resource
	DN        string    `json:"dn,omitempty"`
	From      string    `json:"from,omitempty"` // its DN before, of a rename or a move
	User      string    `json:"user,omitempty"` // what the resource is called; a value
	// Who holds hashes of Names, by which a query finds the line.
	Who []string `json:"who,omitempty"`
	// Attributes are the names of those that were changed, or may have been where the
	// directory was lost in the middle.
	Attributes []string `json:"attributes,omitempty"`
	Attempts   int      `json:"attempts,omitempty"` // how often the write that was tried most was tried
	TookMS     float64  `json:"tookMs"`
	Status     int      `json:"status"`
	ScimType   string   `json:"scimType,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	Operations int      `json:"operations,omitempty"` // of a Bulk, and how many of them failed
	Errors     int      `json:"errors,omitempty"`
	Sent       *Sent    `json:"sent,omitempty"` // of a failed request

	// Names are what the resource is called and was asked for by. They are hashed,
	// and not written themselves.
	Names []string `json:"-"`
}

// Sent is what the client sent, without secrets.
type Sent struct {
	Query string `json:"query,omitempty"`
	// Bytes is how long the body was. Body is it, or Beginning where it is longer
	// than what is kept; what is not JSON is not kept at all.
	Bytes     int             `json:"bytes"`
	Body      json.RawMessage `json:"body,omitempty"`
	Beginning string          `json:"beginning,omitempty"`
}

// Recorder takes the records of requests, each once, when it is answered. It is
// called by many requests at once and holds none of them up.
type Recorder interface{ Record(r Record) }

// Failed reports whether the request, or an operation of a Bulk, was refused or
// went wrong.
func (r *Record) Failed() bool { return r.Status >= 400 || r.Errors > 0 }

// terms are what the line can be found by, each with its kind before it.
func (r *Record) terms(add func(kind byte, value string)) {
	for _, t := range []struct {
		kind  byte
		value string
	}{
		{kindRequest, r.Request}, {kindRequest, r.Bulk}, {kindTenant, r.Tenant}, {kindOperation, r.Operation},
		{kindUser, folded(r.ID)}, {kindUser, folded(r.DN)}, {kindUser, folded(r.From)}, {kindStatus, statusText(r.Status)},
	} {
		if t.value != "" {
			add(t.kind, t.value)
		}
	}
	for _, hash := range r.Who {
		add(kindWho, hash)
	}
	if r.Failed() {
		add(kindFailed, "")
	}
}

// The kinds of terms.
const (
	kindRequest   = 'r'
	kindTenant    = 't'
	kindOperation = 'o'
	kindUser      = 'u'
	kindWho       = 'w'
	kindStatus    = 's'
	kindFailed    = 'f'
)
