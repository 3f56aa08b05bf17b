package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"scimgate/internal/directory"
	"scimgate/internal/provlog"
	"scimgate/internal/scim"
)

// Keep says what the records of a tenant hold beside the names of things. Tokens and
// passwords are in none.
type Keep struct {
	Values       bool // what the resource is called, and the words of the client in reasons
	FailedBodies bool // what the client sent, where the request failed
}

// keep is a Keep ready for requests.
type keep struct {
	Keep
	secrets []string        // names of attributes
	words   map[string]bool // of the protocol and of the tenant's schemas, in small
}

func newKeep(k Keep, types []*resourceType) keep {
	made := keep{Keep: k, words: map[string]bool{}}
	for _, word := range strings.Fields("me bulk .search serviceproviderconfig resourcetypes schemas and or not eq ne co sw ew gt ge lt le pr true false null ascending descending") {
		made.words[word] = true
	}
	for _, t := range types {
		for _, name := range t.mapping.Secrets() {
			if !slices.Contains(made.secrets, name) {
				made.secrets = append(made.secrets, name)
			}
		}
		def := t.mapping.Definition()
		made.words[strings.ToLower(def.Name)], made.words[strings.ToLower(def.Endpoint)] = true, true
		for _, schema := range append([]scim.Schema{def.Core}, def.Extensions...) {
			made.learn(schema.Attributes)
		}
	}
	return made
}

func (k *keep) learn(attributes []scim.Attribute) {
	for _, a := range attributes {
		k.words[strings.ToLower(a.Name)] = true
		k.learn(a.SubAttributes)
	}
}

// kept knows what may be kept of one request.
type kept struct {
	keep
	base    string
	secrets *strings.Replacer // takes tokens and passwords out of a text
	said    []string          // values that the client sent, the longest first
	sent    *provlog.Sent
}

// keeps finds out what may be kept of a request.
func (ev *event) keeps(r *http.Request, status int) kept {
	k := kept{}
	if ev.of != nil {
		k.keep, k.base = ev.of.keep, ev.of.baseOf(r.URL.Path)
	}
	var secrets []string
	if ev.bearer != "" {
		secrets = append(secrets, ev.bearer)
	}
	if status >= http.StatusBadRequest {
		body, isJSON := scim.Redact(ev.body, k.keep.secrets, secrets...)
		said := append(body.Values, k.asked(r.URL.Query())...)
		if isJSON {
			secrets = append(secrets, body.Secrets...)
		} else { // so many are looked for as values are
			said, k.Values = append(said, body.Secrets...), k.Values && len(body.Secrets) == 0
		}
		for _, values := range r.URL.Query() {
			for _, v := range values {
				secrets = append(secrets, scim.SecretsOf(v, k.keep.secrets)...)
			}
		}
		k.said = longest(said)
		if k.FailedBodies && ev.of != nil && ev.token != "" {
			k.secrets = scim.Masker(secrets)
			k.sent = keepSent(ev.body, body.Body, isJSON, k.clean(k.query(r.URL.Query())))
		}
	}
	k.secrets = scim.Masker(secrets)
	return k
}

// keepBody reads what a request sent that was refused before anybody read it, as by the
// switch, where the tenant asks for the bodies of failed requests.
func keepBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		sent := c.Request().Body // as it is before it is bounded
		err := next(c)
		t, ok := c.Get(tenantKey).(*tenant)
		if ev := eventOf(c); err != nil && ok && t.keep.FailedBodies && !ev.read {
			ev.body, _ = io.ReadAll(io.LimitReader(sent, mostKept)) // what does not arrive is not kept
		}
		return err
	}
}

// mostKept bounds what is read of a body for the log alone.
const mostKept = 1 << 20

// longest puts texts in the order in which they are looked for, each once.
func longest(texts []string) []string {
	slices.SortFunc(texts, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(texts)
}

// bodyKept is how much of a body is kept.
const bodyKept = 16 << 10

// keepSent is what is kept of a request that failed.
func keepSent(body, clean []byte, isJSON bool, query string) *provlog.Sent {
	s := &provlog.Sent{Query: query, Bytes: len(body)}
	switch {
	case !isJSON:
	case len(clean) <= bodyKept:
		s.Body = clean
	default:
		s.Beginning = strings.ToValidUTF8(string(clean[:bodyKept]), "")
	}
	if s.Query == "" && s.Bytes == 0 {
		return nil
	}
	return s
}

// query is that of a request, as far as SCIM knows it: a parameter of another name may
// be a token.
func (k kept) query(given url.Values) string {
	shown := url.Values{}
	for name, values := range given {
		if !k.parameter(name) {
			shown[scim.Masked] = []string{scim.Masked}
			continue
		}
		for _, v := range values {
			if len(scim.SecretsOf(v, k.keep.secrets)) > 0 {
				v = scim.Masked
			}
			shown.Add(name, v)
		}
	}
	text, err := url.QueryUnescape(shown.Encode())
	if err != nil {
		return ""
	}
	return text
}

func (k kept) parameter(name string) bool {
	return slices.Contains([]string{"filter", "attributes", "excludedAttributes", "sortBy", "sortOrder", "startIndex", "count", "cursor"}, name)
}

// asked returns the words of a query that are values: all that are not known.
func (k kept) asked(given url.Values) []string {
	var all []string
	for _, values := range given {
		for _, v := range values {
			all = append(all, v)
			for word := range strings.FieldsFuncSeq(v, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"()[],`, r) }) {
				if name := word[strings.LastIndexByte(word, ':')+1:]; !k.knows(name) {
					all = append(all, word)
				}
			}
		}
	}
	return all
}

// knows reports whether a word is that of the protocol or of a schema.
func (k kept) knows(path string) bool {
	for part := range strings.SplitSeq(path, ".") {
		if !k.words[strings.ToLower(part)] {
			return false
		}
	}
	return true
}

// quotation is what a message quotes; one that was cut has no end.
var quotation = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|$)`)

// reason is what the client was told, without its own words.
func (k kept) reason(told string) string {
	told = k.clean(told)
	if k.values() {
		return told
	}
	return k.unsaid(quotation.ReplaceAllStringFunc(told, func(text string) string {
		if k.knows(strings.Trim(text, `"`)) {
			return text
		}
		return `"…"`
	}))
}

func (k kept) values() bool { return k.keep.Values }

// cause is why a request failed. The directory's own words name entries, and may; what
// the program itself says, as after a panic, is as careful as a reason.
func (k kept) cause(err error) string {
	text := k.clean(err.Error())
	if k.values() || errors.As(err, new(*directory.Error)) {
		return text
	}
	return k.unsaid(text)
}

// unsaid takes out what the client sent, where it stands by itself.
func (k kept) unsaid(text string) string {
	for _, value := range k.said {
		if len(value) < 3 || len(value) > len(text) || k.knows(value) {
			continue
		}
		text = replaceWord(text, value, "…")
	}
	return text
}

// replaceWord replaces a word that is not part of another.
func replaceWord(text, word, by string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, word)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := i + len(word)
		if i > 0 && partOfWord(text[i-1]) && partOfWord(word[0]) || end < len(text) && partOfWord(text[end]) && partOfWord(word[len(word)-1]) {
			b.WriteString(text[:i+1])
			text = text[i+1:]
			continue
		}
		b.WriteString(text[:i] + by)
		text = text[end:]
	}
}

func partOfWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
}

// anyToken is the form of a token that the gateway made, or of an issuer's.
var anyToken = regexp.MustCompile(`scimgate_[A-Za-z0-9]+_[A-Za-z0-9_-]+|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`)

// clean is a text without secrets, and without what has the form of a token: people
// put one wherever there is room, and it may be good.
func (k kept) clean(text string) string {
	return anyToken.ReplaceAllString(k.secrets.Replace(text), scim.Masked)
}

// place is where a request went: the words that there are, and ids.
func (k kept) place(path, id string, status int) string {
	segments := strings.Split(strings.TrimPrefix(path, k.base), "/")
	for i, s := range segments {
		if status >= http.StatusBadRequest || !strings.EqualFold(s, id) {
			segments[i] = k.segment(s)
		}
	}
	return k.base + strings.Join(segments, "/")
}

// segment is a part of a path: one that is no id and no word is whatever the client
// took for one.
func (k kept) segment(text string) string {
	switch {
	case text == "" || isID(text) || k.knows(text):
		return text
	case k.values():
		return k.clean(text)
	}
	return scim.Masked
}
