# make demo      a private OpenLDAP and the gateway, on loopback; DEMO_FLAGS="--listen ..."
# make test      format, vet, lint, unit tests, integration tests against a real OpenLDAP
# make test-all  the same, and the tests that need a container engine, other directories or some minutes
# make test-ad   the tests against a real Samba as an Active Directory
# make fuzz      every fuzz target in turn; FUZZTIME=30s is how long each is tried. What fails is
#                kept below the package's testdata/fuzz and repeated by every go test from then on.
#
# Both demo and test install what this machine lacks, and say so first: see
# deploy/install-deps.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c

# Where Go's own archive is unpacked, in case the shell's PATH does not know.
export PATH := $(PATH):/usr/local/go/bin

# -trimpath: what one checkout has compiled serves the next.
BUILD       := go build -trimpath -o bin/scimgate ./cmd/scimgate
STATICCHECK := bin/staticcheck-0.8.2
# What the integration tests cover; all of them need OpenLDAP.
INTEGRATION := ./internal/slapd/... ./ldapsink/... ./integration/... ./cmd/...
# How many of their tests run at a time: most of the time they wait for a server.
WAITING     := 6
# And those that run against an Active Directory too (with the tag ad).
AD          := ./internal/samba/... ./ldapsink/... ./integration/... ./cmd/...
# What only some tests are built with; all of it is looked at by vet and staticcheck. Some
# files of ldapsink are of one directory only, and left out where ad or ds389 is among the tags.
TAGS        := integration containers large
TAGS        += ad ds389

# How a target says that it could not run here: so that it does not look like a success.
define not-run
echo "****************************************************************" >&2; \
echo "**  NOT RUN: $(1)." >&2; \
echo "****************************************************************" >&2
endef

.PHONY: build demo test test-openldap test-large test-containers test-ad test-389ds test-all fuzz lint fmt clean

build:
	@deploy/install-deps go
	$(BUILD)

# exec: the signal that ends the demo must reach the demo.
demo:
	@deploy/install-deps go slapd
	@$(BUILD)
	@exec bin/scimgate demo $(DEMO_FLAGS)

test:
	@deploy/install-deps go slapd race
	@$(MAKE) --no-print-directory lint
	go test -race ./...
	@$(MAKE) --no-print-directory test-openldap

# Against slapd servers of the tests' own. They fail, not skip, where there is none.
test-openldap:
	@deploy/install-deps go slapd race
	go test -race -tags integration -count=1 -parallel $(WAITING) -timeout 15m $(INTEGRATION)

# with-docker answers 77 where there is no engine. On a build machine (CI=true) that is a
# failure; elsewhere it must at least not look like a success.
test-containers:
	@deploy/install-deps go
	@status=0; deploy/with-docker \
		go test -tags "integration containers" -count=1 -timeout 9m -run Compose ./integration/ || status=$$?; \
	if [ $$status -eq 77 ] && [ "$${CI:-}" != true ]; then \
		$(call not-run,the container tests. No container engine here); exit 0; \
	fi; \
	exit $$status

# Against Samba servers of the tests' own. Each package's tests run as root in a private
# network and fail, not skip, where there is no Samba; they are built out here, and what they
# build themselves finds its modules downloaded. 77: see test-containers. The timeout, here and
# below, is for what hangs: they take a few minutes, and several times that on a busy machine.
test-ad:
	@deploy/install-deps go race samba
	@go mod download
	@status=0; deploy/with-namespace true || status=$$?; \
	if [ $$status -eq 77 ] && [ "$${CI:-}" != true ]; then \
		$(call not-run,the Active Directory tests. No private network); exit 0; \
	fi; \
	[ $$status -eq 0 ] || exit $$status; \
	set -x; go test -race -tags "integration ad" -count=1 -timeout 30m -exec "'$(CURDIR)/deploy/with-namespace'" $(AD)

# Against 389 Directory Servers of the tests' own, which any user may run. The packages are
# those with files of the tag ds389; they fail, not skip, where there is none.
DS389 = $(shell grep -rl --include='*_test.go' '^//go:build .*\bds389\b' . | xargs -r -n 1 dirname | sort -u)
test-389ds:
	@deploy/install-deps go slapd race ds389
	go test -race -tags "integration ds389" -count=1 -timeout 30m $(DS389)

# A list of 100,000 people; without the race detector, which would take longer than a
# client waits.
test-large:
	@deploy/install-deps go slapd
	go test -tags "integration large" -count=1 -timeout 15m -run TestLargeWalk ./integration/
	go test -tags large -count=1 -timeout 15m -run TestAMillionLines ./internal/provlog/

# TESTED=yes says that make test was green just now, so it need not run again.
test-all: $(if $(TESTED),,test) test-large test-containers test-ad test-389ds

# Targets are found, not listed: a new one is fuzzed from its first day. Go sometimes calls
# it a failure that the time was over ("context deadline exceeded"); what fails names an input.
FUZZTIME ?= 30s
fuzz:
	@deploy/install-deps go
	@status=0; notes=$$(mktemp); for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "** $$target of $$package, $(FUZZTIME)"; \
			if ! go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 2s $$package 2>&1 | tee $$notes; then \
				grep -q 'context deadline exceeded' $$notes && ! grep -Eq 'Failing input|seed corpus entry' $$notes || status=1; \
			fi; \
		done; \
	done; rm -f $$notes; exit $$status

lint: $(STATICCHECK)
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "not formatted, run make fmt:" $$unformatted >&2; exit 1; fi
	@for tags in "$(TAGS)" "integration large" "integration ad"; do \
		echo go vet and staticcheck -tags "$$tags"; \
		go vet -tags "$$tags" ./...; $(STATICCHECK) -tags "$$tags" ./...; \
	done

$(STATICCHECK):
	@mkdir -p $(@D)
	GOBIN=$(CURDIR)/bin go install honnef.co/go/tools/cmd/staticcheck@v0.8.2
	@mv bin/staticcheck $@

fmt:
	gofmt -w .

clean:
	rm -rf bin
