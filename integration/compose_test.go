//go:build integration && containers

package integration

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// composition is a running docker-compose.yml.
type composition struct {
	t       *testing.T
	command []string // "docker compose" or "docker-compose", with the project
	env     []string
}

// patienceWithImages is for building images from nothing.
const patienceWithImages = 8 * time.Minute

// try runs a compose command and returns its standard output.
func (c *composition) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patienceWithImages)
	defer cancel()
	all := append(append([]string{}, c.command...), args...)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), c.env...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%v: %w\n%s%s", all, err, out, complaint.String())
	}
	return string(out), nil
}

func (c *composition) run(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// engine finds a container engine and its compose, of version 2 or 1.
func engine() ([]string, error) {
	if out, err := exec.Command("docker", "info").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("docker info: %w: %s", err, lastLine(out))
	}
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}, nil
	}
	if out, err := exec.Command("docker-compose", "version").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("docker-compose version: %w: %s", err, lastLine(out))
	}
	return []string{"docker-compose"}, nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// docker-compose.yml brings up a directory and the gateway in front of it, and
// the main job works through them, also after they were stopped and started.
func TestCompose(t *testing.T) {
	command, err := engine()
	if err != nil {
		t.Fatal("there is no container engine: ", err)
	}
	web, ldap := freeAddress(t), freeAddress(t)
	c := &composition{t: t, command: append(command, "-p", strings.ReplaceAll(unlike("scimgate"), ".", "")), env: []string{
		"SCIMGATE_LDAP_PASSWORD=the gateway's", "SCIMGATE_LDAP_ADMIN_PASSWORD=the administrator's",
		"SCIMGATE_PORT=" + port(web), "SCIMGATE_LDAP_PORT=" + port(ldap),
	}}
	t.Cleanup(func() {
		if t.Failed() {
			logs, _ := c.try("logs", "--no-color")
			t.Logf("the containers' logs:\n%s", logs)
		}
		if _, err := c.try("down", "-v", "--remove-orphans", "--rmi", "local"); err != nil {
			t.Error(err)
		}
	})
	c.run("up", "-d", "--build")
	g := &gate{base: "http://" + web + "/scim/v2", ldap: "ldap://" + ldap, suffix: "dc=example,dc=org", admin: "cn=admin,dc=example,dc=org", password: "the administrator's"}
	g.awaitUp(t)
	g.token = strings.TrimSpace(c.run("exec", "-T", "gateway", "scimgate", "token", "create",
		"--config", "/etc/scimgate/scimgate.yaml", "--tenant", "okta"))
	journey(t, g.client(t), g.tree(t))
	id := g.client(t).create(person(unlike("kept")))
	c.isHealthyAndNotRoot()

	c.run("stop")
	c.run("up", "-d")
	g.awaitUp(t)
	eventually(t, "people and tokens are still there", func() bool {
		a, err := g.client(t).try("GET", "/Users/"+id, nil)
		return err == nil && a.status == http.StatusOK
	})
	journey(t, g.client(t), g.tree(t))
}

// awaitUp waits until the gateway asks for a token.
func (g *gate) awaitUp(t *testing.T) {
	t.Helper()
	eventually(t, "the gateway answers", func() bool {
		a, err := g.client(t).with("Authorization", "").try("GET", "/Users", nil)
		return err == nil && a.status == http.StatusUnauthorized
	})
}

// isHealthyAndNotRoot looks at the containers from outside.
func (c *composition) isHealthyAndNotRoot() {
	c.t.Helper()
	for _, service := range []string{"gateway", "openldap"} {
		id := strings.TrimSpace(c.run("ps", "-q", service))
		inspect := func(format string) string {
			c.t.Helper()
			out, err := exec.Command("docker", "inspect", "-f", format, id).CombinedOutput()
			if err != nil {
				c.t.Fatalf("docker inspect: %v: %s", err, out)
			}
			return strings.TrimSpace(string(out))
		}
		eventually(c.t, service+" is healthy", func() bool { return inspect("{{.State.Health.Status}}") == "healthy" })
		if user := inspect("{{.Config.User}}"); service == "gateway" && (user == "" || user == "0" || strings.HasPrefix(user, "root")) {
			c.t.Errorf("the gateway runs as %q", user)
		}
	}
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}
