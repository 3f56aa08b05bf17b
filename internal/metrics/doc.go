// Package metrics shows Prometheus how the gateway does, on the administrator's
// listener: the requests as they are answered, and at each scrape how everything
// else stands, which is asked of functions (Sources) that the command gives it.
//
// No label has values that come from outside: tenants, directories and tokens are
// the configuration's and the administrator's, operations and results are few
// words. The package knows nothing of what it shows. docs/metrics.md describes the
// series to an administrator.
package metrics
