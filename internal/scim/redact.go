package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Masked stands for what nobody may see.
const Masked = "***"

// Redacted is what may be kept of a body that a client sent.
type Redacted struct {
	// Body is the body without secrets, as JSON.
	Body []byte
	// Secrets are the texts that were taken out, Values all others.
	Secrets, Values []string
}

// Redact takes the secrets out of a body: what belongs to one of the names, at any
// depth and in any spelling, as a key, in the path of a PATCH, or in whatever else
// looks so, and the texts that are known to be secret wherever they are. It rather takes
// too much. ok is false for what is not JSON, of which nothing can be known, and for
// what has more secrets than can be looked for in the rest: it has no Body then.
func Redact(body []byte, secrets []string, known ...string) (r Redacted, ok bool) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	d.UseNumber()
	root, err := readNode(d, 0)
	if err != nil {
		return r, false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, false
	}
	w := redactionOf(secrets)
	w.secrets = known
	w.redact(&root, false)
	r.Secrets, r.Values = w.secrets, w.values
	if len(w.secrets) > secretsSought {
		return r, false
	}
	var out bytes.Buffer
	root.write(&out, Masker(w.secrets))
	r.Body = out.Bytes()
	return r, true
}

// secretsSought bounds how many secrets of a body are looked for in its other texts.
const secretsSought = 1000

// shortSecret is the length below which a secret is not looked for in other texts:
// it would be found everywhere.
const shortSecret = 4

// Masker replaces texts wherever they occur, but for very short ones.
func Masker(texts []string) *strings.Replacer {
	var all []string
	for _, text := range texts {
		all = append(all, parts(text)...)
	}
	slices.SortFunc(all, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, text := range slices.Compact(all) {
		if len(text) >= shortSecret {
			pairs = append(pairs, text, Masked)
		}
	}
	return strings.NewReplacer(pairs...)
}

// longPart is how long a text is that is looked for as a whole: a Replacer takes the
// square of it to get ready, and anybody can send a header of a megabyte.
const longPart = 512

// parts are the pieces of a long text, by which it is found wherever it is whole.
func parts(text string) []string {
	var all []string
	for ; len(text) >= 2*longPart; text = text[longPart:] {
		all = append(all, text[:longPart])
	}
	return append(all, text)
}

// node is a JSON value in the order in which it was sent, with names that are there
// twice.
type node struct {
	kind    byte // { [ " or v for what is none of them
	text    string
	names   []string
	members []node
}

var errDeep = errors.New("nested too deep")

func readNode(d *json.Decoder, depth int) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch v := token.(type) {
	case string:
		return node{kind: '"', text: v}, nil
	case json.Number:
		return node{kind: 'v', text: v.String()}, nil
	case bool:
		return node{kind: 'v', text: map[bool]string{true: "true", false: "false"}[v]}, nil
	case nil:
		return node{kind: 'v', text: "null"}, nil
	}
	if depth == maxDepth {
		return node{}, errDeep
	}
	n := node{kind: '['}
	if token == json.Delim('{') {
		n.kind = '{'
	}
	for d.More() {
		if n.kind == '{' {
			name, err := d.Token()
			if err != nil {
				return n, err
			}
			text, _ := name.(string)
			n.names = append(n.names, text)
		}
		m, err := readNode(d, depth+1)
		if err != nil {
			return n, err
		}
		n.members = append(n.members, m)
	}
	_, err = d.Token()
	return n, err
}

func (n *node) write(b *bytes.Buffer, mask *strings.Replacer) {
	switch n.kind {
	case '"':
		writeText(b, mask.Replace(n.text))
	case 'v':
		b.WriteString(n.text)
	case '[':
		b.WriteByte('[')
		for i := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			n.members[i].write(b, mask)
		}
		b.WriteByte(']')
	case '{':
		b.WriteByte('{')
		for i := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, mask.Replace(n.names[i]))
			b.WriteByte(':')
			n.members[i].write(b, mask)
		}
		b.WriteByte('}')
	}
}

func writeText(b *bytes.Buffer, text string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if e.Encode(text) == nil { // a text can always be written
		b.Truncate(b.Len() - 1) // the line end
	}
}

// redaction is a Redact on its way.
type redaction struct {
	names           []string // of secrets, their letters alone
	secrets, values []string
}

func redactionOf(secrets []string) redaction {
	w := redaction{}
	for _, s := range secrets {
		w.names = append(w.names, letters(s))
	}
	return w
}

// redact masks what is secret in a node; hidden says that all of it is.
func (w *redaction) redact(n *node, hidden bool) {
	switch n.kind {
	case '"', 'v':
		w.leaf(n, hidden)
	case '[':
		for i := range n.members {
			w.redact(&n.members[i], hidden)
		}
	case '{':
		about := hidden || w.speaks(n)
		for i := range n.members {
			name, m := letters(n.names[i]), &n.members[i]
			switch {
			case hidden || w.secretKey(n.names[i]):
				w.redact(m, true)
			case m.kind == '"' && slices.Contains(labels, name):
				w.label(m, name)
			case name == "op" || name == "schemas":
			default:
				w.redact(m, about)
			}
		}
	}
}

func (w *redaction) leaf(n *node, hidden bool) {
	switch {
	case n.kind == 'v' && (n.text == "null" || n.text == "true" || n.text == "false"):
	case hidden:
		w.secrets = append(w.secrets, n.text)
		*n = node{kind: '"', text: Masked}
	case n.kind == '"' && (w.mentions(n.text) || strings.ContainsAny(n.text, `"=`) && w.tells(n.text)):
		w.secrets = append(w.secrets, pieces(n.text)...)
		*n = node{kind: '"', text: Masked}
	default:
		w.values = append(w.values, n.text)
	}
}

// labels are members of an object whose values say what the others are about.
var labels = []string{"path", "filter", "name", "attribute", "key", "type", "id"}

// speaks reports whether an object says of itself that it is about a secret, as an
// operation of a PATCH does.
func (w *redaction) speaks(n *node) bool {
	for i := range n.members {
		name, m := letters(n.names[i]), &n.members[i]
		if m.kind != '"' || !slices.Contains(labels, name) {
			continue
		}
		if w.mentions(m.text) || name != "type" && name != "id" && w.tells(m.text) {
			return true
		}
	}
	return false
}

// label masks the value that a path compares a secret with: password eq "x".
func (w *redaction) label(n *node, name string) {
	switch {
	case !w.tells(n.text):
		if name != "path" && name != "type" { // words of the protocol
			w.values = append(w.values, n.text)
		}
	case strings.ContainsFunc(n.text, func(r rune) bool { return r == '"' || unicode.IsSpace(r) }):
		w.secrets = append(w.secrets, pieces(n.text)...)
		*n = node{kind: '"', text: Masked}
	}
}

// compared is a value that a text sets or compares something with.
var compared = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"?|(?i:\b(?:eq|ne|co|sw|ew|gt|ge|lt|le)\s+|=)([^\s"\])]+)`)

// longText is how much of a text is searched for values.
const longText = 16 << 10

// pieces are a text that compares a secret with something, and the values in it:
// whoever speaks of it may quote a part, or put other blanks between them.
func pieces(text string) []string {
	all := []string{text}
	if len(text) > longText { // which nothing quotes but its beginning
		text = text[:longText]
	}
	for _, found := range compared.FindAllStringSubmatch(text, -1) {
		all = append(all, found[1], found[2])
	}
	return all
}

// SecretsOf returns the pieces of a text that speaks of a secret, as a filter on a
// password does; none of one that does not. names are those of secret attributes.
func SecretsOf(text string, names []string) []string {
	w := redactionOf(names)
	if !w.tells(text) {
		return nil
	}
	return pieces(text)
}

// telling are parts of a name that tell a secret, whatever the mapping says.
var telling = []string{"password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "authorization"}

// secretKey reports whether a name in an object is that of a secret: with a URN
// before it, as part of a path, in any case.
func (w *redaction) secretKey(name string) bool {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune(":.[] ", r) }) {
		if slices.Contains(w.names, letters(part)) {
			return true
		}
	}
	return tellsSecret(name)
}

func tellsSecret(name string) bool {
	all := letters(name)
	return slices.ContainsFunc(telling, func(t string) bool { return strings.Contains(all, t) })
}

// tells reports whether a text has the name of a secret in it, declared or not.
func (w *redaction) tells(text string) bool { return w.mentions(text) || tellsSecret(text) }

// mentions reports whether a text has the name of a secret in it.
func (w *redaction) mentions(text string) bool {
	all := letters(text)
	return slices.ContainsFunc(w.names, func(name string) bool {
		return all == name || len(name) >= shortSecret && strings.Contains(all, name)
	})
}

// letters are the letters and digits of a name in small: nothing else tells two apart.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return unicode.ToLower(least)
	}, name)
}
