package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxNodes bounds what aliases of aliases can grow to.
const maxNodes = 100_000

// decoder fills a struct from a YAML document by its `yaml:"name"` tags.
//
//	text, numbers, booleans   a scalar; text takes every scalar as it is written
//	time.Duration             5s, 1h30m, 90d
//	[]T, map[string]T, *T     a list, keys, T
//	struct                    keys; a field without a tag, or with "-", is none
//	encoding.TextUnmarshaler  its short form where it is a scalar, else as above
//	`yaml:"name,orscalar"`    a list that may be written as its only element
//	`yaml:",inline"`          a struct whose keys stand among those of the outer one
//
// A value with a method Defaults is given its defaults before it is filled.
type decoder struct {
	*Source
	env     func(name string) (value string, ok bool)
	anchors map[string]ast.Node
	open    map[string]bool // aliases that are being decoded
	nodes   int
}

// place is where in the document the decoder is.
type place struct {
	key      string
	orScalar bool
}

func (p place) field(f field) place {
	return place{join(p.key, f.name), f.orScalar}
}
func (p place) entry(name string) place {
	return place{key: join(p.key, name)}
}
func (p place) index(i int) place {
	return place{key: fmt.Sprintf("%s[%d]", p.key, i)}
}

// decode reads text into target, a pointer to a struct, and records the
// positions of all keys and every fault.
func (d *decoder) decode(text []byte, target any) {
	d.anchors, d.open = map[string]ast.Node{}, map[string]bool{}
	d.positions[""] = Position{1, 1}
	root := d.parse(text)
	if root == nil {
		return
	}
	ast.Walk(anchorFinder(d.anchors), root)
	d.value(place{}, root, reflect.ValueOf(target).Elem())
}

// parse returns the only document of the text, or nil after a fault.
func (d *decoder) parse(text []byte) ast.Node {
	if !utf8.Valid(text) {
		d.unreadable("", Position{1, 1}, "is not UTF-8 text; save it in that encoding")
		return nil
	}
	file, err := parser.ParseBytes([]byte(strings.TrimPrefix(string(text), "\ufeff")), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return nil
	}
	var root ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.DirectiveType:
		case root != nil:
			d.unreadable("", position(doc.Body), "a second document begins here; keep one document in the file")
			return nil
		default:
			root = doc.Body
		}
	}
	if root == nil {
		d.unreadable("", Position{1, 1}, "is empty; config.example.yaml is a file to begin with")
	}
	return root
}

func (d *decoder) syntax(err error) {
	at, problem := Position{1, 1}, err.Error()
	var y yaml.Error
	if errors.As(err, &y) {
		problem = y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			at = Position{t.Position.Line, t.Position.Column}
		}
	}
	d.unreadable("", at, "is not valid YAML: %s", strings.ReplaceAll(problem, "\t", `\t`))
}

// value decodes a node of any kind into v.
func (d *decoder) value(at place, node ast.Node, v reflect.Value) {
	if d.nodes++; d.nodes > maxNodes {
		if d.nodes == maxNodes+1 {
			d.unreadable(at.key, position(node), "the file has more than %d values; aliases repeat too much", maxNodes)
		}
		return
	}
	switch n := node.(type) {
	case *ast.AnchorNode:
		d.value(at, n.Value, v)
		return
	case *ast.AliasNode:
		d.alias(at, n, v)
		return
	case *ast.TagNode:
		d.unreadable(at.key, d.at(at.key, node), "has the tag %s; write the value without it", n.Start.Value)
		return
	}
	if node == nil || node.Type() == ast.NullType {
		d.unreadable(at.key, d.at(at.key, node), "has no value; give one or remove the key")
		return
	}
	if short, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok && isScalar(node) {
		d.short(at, node, short)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.element(at, node, v.Elem())
	case reflect.Struct:
		d.keys(at, node, v)
	case reflect.Map:
		d.names(at, node, v)
	case reflect.Slice:
		d.list(at, node, v)
	default:
		d.scalar(at, node, v)
	}
}

// element decodes into a new value, which gets its defaults first.
func (d *decoder) element(at place, node ast.Node, v reflect.Value) {
	if e, ok := v.Addr().Interface().(interface{ Defaults() }); ok {
		e.Defaults()
	}
	d.value(at, node, v)
}

func (d *decoder) alias(at place, n *ast.AliasNode, v reflect.Value) {
	name := n.Value.GetToken().Value
	target, ok := d.anchors[name]
	switch {
	case !ok:
		d.unreadable(at.key, d.at(at.key, n), "the alias *%s has no anchor &%s in this file", name, name)
	case d.open[name]:
		d.unreadable(at.key, d.at(at.key, n), "the alias *%s contains itself", name)
	default:
		d.open[name] = true
		d.value(at, target, v)
		delete(d.open, name)
	}
}

// pairs calls each for every key of a mapping that can be read and has not
// been there before. It reports whether node is a mapping.
func (d *decoder) pairs(at place, node ast.Node, each func(name string, pos Position, value ast.Node)) bool {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		d.wrong(at, node, "keys")
		return false
	}
	first := map[string]Position{}
	for i := mapping.MapRange(); i.Next(); {
		pos := position(i.Key())
		name, ok := keyText(i.Key())
		switch before, twice := first[name]; {
		case !ok && i.Key().IsMergeKey():
			d.unreadable(join(at.key, "<<"), pos, "merge keys are not supported; use an alias for a whole value, or write the keys out")
			d.broken[at.key] = true // which keys it would have brought is not known
		case !ok:
			d.unreadable(at.key, pos, "a key has to be plain text")
		case twice:
			d.unreadable(join(at.key, name), pos, "is there twice, first in line %d; keep one of them", before.Line)
		default:
			first[name] = pos
			each(name, pos, i.Value())
		}
	}
	return true
}

func (d *decoder) keys(at place, node ast.Node, v reflect.Value) {
	known := fieldsOf(v.Type())
	d.pairs(at, node, func(name string, pos Position, value ast.Node) {
		for _, f := range known {
			if f.name == name {
				below := at.field(f)
				d.positions[below.key] = pos
				d.value(below, value, v.FieldByIndex(f.index))
				return
			}
		}
		d.unknown(at, name, pos, known)
	})
}

func (d *decoder) unknown(at place, name string, pos Position, known []field) {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	hint := ""
	if near := nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %s? ", near)
		// What was meant is there, if misspelt: it is not missing too.
		d.broken[join(at.key, near)] = true
	}
	d.unreadable(join(at.key, name), pos, "is not a known key; %sknown here: %s", hint, strings.Join(names, ", "))
}

func (d *decoder) names(at place, node ast.Node, v reflect.Value) {
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(at, node, func(name string, pos Position, value ast.Node) {
		below := at.entry(name)
		d.positions[below.key] = pos
		e := reflect.New(v.Type().Elem()).Elem()
		d.element(below, value, e)
		v.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), e)
	})
}

func (d *decoder) list(at place, node ast.Node, v reflect.Value) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok && at.orScalar && isScalar(node) {
		e := reflect.New(v.Type().Elem()).Elem()
		d.value(place{key: at.key}, node, e)
		v.Set(reflect.Append(reflect.Zero(v.Type()), e))
		return
	}
	if !ok {
		d.wrong(at, node, "a list")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	for i, value := range sequence.Values {
		below := at.index(i)
		d.positions[below.key] = position(value)
		d.element(below, value, v.Index(i))
	}
}

// wrong records that the kind of node is not the wanted one.
func (d *decoder) wrong(at place, node ast.Node, wanted string) {
	verb, hint := "belongs", ""
	switch {
	case wanted == "a list" && isScalar(node):
		hint = "; put it in brackets: [" + node.GetToken().Value + "]"
	case wanted == "keys":
		verb, hint = "belong", "; write key: value below it"
	}
	d.unreadable(at.key, d.at(at.key, node), "has %s where %s %s%s", kindOf(node), wanted, verb, hint)
}

// at is the position of a key, or of the node where it is not on record.
func (d *decoder) at(key string, node ast.Node) Position {
	if p, ok := d.positions[key]; ok && key != "" {
		return p
	}
	return position(node)
}

// field is a key that a struct knows.
type field struct {
	name     string
	index    []int
	orScalar bool
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if option == "inline" {
			for _, f := range fieldsOf(t.Field(i).Type) {
				f.index = append([]int{i}, f.index...)
				fields = append(fields, f)
			}
		}
		if name != "" && name != "-" {
			fields = append(fields, field{name, []int{i}, option == "orscalar"})
		}
	}
	return fields
}
