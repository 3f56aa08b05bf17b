package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/config"
	"scimgate/internal/slapd"
	"scimgate/internal/token"
)

//go:embed demo.yaml
var demoYAML string

const (
	demoSuffix = "dc=example,dc=org"
	demoTenant = "demo"
)

// demoOptions are the flags of the demo.
type demoOptions struct {
	listen, ldap, admin string
	data                string
	token, password     string
	profile             string
	configOut           string
}

func demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a private OpenLDAP and the gateway in front of it, on loopback",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// Closing the terminal ends the demo as Ctrl-C does.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP)
			defer stop()
			return demo(ctx, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "where the gateway listens")
	f.StringVar(&o.ldap, "ldap", "127.0.0.1:3890", "where the directory listens")
	f.StringVar(&o.admin, "admin", "127.0.0.1:8081", "where health checks are answered")
	f.StringVar(&o.data, "data", "", "folder for the directory's data, kept and reused (default: a temporary one, removed at exit)")
	f.StringVar(&o.token, "token", "", "bearer token (default: random, printed)")
	f.StringVar(&o.password, "ldap-password", "", "password of cn=admin,"+demoSuffix+" (default: random, printed)")
	f.StringVar(&o.profile, "profile", "", "rule set of the tenant, one of "+strings.Join(config.Profiles(), ", "))
	f.StringVar(&o.configOut, "config-out", "", "file to write the configuration to, for serve")
	return cmd
}

// demo runs until ctx ends, and leaves nothing running then.
func demo(ctx context.Context, o demoOptions, stdout, stderr io.Writer) error {
	if o.profile != "" {
		if _, err := config.ProfileText(o.profile); err != nil {
			return usageError{fmt.Errorf("scimgate demo: --profile %w", err)}
		}
	}
	if o.data == "" {
		dir, err := os.MkdirTemp("", "scimgate-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.data = dir
	}
	var err error
	if o.data, err = filepath.Abs(o.data); err != nil {
		return err
	}
	if o.password == "" {
		o.password = rand.Text()
	}
	if o.token == "" {
		o.token = rand.Text()
	}
	server, err := slapd.Start(ctx, slapd.Config{
		Dir: filepath.Join(o.data, "slapd"), Listen: o.ldap, Suffix: demoSuffix,
		AdminPassword: o.password, Overlays: []string{"ppolicy"}, Log: stderr,
	})
	if err != nil {
		return err
	}
	return errors.Join(o.serve(ctx, server, stdout, stderr), server.Stop())
}

// serve runs the gateway in front of the directory.
func (o demoOptions) serve(ctx context.Context, server *slapd.Server, stdout, stderr io.Writer) error {
	file, err := o.writeConfig(server)
	if err != nil {
		return err
	}
	cfg, err := load(file, stderr)
	if err != nil {
		return err
	}
	if err := o.setToken(token.Open(cfg.StateDir, demoTenant), cfg.Tenants[0].Tokens.Lifetime); err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		server.Supervise(ctx)
		return nil
	})
	work.Go(func() error {
		return run(ctx, cfg, newLog(), func(a addresses) { o.announce(stdout, a, server) })
	})
	return work.Wait()
}

// setToken makes the token of this run the only one of the demo: a kept folder
// may have those of earlier runs.
func (o demoOptions) setToken(file *token.File, lifetime time.Duration) error {
	const label = "demo"
	made, err := file.Set(time.Now(), o.token, lifetime, label)
	if err != nil {
		return err
	}
	all, err := file.List()
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Label == label && t.ID != made.ID {
			if err := file.Revoke(t.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeConfig writes the configuration into the data folder and, where the user
// wants it, to a file of their own.
func (o demoOptions) writeConfig(server *slapd.Server) (string, error) {
	passwordFile := filepath.Join(o.data, "ldap-password")
	if err := os.WriteFile(passwordFile, []byte(o.password+"\n"), 0o600); err != nil {
		return "", err
	}
	t, err := template.New("demo.yaml").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(demoYAML)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	err = t.Execute(&text, map[string]string{
		"Listen": o.listen, "Admin": o.admin, "LDAP": server.URL(), "PasswordFile": passwordFile,
		"State": filepath.Join(o.data, "state"), "Log": filepath.Join(o.data, "provisioning.jsonl"), "Profile": o.profile,
	})
	if err != nil {
		return "", err
	}
	file := filepath.Join(o.data, "scimgate.yaml")
	for _, name := range []string{file, o.configOut} {
		if name == "" {
			continue
		}
		if err := os.WriteFile(name, text.Bytes(), 0o600); err != nil {
			return "", err
		}
	}
	return file, nil
}

// announce prints the ready line and what to type next.
func (o demoOptions) announce(w io.Writer, a addresses, server *slapd.Server) {
	base := "http://" + a.SCIM + "/scim/v2"
	fmt.Fprintf(w, "ready %s token %s directory %s password %s health http://%s/readyz\n",
		base, o.token, server.URL(), o.password, a.Admin)
	fmt.Fprintf(w, `
Push a person, as an identity provider would:
  curl -s %[1]s/Users -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/scim+json' \
    -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","externalId":"42",
         "name":{"givenName":"Ann","familyName":"Lee"},"emails":[{"type":"work","primary":true,"value":"ann@example.org"}]}'
See the entry in the directory:
  ldapsearch -LLL -x -H %[3]s -D %[4]s -w '%[5]s' -b ou=people,%[6]s '(uid=ann)' '*' entryUUID
Ctrl-C ends it all.
`, base, o.token, server.URL(), server.AdminDN(), o.password, demoSuffix)
}
