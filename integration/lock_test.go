//go:build integration

package integration

import (
	"net/http"
	"testing"
)

// How the policies of OpenLDAP lock somebody.
const (
	lockedForEver = "000001010000Z"
	lockAttribute = "pwdAccountLockedTime"
)

// Passwords that every directory's policy takes.
const oldPass, newPas = "The old 1", "The new 1"

// switchers are the ways in which a person is (de)activated.
func switchers(c *client, id, name string) map[string]func(bool) *answer {
	return map[string]func(bool) *answer{
		"PUT": func(on bool) *answer { return c.put("/Users/"+id, person(name, object{"active": on})) },
		"PATCH": func(on bool) *answer {
			return c.patch("/Users/"+id, object{"op": "replace", "path": "active", "value": on})
		},
		"path-less PATCH": func(on bool) *answer {
			return c.patch("/Users/"+id, object{"op": "replace", "value": object{"active": on}})
		},
	}
}

// An update that does not speak of active wakes nobody.
func TestSilenceWakesNobody(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("asleep")
	id := c.create(person(name))
	d.setPassword(id, oldPass)
	c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
	silent := person(name, object{"displayName": "Asleep"})
	delete(silent, "active")
	for what, update := range map[string]func() *answer{
		"PUT without active":     func() *answer { return c.put("/Users/"+id, silent) },
		"PUT with null":          func() *answer { return c.put("/Users/"+id, person(name, object{"active": nil})) },
		"PATCH of another thing": func() *answer { return c.patch("/Users/"+id, object{"op": "add", "path": "title", "value": "x"}) },
		"PATCH remove active":    func() *answer { return c.patch("/Users/"+id, object{"op": "remove", "path": "active"}) },
	} {
		a := update()
		if what != "PATCH remove active" {
			a.want(http.StatusOK)
		}
		if d.opens(id, oldPass) || c.get("/Users/"+id).at("$.active") != false {
			t.Errorf("%s woke the person", what)
		}
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if !d.opens(id, oldPass) {
		t.Error("active True does not wake the person")
	}
}

// Whom an administrator locked stays locked, whatever the identity provider
// says, though Okta sends active:true with every update.
func TestLockByHandStays(t *testing.T) {
	t.Parallel()
	g := shared(t)
	for way := range switchers(nil, "", "") {
		for _, lock := range here.lock.ways {
			t.Run(way+" "+lock, func(t *testing.T) {
				t.Parallel()
				c, d := g.client(t), g.tree(t)
				name := unlike("locked")
				id := c.create(person(name))
				d.setPassword(id, oldPass)
				dn := d.entry(id).DN
				set := switchers(c, id, name)[way]
				still := func(when string) {
					t.Helper()
					if got := d.read(dn, here.lock.attribute); len(got) != 1 || got[0] != lock || d.canBind(dn, oldPass) {
						t.Errorf("%s: the lock is %v, want %s", when, got, lock)
					}
				}
				d.lock(dn, lock)
				set(true).want(http.StatusOK)
				still("active:true before any deactivation")
				set(false).want(http.StatusOK)
				if d.canBind(dn, oldPass) {
					t.Error("deactivated, and gets in")
				}
				set(true).want(http.StatusOK)
				still("after a deactivation and an activation")
				d.unlock(dn)
				if !d.canBind(dn, oldPass) {
					t.Error("the administrator's own unlocking does not help")
				}
				set(false).want(http.StatusOK)
				set(true).want(http.StatusOK)
				if !d.canBind(dn, oldPass) {
					t.Error("the gateway does not undo its own lock")
				}
				d.lock(dn, lock)
				set(true).want(http.StatusOK)
				still("locked after a deactivation by us was undone")
			})
		}
	}
}

// A tenant can say that its word goes above an administrator's.
func TestForeignLockIsOverriddenWhereSaid(t *testing.T) {
	t.Parallel()
	s := usual()
	s.OnForeignLock = "override"
	g := serve(t, s)
	c, d := g.client(t), g.tree(t)
	name := unlike("overridden")
	id := c.create(person(name))
	d.setPassword(id, oldPass)
	d.lock(d.entry(id).DN, here.lock.ways[0])
	c.put("/Users/"+id, person(name)).want(http.StatusOK)
	if !d.opens(id, oldPass) {
		t.Error("active:true does not lift the lock")
	}
}

// A password that is pushed to an inactive person lets nobody in, neither with
// the old one nor with the new one, until the person is activated.
func TestPasswordWakesNobody(t *testing.T) {
	t.Parallel()
	g := shared(t)
	for way, push := range map[string]func(c *client, id, name string) *answer{
		"PATCH": func(c *client, id, _ string) *answer {
			return c.patch("/Users/"+id, object{"op": "replace", "value": object{"password": newPas}})
		},
		"PATCH with a path": func(c *client, id, _ string) *answer {
			return c.patch("/Users/"+id, object{"op": "replace", "path": "password", "value": newPas})
		},
		"PUT": func(c *client, id, name string) *answer {
			p := person(name, object{"password": newPas})
			delete(p, "active")
			return c.put("/Users/"+id, p)
		},
		"PUT active:false": func(c *client, id, name string) *answer {
			return c.put("/Users/"+id, person(name, object{"password": newPas, "active": false}))
		},
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			c, d := g.client(t), g.tree(t)
			name := unlike("pushed")
			id := c.create(person(name, object{"password": oldPass}))
			if !d.opens(id, oldPass) {
				t.Fatal("the first password does not work")
			}
			c.do("PATCH", "/Users/"+id, []byte(oktaOff)).want(http.StatusOK)
			a := push(c, id, name).want(http.StatusOK)
			if a.at("$.password") != nil || c.get("/Users/"+id).at("$.password") != nil {
				t.Error("the password is shown")
			}
			if d.opens(id, oldPass) || d.opens(id, newPas) {
				t.Fatal("gets in while inactive")
			}
			c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
			if d.opens(id, oldPass) || !d.opens(id, newPas) {
				t.Error("after activation the new password has to work, and no other")
			}
		})
	}
}

// Whom an administrator locked is not let in by a password either.
func TestPasswordOpensNoLockByHand(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("handlocked")
	id := c.create(person(name, object{"password": oldPass}))
	d.lock(d.entry(id).DN, here.lock.ways[0])
	c.patch("/Users/"+id, object{"op": "replace", "value": object{"password": newPas}}).want(http.StatusOK)
	c.put("/Users/"+id, person(name, object{"password": newPas})).want(http.StatusOK)
	if d.opens(id, oldPass) || d.opens(id, newPas) {
		t.Error("gets in")
	}
}

// A person who is created inactive cannot get in, and can once active.
func TestCreatedInactive(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	for _, off := range []any{false, "False", "false"} {
		a := c.post("/Users", person(unlike("later"), object{"active": off, "password": newPas})).want(http.StatusCreated)
		if a.at("$.active") != false || d.opens(a.id(), newPas) {
			t.Errorf("created with active %#v and gets in: %s", off, a.raw)
		}
		c.do("PATCH", "/Users/"+a.id(), []byte(entraOn)).want(http.StatusOK)
		if !d.opens(a.id(), newPas) {
			t.Error("active, and does not get in")
		}
	}
}

// Revived as inactive, a person stays locked; a new password changes nothing.
func TestRevivedInactive(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("ghost")
	p := person(name, object{"externalId": name, "password": oldPass})
	id := c.create(p)
	c.delete("/Users/" + id).want(http.StatusNoContent)
	p["active"], p["password"] = false, newPas
	if back := c.create(p); back != id {
		t.Fatalf("revived as %s, not %s", back, id)
	}
	if d.opens(id, oldPass) || d.opens(id, newPas) {
		t.Error("gets in while inactive")
	}
	c.do("PATCH", "/Users/"+id, []byte(entraOn)).want(http.StatusOK)
	if !d.opens(id, newPas) {
		t.Error("active, and does not get in")
	}
}

// Another name, a password and the activation may come in one request.
func TestEverythingInOneRequest(t *testing.T) {
	t.Parallel()
	g := shared(t)
	c, d := g.client(t), g.tree(t)
	name := unlike("busy")
	id := c.create(person(name, object{"active": false, "password": oldPass, "externalId": name}))
	c.put("/Users/"+id, person(name+"2", object{"active": true, "password": newPas})).want(http.StatusOK)
	if !d.opens(id, newPas) {
		t.Error("active, and does not get in")
	}
	c.patch("/Users/"+id, object{"op": "replace", "value": object{"active": false, "userName": name + "3", "password": oldPass}}).want(http.StatusOK)
	if d.opens(id, newPas) || d.opens(id, oldPass) {
		t.Error("inactive, and gets in")
	}
	c.delete("/Users/" + id).want(http.StatusNoContent)
	newcomer := c.create(person(name + "3"))
	if back := c.create(person(name+"4", object{"externalId": name, "password": newPas})); back != id || !d.opens(id, newPas) {
		t.Errorf("revived after being put aside as %s, not %s, or does not get in", back, id)
	}
	if d.opens(newcomer, newPas) || d.opens(newcomer, oldPass) {
		t.Error("the newcomer has the leaver's password")
	}
}
