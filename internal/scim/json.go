package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep a body may nest; SCIM itself needs five levels.
const maxDepth = 32

var errNUL = errors.New("a text holds the character U+0000; leave it out")

// decodeObject reads a body that is one JSON object: UTF-8, nothing after it,
// no name twice in an object, at most maxDepth deep. Numbers are json.Number.
// Anything else is a 400 invalidSyntax. Text holds no U+0000: what reads the
// directory in C takes "admin\x00x" for admin. Nor does it hold half a character.
func decodeObject(body []byte) (map[string]any, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if !utf8.Valid(body) {
		return nil, BadRequest(TypeInvalidSyntax, "the body is not UTF-8 text; encode it as UTF-8")
	}
	if i := half(body); i >= 0 {
		return nil, BadRequest(TypeInvalidSyntax, "the body, byte %d: %v", i+1, errHalf(body[i:i+escapeLength]))
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err == nil {
		if _, next := d.Token(); next != io.EOF {
			err = errors.New("something follows the JSON object")
		}
	}
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early")
		}
		e := BadRequest(TypeInvalidSyntax, "the body is not one valid JSON object, byte %d: %v", d.InputOffset(), err)
		e.Err = err
		return nil, e
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, BadRequest(TypeInvalidSyntax, "the body is %s, expected a JSON object", kindOf(v))
	}
	return object, nil
}

// decodeValue reads the next value. It does by hand what Decode would do,
// because that takes the last of two equal names in silence.
func decodeValue(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		if s, _ := token.(string); strings.ContainsRune(s, 0) {
			return nil, errNUL
		}
		return token, nil
	}
	if depth++; depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	if delim == '[' {
		return decodeArray(d, depth)
	}
	return decodeMembers(d, depth)
}

func decodeArray(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := decodeValue(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func decodeMembers(d *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if strings.ContainsRune(name, 0) {
			return nil, errNUL
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("%s is there twice", literal(cut(name)))
		}
		if object[name], err = decodeValue(d, depth); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

// kindOf names a JSON value's kind for an error's detail, without its content.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case map[string]any:
		return "an object"
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	}
	return fmt.Sprintf("a %T", v)
}
