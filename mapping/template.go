package mapping

import (
	"fmt"
	"regexp"
	"strings"
	"text/template"

	"scimgate/internal/scim"
)

// functions are what a template can call besides the built-in ones.
var functions = template.FuncMap{
	"coalesce": coalesce,
	"lower":    strings.ToLower,
	"upper":    strings.ToUpper,
	"trim":     strings.TrimSpace,
	"replace":  func(old, with, s string) string { return strings.ReplaceAll(s, old, with) },
	"before":   before,
	"ascii":    ascii,
}

// actions are the parts of a template that are replaced.
var actions = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// coalesce returns the first of its values that is not empty.
func coalesce(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// parseTemplate compiles a template and tries it on an empty resource, so that
// a name that the schema does not know is a fault at start.
func parseTemplate(text string, def scim.Definition) (*template.Template, error) {
	t, err := template.New("value").Funcs(functions).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("is not a template: %w", err)
	}
	if _, err := execute(t, def, scim.Resource{}); err != nil {
		return nil, fmt.Errorf("does not fit the schema: %w", err)
	}
	return t, nil
}

// execute computes a value. A resource's missing attributes are empty text.
func execute(t *template.Template, def scim.Definition, res scim.Resource) (string, error) {
	data := fill(def.Core.Attributes, res)
	for _, name := range []string{"id", "externalId"} {
		data[name] = text(res[name])
	}
	for _, e := range def.Extensions {
		values, _ := res[e.ID].(map[string]any)
		data[extensionName(e.ID)] = fill(e.Attributes, values)
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

// fill gives every attribute of a schema a value, so that a template can name
// each without asking first whether it is there. What is never shown is left
// out, so that a template which names a password is a fault at start.
func fill(attributes []scim.Attribute, values map[string]any) map[string]any {
	data := make(map[string]any, len(attributes))
	for _, a := range attributes {
		v := values[a.Name]
		switch {
		case hides(a):
		case a.MultiValued:
			list, _ := v.([]any)
			data[a.Name] = list
		case len(a.SubAttributes) > 0:
			complex, _ := v.(map[string]any)
			data[a.Name] = fill(a.SubAttributes, complex)
		default:
			data[a.Name] = text(v)
		}
	}
	return data
}

// extensionName is how a template calls an extension: "enterprise" for the
// enterprise user, else the part of the URN before its version.
func extensionName(urn string) string {
	parts := strings.Split(urn, ":")
	if len(parts) < 3 {
		return urn
	}
	return parts[len(parts)-3]
}
