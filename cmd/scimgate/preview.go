package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"scimgate/gateway"
	"scimgate/internal/config"
	"scimgate/internal/preview"
	"scimgate/internal/token"
)

func previewCommand() *cobra.Command {
	var o previewOptions
	cmd := &cobra.Command{
		Use:   "preview --config FILE --tenant NAME [--id ID | --name NAME] FILE.json",
		Short: "Show the LDIF that a resource, a PATCH or a Bulk would become; write nothing",
		Long: `Shows the LDIF that a SCIM resource, a PATCH or a Bulk would become, each line under
the rule that makes it, against the entries that the directory has now. Nothing
is written. "-" reads standard input.

A resource is compared with the one that it would change: that of its id or of
--id or --name, or else the one with its externalId or its name. A PATCH needs
--id or --name. The exit code is 0 where the request would succeed, 1 where it
would be refused, and 2 for wrong usage or a wrong configuration.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), cmd, args[0])
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "scimgate.yaml", "configuration file")
	cmd.Flags().StringVar(&o.tenant, "tenant", "", "the tenant's name; may be left out where there is one")
	cmd.Flags().StringVar(&o.typ, "type", "", "the resource type, where the file's schemas do not say it: User, Group or another")
	cmd.Flags().StringVar(&o.id, "id", "", "the id of the resource that is changed")
	cmd.Flags().StringVar(&o.name, "name", "", "its userName, or displayName of a group, instead of the id")
	cmd.MarkFlagsMutuallyExclusive("id", "name")
	return cmd
}

type previewOptions struct{ config, tenant, typ, id, name string }

func (o *previewOptions) run(ctx context.Context, cmd *cobra.Command, file string) error {
	body, err := readDocument(cmd.InOrStdin(), file)
	if err != nil {
		return err
	}
	opened, err := openTenant(ctx, cmd, o.config, o.tenant)
	if err != nil {
		return err
	}
	defer opened.sink.Close()
	p, err := newPreviewer(opened)
	if err != nil {
		return err
	}
	return p.show(ctx, cmd.OutOrStdout(), o, body)
}

// readDocument reads the file with the request; "-" is standard input.
func readDocument(stdin io.Reader, file string) (map[string]any, error) {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usageError{fmt.Errorf("scimgate preview: %w", err)}
		}
		defer f.Close()
		stdin = f
	}
	var body map[string]any
	decoder := json.NewDecoder(io.LimitReader(stdin, 64<<20))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		return nil, usageError{fmt.Errorf("scimgate preview: %s is no JSON object: %w", file, err)}
	}
	if body == nil {
		return nil, usageError{fmt.Errorf("scimgate preview: %s is no JSON object: it is null", file)}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, usageError{fmt.Errorf("scimgate preview: %s is no JSON object: something follows it", file)}
	}
	return body, nil
}

// previewer is a gateway over a directory to which it writes nothing.
type previewer struct {
	gateway *gateway.Gateway
	tenant  gateway.Tenant
	base    string // path
	parts   []part
	config  *config.Config
	journal *preview.Journal
}

func newPreviewer(o *opened) (*previewer, error) {
	cfg, tenant := o.cfg, o.tenant
	t := cfg.Tenants[o.index]
	p := &previewer{tenant: tenant, base: t.BasePaths()[0], parts: parts(o.index, t), config: cfg, journal: &preview.Journal{}}
	for i := range tenant.Types {
		m := tenant.Types[i].Mapping
		tenant.Types[i].Store = preview.Over(m.Definition().Name, tenant.Types[i].Store, o.sink, collection(tenant, i), p.journal)
	}
	tenant.Tokens = anyToken{}
	limits := cfg.Server.Limits
	var err error
	p.gateway, err = gateway.New(gateway.Config{
		ExternalURL: cfg.Server.ExternalURL, BodyBytes: int64(limits.BodyBytes), PageSize: limits.PageSize, BulkOperations: limits.BulkOperations,
		FilterEntries: limits.FilterEntries, RequestTimeout: limits.RequestTimeout,
	}, []gateway.Tenant{tenant}, zap.NewNop())
	return p, err
}

// anyToken lets the preview in: whoever reads the configuration has the
// directory's password anyway.
type anyToken struct{}

func (anyToken) Verify(string, time.Time) (token.Identity, bool, error) {
	return token.Identity{ID: "preview"}, true, nil
}

// show sends the request of a document and writes what would have come of it.
func (p *previewer) show(ctx context.Context, out io.Writer, o *previewOptions, body map[string]any) error {
	method, path, err := p.request(ctx, o, body)
	if err != nil {
		return err
	}
	status, answer := p.send(ctx, method, path, body)
	fmt.Fprintf(out, "# %s %s: %d %s\n", method, strings.TrimPrefix(path, p.base), status, http.StatusText(status))
	failed := status >= http.StatusBadRequest
	if detail, ok := answer["detail"].(string); ok && failed {
		fmt.Fprintf(out, "# %s\n", oneLine(detail))
	}
	failed = p.operations(out, answer) || failed
	if lost := notKept(body, answer); !failed && len(lost) > 0 {
		fmt.Fprintf(out, "# sent, and kept by no rule: %s\n", oneLine(strings.Join(lost, ", ")))
	}
	steps := p.journal.Steps()
	if len(steps) == 0 {
		fmt.Fprintln(out, "# nothing would be written")
	}
	fmt.Fprintln(out)
	if err := preview.WriteLDIF(out, steps, p.origin); err != nil {
		return err
	}
	if failed {
		return errors.New("scimgate preview: the request would be refused")
	}
	return nil
}

// operations writes the outcome of each operation of a Bulk, and reports whether
// one would fail.
func (p *previewer) operations(out io.Writer, answer map[string]any) (failed bool) {
	all, _ := answer["Operations"].([]any)
	for _, o := range all {
		operation, _ := o.(map[string]any)
		status, _ := operation["status"].(string)
		fmt.Fprintf(out, "#   %v %v: %s\n", operation["method"], operation["bulkId"], status)
		if response, ok := operation["response"].(map[string]any); ok && status >= "400" {
			fmt.Fprintf(out, "#     %s\n", oneLine(fmt.Sprint(response["detail"])))
			failed = true
		}
	}
	return failed
}

// request finds out what a document asks for.
func (p *previewer) request(ctx context.Context, o *previewOptions, body map[string]any) (method, path string, err error) {
	if hasSchema(body, "urn:ietf:params:scim:api:messages:2.0:BulkRequest") {
		return http.MethodPost, p.base + "/Bulk", nil
	}
	typ, err := p.typeOf(o, body)
	if err != nil {
		return "", "", err
	}
	def := typ.Mapping.Definition()
	path = p.base + "/" + def.Endpoint
	patch := hasSchema(body, "urn:ietf:params:scim:api:messages:2.0:PatchOp")
	method = http.MethodPut
	if patch {
		method = http.MethodPatch
	}
	name := "displayName"
	if def.Name == "User" {
		name = "userName"
	}
	id := o.id
	switch {
	case o.name != "":
		if id = p.find(ctx, path, name, o.name); id == "" {
			return "", "", fmt.Errorf("scimgate preview: there is no %s with the %s %q", def.Name, name, o.name)
		}
	case id == "" && patch:
		return "", "", usageError{errors.New("scimgate preview: a PATCH does not say what it changes; give --id or --name")}
	case id == "":
		id, _ = body["id"].(string)
		for _, key := range []string{"externalId", name} {
			if text, ok := body[key].(string); ok && text != "" && id == "" {
				id = p.find(ctx, path, key, text)
			}
		}
	}
	if id == "" {
		return http.MethodPost, path, nil
	}
	return method, path + "/" + url.PathEscape(id), nil
}

// typeOf finds the resource type that a document is of.
func (p *previewer) typeOf(o *previewOptions, body map[string]any) (gateway.Type, error) {
	var names []string
	for _, t := range p.tenant.Types {
		def := t.Mapping.Definition()
		names = append(names, def.Name)
		if strings.EqualFold(o.typ, def.Name) || o.typ == "" && hasSchema(body, def.Core.ID) {
			return t, nil
		}
	}
	if o.typ != "" {
		return gateway.Type{}, usageError{fmt.Errorf("scimgate preview: this tenant has no type %q; its types are %s", o.typ, strings.Join(names, ", "))}
	}
	return p.tenant.Types[0], nil
}

// find returns the id of the only resource with a value, or "".
func (p *previewer) find(ctx context.Context, path, attribute, value string) string {
	text, _ := json.Marshal(value) // a string always can be
	_, answer := p.send(ctx, http.MethodGet, path+"?attributes=id&filter="+url.QueryEscape(attribute+" eq "+string(text)), nil)
	found, _ := answer["Resources"].([]any)
	if len(found) != 1 {
		return ""
	}
	resource, _ := found[0].(map[string]any)
	id, _ := resource["id"].(string)
	return id
}

// send has the gateway answer one request.
func (p *previewer) send(ctx context.Context, method, path string, body map[string]any) (int, map[string]any) {
	var sent io.Reader
	if body != nil {
		text, _ := json.Marshal(body) // it has just been read from JSON
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, sent)
	if err != nil {
		return http.StatusBadRequest, map[string]any{"detail": err.Error()}
	}
	r.Header.Set("Authorization", "Bearer preview")
	r.Header.Set("Content-Type", "application/scim+json")
	w := &answerWriter{header: http.Header{}, status: http.StatusOK}
	p.gateway.ServeHTTP(w, r)
	var answer map[string]any
	if w.body.Len() > 0 {
		if err := json.Unmarshal(w.body.Bytes(), &answer); err != nil {
			return http.StatusInternalServerError, map[string]any{"detail": err.Error()}
		}
	}
	return w.status, answer
}

// answerWriter keeps an answer.
type answerWriter struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *answerWriter) Header() http.Header         { return w.header }
func (w *answerWriter) WriteHeader(status int)      { w.status = status }
func (w *answerWriter) Write(b []byte) (int, error) { return w.body.Write(b) }

// origin is the preview.Origin of the tenant's declarations.
func (p *previewer) origin(typ, attribute string) (string, bool) {
	for _, part := range p.parts {
		if part.name != typ {
			continue
		}
		key, of, secret, ok := part.config.Origin(attribute)
		if !ok {
			return "the gateway", secret
		}
		return p.config.Source().Place(part.key+"."+key) + ": " + of, secret
	}
	return "the gateway", false
}

func hasSchema(body map[string]any, urn string) bool {
	schemas, _ := body["schemas"].([]any)
	return slices.ContainsFunc(schemas, func(s any) bool {
		text, _ := s.(string)
		return strings.EqualFold(text, urn)
	})
}

// notKept returns what a resource has and the answer has not: attributes that no
// rule keeps. Of passwords and the like nothing could be seen.
func notKept(body, answer map[string]any) []string {
	var lost []string
	for name, v := range body {
		if slices.ContainsFunc([]string{"schemas", "id", "meta", "password", "active", "groups", "operations", "failonerrors"},
			func(known string) bool { return strings.EqualFold(known, name) }) || v == nil {
			continue
		}
		kept, ok := lookFold(answer, name)
		extension, sent := v.(map[string]any)
		switch {
		case !ok:
			lost = append(lost, name)
		case sent:
			below, _ := kept.(map[string]any)
			for part := range extension {
				if _, ok := lookFold(below, part); !ok {
					lost = append(lost, name+separator(name)+part)
				}
			}
		}
	}
	slices.Sort(lost)
	return lost
}

// separator stands between an attribute, or the URN of an extension, and a part.
func separator(name string) string {
	if strings.Contains(name, ":") {
		return ":"
	}
	return "."
}

func lookFold(from map[string]any, name string) (any, bool) {
	for known, v := range from {
		if strings.EqualFold(known, name) {
			return v, true
		}
	}
	return nil, false
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
