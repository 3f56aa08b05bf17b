package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"scimgate/internal/scim"
	"scimgate/mapping"
)

// document is an answer of a discovery endpoint, made for one base URL.
type document func(base, name string) (any, error)

// discover answers the discovery endpoints (RFC 7644 section 4).
func (g *Gateway) discover(make document) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.QueryParam("filter") != "" { // section 4: to be refused with 403
			return &scim.Error{Status: http.StatusForbidden, Detail: "this endpoint cannot be filtered; leave the filter out and look through all that it lists"}
		}
		t, _ := c.Get(tenantKey).(*tenant)
		body, err := make(g.baseURL(c, t), c.Param("name"))
		if err != nil {
			return err
		}
		return replyVersioned(c, body)
	}
}

// replyVersioned answers with a document whose version is a hash of its text,
// or tells who knows it that it is unchanged (RFC 9110 section 13).
func replyVersioned(c echo.Context, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	version := hex.EncodeToString(sum[:8])
	p, err := preconditionOf(c.Request().Header)
	if err != nil {
		return err
	}
	known, err := p.read(version)
	if err != nil {
		return err
	}
	c.Response().Header().Set("ETag", mapping.ETag(version))
	if known {
		return c.NoContent(http.StatusNotModified)
	}
	return reply(c, http.StatusOK, json.RawMessage(text))
}

// supported is a feature of RFC 7643 section 5.
type supported struct {
	Supported bool `json:"supported"`
}

// serviceProviderConfig says what this server does (RFC 7643 section 5).
func (g *Gateway) serviceProviderConfig(t *tenant) document {
	return func(base, _ string) (any, error) {
		limits := g.limits(t)
		return map[string]any{
			"schemas":        []string{scim.ServiceProviderConfigURN},
			"patch":          supported{t.patches()},
			"bulk":           t.bulkOffered(limits),
			"filter":         map[string]any{"supported": true, "maxResults": limits.PageSize},
			"changePassword": supported{t.writesPasswords()},
			"sort":           supported{true},
			"etag":           supported{true},
			"pagination": map[string]any{ // RFC 9865 section 4
				"cursor": true, "index": true, "defaultPaginationMethod": "index",
				"defaultPageSize": limits.PageSize, "maxPageSize": limits.PageSize, "cursorTimeout": int(cursorTimeout.Seconds()),
			},
			"authenticationSchemes": t.schemes(),
			"meta":                  map[string]any{"resourceType": "ServiceProviderConfig", "location": base + "/ServiceProviderConfig"},
		}, nil
	}
}

func (t *tenant) writesPasswords() bool {
	user := t.byName("User")
	return user != nil && user.mapping.WritesPasswords()
}

// resourceTypes lists the endpoints, or shows one (RFC 7643 section 6).
func (t *tenant) resourceTypes(base, name string) (any, error) {
	var all []any
	for _, rt := range t.types {
		one := rt.describe(base)
		if strings.EqualFold(name, rt.name()) {
			return one, nil
		}
		all = append(all, one)
	}
	return whole(all, name, "resource type")
}

func (t *resourceType) describe(base string) any {
	def := t.mapping.Definition()
	extensions := []any{}
	for _, s := range t.mapping.Schemas()[1:] {
		// Required is an extension without which a resource would be refused.
		required := slices.ContainsFunc(s.Attributes, func(a scim.Attribute) bool { return a.Required })
		extensions = append(extensions, map[string]any{"schema": s.ID, "required": required})
	}
	return map[string]any{
		"schemas": []string{scim.ResourceTypeURN}, "id": def.Name, "name": def.Name,
		"endpoint": "/" + def.Endpoint, "description": def.Core.Description,
		"schema": def.Core.ID, "schemaExtensions": extensions,
		"meta": map[string]any{"resourceType": "ResourceType", "location": base + "/ResourceTypes/" + def.Name},
	}
}

// schemas lists what the mapping carries, or shows one schema (RFC 7643
// section 7).
func (t *tenant) schemas(base, name string) (any, error) {
	var all []any
	for _, s := range t.announced() {
		one := s.Resource()
		one["meta"] = map[string]any{"resourceType": "Schema", "location": base + "/Schemas/" + s.ID}
		if strings.EqualFold(name, s.ID) {
			return one, nil
		}
		all = append(all, one)
	}
	return whole(all, name, "schema")
}

// announced are the schemas of all types, each once: types that share an
// extension announce together what it has. Those of the discovery endpoints
// themselves come last (RFC 7643 section 8.7.2).
func (t *tenant) announced() []scim.Schema {
	var all []scim.Schema
	for _, rt := range t.types {
		for _, s := range rt.mapping.Schemas() {
			i := slices.IndexFunc(all, func(a scim.Schema) bool { return strings.EqualFold(a.ID, s.ID) })
			if i < 0 {
				all = append(all, t.policy.announces(s))
				continue
			}
			for _, a := range s.Attributes {
				if !slices.ContainsFunc(all[i].Attributes, func(b scim.Attribute) bool { return strings.EqualFold(a.Name, b.Name) }) {
					all[i].Attributes = append(all[i].Attributes, a)
				}
			}
		}
	}
	return append(all, scim.DiscoverySchemas()...)
}

// whole answers with the list, unless one document was asked for by a name
// that none has.
func whole(all []any, name, kind string) (any, error) {
	if name != "" {
		return nil, &scim.Error{Status: http.StatusNotFound, Detail: "there is no " + kind + " " + strconv.Quote(name) + "; ask without the name for those there are"}
	}
	return scim.ListResponse{TotalResults: len(all), StartIndex: 1, ItemsPerPage: len(all), Resources: all}, nil
}
