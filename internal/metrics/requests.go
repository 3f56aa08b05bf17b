package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is what a gateway shows. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

// New returns the metrics of a gateway of a version. What sources say is asked at
// each scrape.
func New(version string, sources Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scimgate_requests_total", Help: "Requests that were answered, and the operations of a Bulk beside the Bulk itself.",
		}, []string{"tenant", "operation", "result"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "scimgate_request_duration_seconds", Help: "How long requests took, and the operations of a Bulk beside the Bulk itself.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"tenant", "operation"}),
	}
	m.registry.MustRegister(m.requests, m.took, collector{sources, version},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request counts an answer. Who has no tenant or no operation, such as somebody
// without a token, is counted under "".
func (m *Metrics) Request(tenant, operation string, status int, took time.Duration) {
	m.requests.WithLabelValues(tenant, operation, result(status)).Inc()
	m.took.WithLabelValues(tenant, operation).Observe(took.Seconds())
}

// result says in one word what came of a request.
func result(status int) string {
	switch {
	case status < http.StatusBadRequest:
		return "done"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "forbidden"
	case status == http.StatusNotFound:
		return "notFound"
	case status == http.StatusConflict || status == http.StatusPreconditionFailed:
		return "conflict"
	case status == http.StatusTooManyRequests:
		return "tooMany"
	case status < http.StatusInternalServerError || status == http.StatusNotImplemented:
		return "refused"
	case status == http.StatusServiceUnavailable:
		return "unavailable"
	}
	return "failed"
}

// ServeHTTP answers a scrape.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}
