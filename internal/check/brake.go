package check

// brake recommends one to tenants without.
func (c *checker) brake(t Tenant) {
	if t.Config.Brake == nil {
		c.note(parent(t.Types[0].Key), "there is no brake on mass changes, so that one mistake at the identity provider can deactivate everybody; "+
			"set brake: {changes: 50, per: 10m}, with a number that no ordinary day comes to")
	}
}
