# The tools are pinned here and run from the module proxy.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME   ?= 20s

.PHONY: help build test golden docs lint fuzz bench e2e proof

help: ## show this
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build ./peerconf, static
	CGO_ENABLED=0 go build -trimpath -tags urfave_cli_no_docs -o peerconf .

test: ## run the tests
	go test ./...

golden: ## write the goldens anew; read the difference before it is committed
	GOLDIE_UPDATE=1 go test -count=1 -run 'Golden|Model|Show|Bad|Targets|Readme' .

docs: ## write docs/targets.md anew
	DOCS_UPDATE=1 go test -count=1 -run Docs ./render

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./... && go vet -tags e2e ./e2e/...
	go run $(STATICCHECK) ./... && go run $(STATICCHECK) -tags e2e ./e2e/...

fuzz: ## fuzz every target for FUZZTIME
	@set -e; for pkg in ./vpn ./fetch ./render; do \
	  for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg; done; done

bench: ## decode, view, print and the whole way
	go test -run '^$$' -bench . ./fetch ./render

# Namespaces of its own: what the tests start and set up goes with them.
e2e: build ## prove it with real daemons; wants root and Debian
	e2e/install.sh
	CGO_ENABLED=0 go test -c -tags e2e -o e2e/e2e.test ./e2e
	cd e2e && unshare --mount --net --pid --fork --kill-child --mount-proc \
	  env PEERCONF=$(CURDIR)/peerconf ./e2e.test -test.parallel 64 -test.timeout 10m $(E2EFLAGS)

proof: ## do so, and write docs/proof.md anew
	PROOF_UPDATE=1 $(MAKE) e2e
