package scim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Bulk is a bulk request (RFC 7644 section 3.7).
type Bulk struct {
	FailOnErrors int // 0 for no limit
	Operations   []BulkOperation
}

// BulkOperation is one of its operations. What is wrong with it alone is Fault;
// the others are done all the same.
type BulkOperation struct {
	Method  string // POST, PUT, PATCH or DELETE
	Path    string
	BulkID  string
	Version string
	Data    map[string]any
	Fault   *Error
}

// BulkResult is what came of an operation. An operation that succeeded has no
// Response: the resource is at Location.
type BulkResult struct {
	Method   string `json:"method,omitempty"`
	BulkID   string `json:"bulkId,omitempty"`
	Version  string `json:"version,omitempty"`
	Location string `json:"location,omitempty"`
	Status   string `json:"status"`
	Response *Error `json:"response,omitempty"`
}

// BulkResponse is the answer to a bulk request.
type BulkResponse struct{ Operations []BulkResult }

// MarshalJSON puts the schema of the message before the results.
func (r BulkResponse) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Schemas    []string     `json:"schemas"`
		Operations []BulkResult `json:"Operations"`
	}{[]string{BulkResponseURN}, append([]BulkResult{}, r.Operations...)})
}

// DecodeBulk reads the body of a bulk request with at most that many
// operations; more are a 413 (section 3.7.4). Names of keys and methods may be
// in any case.
func DecodeBulk(body []byte, most int) (Bulk, error) {
	object, err := decodeObject(body)
	if err != nil {
		return Bulk{}, err
	}
	var b Bulk
	if b.FailOnErrors, err = failOnErrors(object); err != nil {
		return Bulk{}, err
	}
	given, _, err := member(object, "Operations")
	if err != nil {
		return Bulk{}, err
	}
	if single, ok := given.(map[string]any); ok {
		given = []any{single}
	}
	list, _ := given.([]any)
	if len(list) == 0 {
		return Bulk{}, BadRequest(TypeInvalidSyntax,
			"a Bulk without Operations, expected {\"schemas\":[%q],\"Operations\":[…]}", BulkRequestURN)
	}
	if len(list) > most {
		return Bulk{}, &Error{Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("%d operations are more than the maxOperations of %d (RFC 7644 section 3.7.4); send them in several requests", len(list), most)}
	}
	uses := map[string]int{}
	for i, v := range list {
		o, err := decodeBulkOperation(v)
		if err != nil {
			return Bulk{}, within(fmt.Sprintf("operation %d", i+1), err)
		}
		if o.Method == http.MethodPost && o.BulkID != "" {
			uses[o.BulkID]++
		}
		b.Operations = append(b.Operations, o)
	}
	for i := range b.Operations {
		o := &b.Operations[i]
		if o.Fault == nil && o.Method == http.MethodPost && uses[o.BulkID] > 1 {
			o.Fault = BadRequest(TypeInvalidValue, "the bulkId %q stands for %d operations; each POST needs one of its own", o.BulkID, uses[o.BulkID])
		}
	}
	return b, nil
}

func failOnErrors(object map[string]any) (int, error) {
	given, _, err := member(object, "failOnErrors")
	if err != nil || isBlank(given) {
		return 0, err
	}
	number, ok := given.(json.Number)
	n, err := number.Int64()
	if !ok || err != nil || n < 0 {
		return 0, BadRequest(TypeInvalidSyntax, "failOnErrors is no whole number; write after how many errors to stop, or leave it out")
	}
	return int(min(n, 1<<30)), nil
}

// decodeBulkOperation reads one operation. What cannot even be answered for by
// itself, because it is no object, is an error.
func decodeBulkOperation(v any) (BulkOperation, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return BulkOperation{}, BadRequest(TypeInvalidSyntax, "got %s, expected an object", kindOf(v))
	}
	var o BulkOperation
	fault := func(scimType, format string, args ...any) {
		if o.Fault == nil {
			o.Fault = BadRequest(scimType, format, args...)
		}
	}
	for _, part := range []struct {
		name string
		into *string
	}{{"method", &o.Method}, {"path", &o.Path}, {"bulkId", &o.BulkID}, {"version", &o.Version}} {
		given, _, err := member(object, part.name)
		text, ok := given.(string)
		if err != nil {
			fault(TypeInvalidSyntax, "the %s is there twice", part.name)
		} else if !ok && given != nil {
			fault(TypeInvalidSyntax, "the %s is %s, expected text", part.name, kindOf(given))
		}
		*part.into = strings.TrimSpace(text)
	}
	o.Method = strings.ToUpper(o.Method)
	switch o.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		o.Method = ""
		fault(TypeInvalidSyntax, "the method is missing or unknown, expected POST, PUT, PATCH or DELETE")
	}
	if o.Path == "" {
		fault(TypeInvalidPath, "the path is missing, expected for example /Users or /Users/{id}")
	}
	if o.Method == http.MethodPost && o.BulkID == "" {
		fault(TypeInvalidValue, "the bulkId is missing; a POST needs one, so that its answer can be told from others")
	}
	o.decodeData(object, fault)
	return o, nil
}

// decodeData takes the data. That of a PATCH may be the list of its operations
// alone, as the examples of RFC 7644 section 3.7.3 have it.
func (o *BulkOperation) decodeData(object map[string]any, fault func(scimType, format string, args ...any)) {
	given, _, err := member(object, "data")
	if o.Method == http.MethodDelete {
		return
	}
	if err != nil {
		fault(TypeInvalidSyntax, "the data is there twice")
		return
	}
	if list, ok := given.([]any); ok && o.Method == http.MethodPatch {
		given = map[string]any{"schemas": []any{PatchOpURN}, "Operations": list}
	}
	data, ok := given.(map[string]any)
	switch {
	case given == nil:
		fault(TypeInvalidSyntax, "the data is missing: what the body of this %s alone would be", o.Method)
	case !ok:
		fault(TypeInvalidSyntax, "the data is %s, expected an object", kindOf(given))
	}
	o.Data = data
}

// bulkPrefix is how a reference to a resource begins that the same request
// makes.
const bulkPrefix = "bulkId:"

// BulkReference returns the bulkId that a text stands for.
func BulkReference(text string) (string, bool) {
	if len(text) <= len(bulkPrefix) || !strings.EqualFold(text[:len(bulkPrefix)], bulkPrefix) {
		return "", false
	}
	return text[len(bulkPrefix):], true
}

// BulkReferences returns the bulkIds that data refers to, each once.
func BulkReferences(data map[string]any) []string {
	found := map[string]bool{}
	_ = rewrite("", data, func(id string) (string, bool) {
		found[id] = true
		return "", false
	})
	return slices.Sorted(maps.Keys(found))
}

// ResolveBulk returns a copy of data with the ids in place of the bulkIds that
// stand for them. Those that ids does not know stay.
func ResolveBulk(data map[string]any, ids map[string]string) map[string]any {
	resolved, _ := rewrite("", data, func(id string) (string, bool) {
		real, ok := ids[id]
		return real, ok
	}).(map[string]any)
	return resolved
}

// rewrite copies a value with other text for the references in it. Those are
// whole texts, and within the filter of a path or at the end of a URL.
func rewrite(key string, v any, id func(bulkID string) (string, bool)) any {
	switch v := v.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for k, part := range v {
			copied[k] = rewrite(k, part, id)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, part := range v {
			copied[i] = rewrite(key, part, id)
		}
		return copied
	case string:
		return rewriteText(key, v, id)
	}
	return v
}

func rewriteText(key, text string, id func(bulkID string) (string, bool)) string {
	bulkID, ok := BulkReference(text)
	switch {
	case ok:
		if real, ok := id(bulkID); ok {
			return real
		}
	case strings.EqualFold(key, "path"):
		return rewriteFilter(text, id)
	case strings.EqualFold(key, "$ref"):
		i := strings.LastIndexByte(text, '/') + 1
		if bulkID, ok = BulkReference(text[i:]); ok {
			if real, ok := id(bulkID); ok {
				return text[:i] + real
			}
		}
	}
	return text
}

// rewriteFilter replaces the references among the quoted values of a path's
// filter: members[value eq "bulkId:x"].
func rewriteFilter(path string, id func(bulkID string) (string, bool)) string {
	parts := strings.Split(path, `"`)
	for i := 1; i < len(parts)-1; i += 2 {
		if bulkID, ok := BulkReference(parts[i]); ok {
			if real, ok := id(bulkID); ok {
				parts[i] = real
			}
		}
	}
	return strings.Join(parts, `"`)
}

// WithoutBulk takes out of a resource what refers to one of the bulkIds, and
// returns what is left and what was taken, in the form in which a path-less add
// brings it back. What loses its value is taken as a whole.
func WithoutBulk(data map[string]any, unknown map[string]bool) (left, taken map[string]any) {
	l, t := divide(data, unknown)
	left, _ = l.(map[string]any)
	taken, _ = t.(map[string]any)
	if left == nil {
		left = map[string]any{}
	}
	return left, taken
}

// divide returns nil for a part that is empty.
func divide(v any, unknown map[string]bool) (left, taken any) {
	switch v := v.(type) {
	case string:
		if id, ok := BulkReference(v); ok && unknown[id] {
			return nil, v
		}
	case []any:
		var keep, take []any
		for _, element := range v {
			l, t := divide(element, unknown)
			if l != nil {
				keep = append(keep, l)
			}
			if t != nil {
				take = append(take, t)
			}
		}
		if take == nil {
			return v, nil
		}
		if keep == nil {
			return nil, take
		}
		return keep, take
	case map[string]any:
		return divideObject(v, unknown)
	}
	return v, nil
}

func divideObject(object map[string]any, unknown map[string]bool) (left, taken any) {
	if value, ok, err := member(object, "value"); ok && err == nil {
		if _, t := divide(value, unknown); t != nil {
			return nil, object
		}
	}
	keep, take := map[string]any{}, map[string]any{}
	for k, part := range object {
		l, t := divide(part, unknown)
		if l != nil || t == nil {
			keep[k] = l
		}
		if t != nil {
			take[k] = t
		}
	}
	switch {
	case len(take) == 0:
		return object, nil
	case len(keep) == 0:
		return nil, take
	}
	return keep, take
}
