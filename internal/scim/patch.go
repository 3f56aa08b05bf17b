package scim

import (
	"fmt"
	"strings"
)

// Operation is one operation of a PATCH (RFC 7644 section 3.5.2). Value is as
// the client sent it; Apply normalises it.
type Operation struct {
	Op       string // add, replace or remove
	Path     *Path  // nil = path-less
	Value    any
	HasValue bool // false = the client sent none, which is not null
}

// Patch is the operations of a PATCH in their order.
type Patch struct{ Operations []Operation }

// DecodePatch reads the body of a PATCH:
//
//	{"schemas":[PatchOpURN],"Operations":[{"op":"replace","path":"active","value":false}]}
//
// The schemas may be missing and the names and the op be in any case, as Okta
// and Entra send them; an empty or null path is none. A body without operations
// or with an unknown op is a 400 invalidSyntax, a path that cannot be read a 400
// invalidPath.
func DecodePatch(body []byte) (Patch, error) {
	object, err := decodeObject(body)
	if err != nil {
		return Patch{}, err
	}
	given, _, err := member(object, "Operations")
	if err != nil {
		return Patch{}, err
	}
	if single, ok := given.(map[string]any); ok {
		given = []any{single}
	}
	list, _ := given.([]any)
	if len(list) == 0 {
		return Patch{}, BadRequest(TypeInvalidSyntax,
			"a PATCH without Operations, expected {\"schemas\":[%q],\"Operations\":[…]}", PatchOpURN)
	}
	patch := Patch{Operations: make([]Operation, len(list))}
	for i, v := range list {
		if patch.Operations[i], err = decodeOperation(v); err != nil {
			return Patch{}, within(fmt.Sprintf("operation %d", i+1), err)
		}
	}
	return patch, nil
}

func decodeOperation(v any) (Operation, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return Operation{}, BadRequest(TypeInvalidSyntax, "got %s, expected an object", kindOf(v))
	}
	var o Operation
	given, _, err := member(object, "op")
	if err != nil {
		return Operation{}, err
	}
	op, _ := given.(string)
	o.Op = strings.ToLower(strings.TrimSpace(op))
	switch o.Op {
	case "add", "replace", "remove":
	default:
		return Operation{}, BadRequest(TypeInvalidSyntax, "the op is missing or unknown, expected add, replace or remove")
	}
	if o.Value, o.HasValue, err = member(object, "value"); err != nil {
		return Operation{}, err
	}
	if given, _, err = member(object, "path"); err != nil || isBlank(given) {
		return o, err
	}
	path, ok := given.(string)
	if !ok {
		return Operation{}, BadRequest(TypeInvalidPath, "the path is %s, expected text", kindOf(given))
	}
	p, err := ParsePath(path)
	if err != nil {
		return Operation{}, err
	}
	o.Path = &p
	return o, nil
}

// String names the operation for an error's detail.
func (o Operation) String() string {
	if o.Path == nil {
		return o.Op
	}
	return o.Op + " " + o.Path.brief()
}
