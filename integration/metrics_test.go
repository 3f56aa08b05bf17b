//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// scrape returns the samples that a gateway shows, by name and labels in order, and
// the text.
func (g *gate) scrape(t *testing.T) (map[string]float64, string) {
	t.Helper()
	got, err := http.Get(strings.TrimSuffix(g.health, "/readyz") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	var text strings.Builder
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(readingInto{got.Body, &text})
	if err != nil || got.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", got.StatusCode, err)
	}
	samples := map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%s", l.GetName(), l.GetValue()))
			}
			slices.Sort(labels)
			key := strings.Join(append([]string{name}, labels...), " ")
			samples[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return samples, text.String()
}

type readingInto struct {
	from interface{ Read([]byte) (int, error) }
	into *strings.Builder
}

func (r readingInto) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.into.Write(p[:n])
	return n, err
}

// What Prometheus is shown says what came of the requests and how everything
// stands, in no more series than the configuration and a few words make.
func TestMetrics(t *testing.T) {
	t.Parallel()
	g := serve(t, withBrake("{changes: 1, per: 1h}"))
	c := g.client(t)
	ann, bob := c.create(person("ann")), c.create(person("bob"))
	c.get("/Users/" + ann).want(200)
	c.get("/Users/nobody").want(404)
	c.post("/Users", person("ann")).want(409)
	c.delete("/Users/" + ann).want(204)
	c.delete("/Users/" + bob).want(429)
	c.with("Authorization", "Bearer wrong").get("/Users").want(401)
	c.post("/Bulk", object{"schemas": []string{bulkURN}, "Operations": []object{
		{"method": "POST", "path": "/Users", "bulkId": "x", "data": person("eve")}}}).want(200)
	got, text := g.scrape(t)
	for sample, want := range map[string]float64{
		"scimgate_requests_total operation=create result=done tenant=okta":     3,
		"scimgate_requests_total operation=create result=conflict tenant=okta": 1,
		"scimgate_requests_total operation=get result=notFound tenant=okta":    1,
		"scimgate_requests_total operation=delete result=done tenant=okta":     1,
		"scimgate_requests_total operation=delete result=tooMany tenant=okta":  1,
		"scimgate_requests_total operation=bulk result=done tenant=okta":       1,
		"scimgate_requests_total operation= result=forbidden tenant=okta":      1,
		"scimgate_request_duration_seconds operation=create tenant=okta":       4,
		"scimgate_brake_on tenant=okta":                                        1,
		"scimgate_brake_changes tenant=okta":                                   1,
		"scimgate_brake_limit tenant=okta":                                     1,
		"scimgate_brake_allowed tenant=okta":                                   0,
		"scimgate_tokens tenant=okta":                                          1,
		"scimgate_directory_up directory=corp":                                 1,
		"scimgate_directory_writable directory=corp":                           1,
	} {
		if n, there := got[sample]; !there || n != want {
			t.Errorf("%s is %v (there: %v), wanted %v", sample, n, there, want)
		}
	}
	for prefix, fits := range map[string]func(v float64) bool{
		"scimgate_token_expires_seconds tenant=okta token=":        func(v float64) bool { return v > 8700*3600 && v < 8761*3600 },
		"scimgate_directory_server_info directory=corp server=lda": func(v float64) bool { return v == 1 },
		"scimgate_build_info go=go1":                               func(v float64) bool { return v == 1 },
		"go_goroutines":                                            func(v float64) bool { return v > 1 },
		"process_open_fds":                                         func(v float64) bool { return v > 1 },
	} {
		found := 0
		for sample, v := range got {
			if strings.HasPrefix(sample, prefix) && fits(v) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%d samples fit %s", found, prefix)
		}
	}
	for _, secret := range []string{g.token, ann, "ann", "wrong", "dc="} {
		if strings.Contains(text, secret) {
			t.Errorf("the metrics have %q", secret)
		}
	}
	root := *c
	root.base = strings.TrimSuffix(c.base, "/scim/v2")
	if answer, err := root.try("GET", "/metrics", nil); err != nil || answer.status != http.StatusNotFound {
		t.Errorf("the listener of the identity providers has metrics: %v %v", answer, err)
	}
	release(t, g.config)
	if now, _ := g.scrape(t); now["scimgate_brake_on tenant=okta"] != 0 || now["scimgate_brake_changes tenant=okta"] != 0 {
		t.Error("the release does not show")
	}
	if err := g.server.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the metrics show that the directory is away", func() bool {
		now, _ := g.scrape(t)
		return now["scimgate_directory_up directory=corp"] == 0 && now["scimgate_directory_writable directory=corp"] == 0
	})
}
