package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"scimgate/internal/config"
)

// serve listens until ctx ends.
func (p *process) serve(ctx context.Context, ready func(addresses)) error {
	cfg := p.started
	listener, err := p.listen(cfg.Server.Listen)
	if err != nil {
		return err
	}
	adminListener, err := net.Listen("tcp", cfg.Admin.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("admin: %w", err), listener.Close())
	}
	errorLog, limit := zap.NewStdLog(p.log), cfg.Server.Limits.RequestTimeout
	servers := []*http.Server{
		// A client that does not read its answer is given up some time after.
		{Handler: p, ReadTimeout: limit, WriteTimeout: writing(limit), IdleTimeout: 2 * time.Minute, ErrorLog: errorLog},
		{Handler: p.admin(), ReadTimeout: 10 * time.Second, ErrorLog: errorLog},
	}
	work, ended := errgroup.WithContext(ctx)
	for i, l := range []net.Listener{listener, adminListener} {
		work.Go(func() error {
			if err := servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	work.Go(func() error {
		<-ended.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.patience()+time.Second)
		defer cancel()
		if err := errors.Join(servers[0].Shutdown(grace), servers[1].Shutdown(grace)); err != nil {
			return errors.Join(err, servers[0].Close(), servers[1].Close()) // whoever does not read its answer
		}
		return nil
	})
	ready(addresses{SCIM: listener.Addr().String(), Admin: adminListener.Addr().String()})
	return work.Wait()
}

// patience is the longest that a request may take that is under way.
func (p *process) patience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.patient
}

// listen opens the listener of the identity providers. Every handshake is told
// the certificate of the service that is in force then.
func (p *process) listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil || p.current().tls == nil {
		return listener, err
	}
	return tls.NewListener(listener, &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return p.current().tls, nil },
	}), nil
}

// current returns the service in force, to look at and no more: it may end any
// time.
func (p *process) current() *service {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// listening is serverTLS of a service. Whether the listener speaks TLS is decided
// once.
func (s *service) listening(before *service) (*tls.Config, error) {
	if before != nil && (before.tls == nil) != (s.cfg.Server.TLS.CertFile == "") {
		return before.tls, nil
	}
	return serverTLS(s.cfg)
}

// serverTLS reads the certificate, nil where the listener speaks plain HTTP.
//
// Tickets of a session are those of the listener, so a session that began under
// an earlier certificate goes on; not where clients have certificates.
func serverTLS(cfg *config.Config) (*tls.Config, error) {
	files := cfg.Server.TLS
	if files.CertFile == "" {
		return nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		return nil, faulty(cfg, "server.tls.certFile", fmt.Errorf("cannot be used with the key in keyFile: %w", err))
	}
	secured := &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	}
	return secured, askForCertificates(secured, cfg)
}

// admin answers health checks: healthz says that the process runs, readyz that
// every directory answers, and which server of it is in use; and Prometheus.
func (p *process) admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		s := p.enter()
		defer p.leave(s)
		answer := "ok\n"
		for _, name := range slices.Sorted(maps.Keys(s.sinks)) {
			if err := s.sinks[name].Ping(r.Context()); err != nil {
				http.Error(w, "directory "+name+" does not answer", http.StatusServiceUnavailable)
				return
			}
			server, writable := s.sinks[name].Server()
			answer += "directory " + name + ": " + server
			if !writable {
				answer += ", read only"
			}
			answer += "\n"
		}
		fmt.Fprint(w, answer+p.reloads.last().line())
	})
	return mux
}
