# rowcast, from a fresh clone: `make run` to see it, `make test` to check it. Needs a Rust toolchain and Node.js.

.DEFAULT_GOAL := help
.NOTPARALLEL:

CARGO_TARGET_DIR ?= target
need := scripts/need.sh

# What the dashboard is made of.
web_sources := $(shell find web \( -name node_modules -o -name dist -o -name lib -o -name api -o -name e2e -o -name packaging -o -name bench \) -prune -o -type f -print)

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: cc web ## the demo, on a private Postgres or on DATABASE_URL
	cargo run --locked -- demo

.PHONY: test
test: check test-rust test-postgres-18 test-web test-browser test-examples test-mlflow ## everything, as CI does

.PHONY: check
check: fmt clippy doc deny ## format, lints, documentation, licences

.PHONY: cc
cc:
	@$(need) cc

.PHONY: fmt
fmt:
	@$(need) rustfmt
	cargo fmt --check

.PHONY: clippy
clippy: cc
	@$(need) clippy
	cargo clippy --locked --all-targets --all-features -- -D warnings

.PHONY: doc
doc: cc
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --all-features --document-private-items

.PHONY: deny
deny: cc
	@$(need) cargo-deny
	cargo deny --locked check bans licenses sources

.PHONY: types
types: cc web/node_modules/.package-lock.json ## write web/src/generated.ts anew, from the server's definitions
	ROWCAST_WRITE_TYPES=1 cargo test --locked --lib typescript
	cd web && npx --no biome format --write src/generated.ts

.PHONY: test-rust
test-rust: web cc ## Rust's tests, on the Postgres of this machine
	@$(need) lambda-adapter pgbouncer
	cargo test --locked --all-features --no-fail-fast

.PHONY: test-postgres-18
test-postgres-18: cc ## the tests that need Postgres, on version 18 from npm
	@$(need) node lambda-adapter pgbouncer
	ROWCAST_TEST_POSTGRES_BIN=npm cargo test --locked --all-features --test it

.PHONY: soak
soak: SECONDS ?= 600
soak: web cc ## everything at once, and everything failing: SECONDS=600, SEED= of another run
	ROWCAST_SOAK_SECONDS="$(SECONDS)" ROWCAST_SOAK_SEED="$(SEED)" cargo test --locked --test soak -- --nocapture

.PHONY: isolation
isolation: SECONDS ?= 600
isolation: web cc ## who sees what while all access changes, judged by a model: SECONDS=600, SEED= of another run
	ROWCAST_ISOLATION_SECONDS="$(SECONDS)" ROWCAST_ISOLATION_SEED="$(SEED)" cargo test --locked --test isolation -- --nocapture

.PHONY: fuzz
fuzz: SECONDS ?= 600
fuzz: web web/react-18/node_modules/.package-lock.json cc ## every parser of what comes from outside, one after another: SECONDS=600 for each
	ROWCAST_FUZZ_SECONDS="$(SECONDS)" cargo test --locked --test parsers -- --test-threads=1
	ROWCAST_FUZZ_SECONDS="$(SECONDS)" npm --prefix web run test -- src/parse

.PHONY: package
package: web/lib/index.js ## the npm package as apps get it: packed, linted, measured, installed
	npm --prefix web run test:package

.PHONY: web-docs
web-docs: web/node_modules/.package-lock.json ## the reference of the npm package, in web/api
	npm --prefix web run docs

.PHONY: test-web
test-web: package web/react-18/node_modules/.package-lock.json ## types, lints and unit tests of the browser side, and of the package that it is
	npm --prefix web run check
	npm --prefix web run test

.PHONY: test-browser
test-browser: web cc ## the dashboard in a real Chromium, with the real server
	@$(need) chromium openssl
	cargo build --locked
	ROWCAST_BIN="$(abspath $(CARGO_TARGET_DIR)/debug/rowcast)" ROWCAST_CHROMIUM="$$(scripts/chromium.sh)" \
		cargo run --locked --example with_postgres -- npm --prefix web run e2e

.PHONY: test-examples
test-examples: web web/lib/index.js cc ## the examples: installed with the package, built, and driven in a real Chromium against the demo
	@$(need) chromium
	cargo build --locked
	ROWCAST_BIN="$(abspath $(CARGO_TARGET_DIR)/debug/rowcast)" ROWCAST_CHROMIUM="$$(scripts/chromium.sh)" \
		cargo run --locked --example with_postgres -- npm --prefix web run e2e:examples

.PHONY: test-mlflow
test-mlflow: web web/lib/index.js cc ## an app nobody here wrote: MLflow from PyPI, attached and shown in a real Chromium; skipped where PyPI cannot be reached
	@$(need) chromium python
	cargo build --locked
	@python="$$(scripts/mlflow.sh)" && if [ -n "$$python" ]; then \
		ROWCAST_BIN="$(abspath $(CARGO_TARGET_DIR)/debug/rowcast)" ROWCAST_CHROMIUM="$$(scripts/chromium.sh)" ROWCAST_MLFLOW_PYTHON="$$python" \
			cargo run --locked --example with_postgres -- npm --prefix web run e2e:mlflow; \
	fi

.PHONY: bench
bench: WHAT ?= all
bench: web cc ## rowcast measured beside the best, each row in some two minutes; WHAT=fan-out for one of them, ROUNDS=3 for medians
	@$(need) nchan
	cargo bench --locked --bench rowcast -- $(WHAT) $(if $(ROUNDS),--rounds $(ROUNDS))

.PHONY: bench-quick
bench-quick: ## the same, the most important rows, once: less than a minute after the build
	@$(MAKE) bench WHAT=quick ROUNDS=1

.PHONY: bench-browser
bench-browser: web cc ## the dashboard under 200 events/s in Chromium: frames, CPU, memory; SECONDS=60, RATE=200
	@$(need) chromium
	cargo build --locked
	ROWCAST_BIN="$(abspath $(CARGO_TARGET_DIR)/debug/rowcast)" ROWCAST_CHROMIUM="$$(scripts/chromium.sh)" \
		cargo run --locked --example with_postgres -- npm --prefix web run bench

.PHONY: web
web: web/dist/index.html ## build the dashboard, which the server carries inside

web/lib/index.js: $(web_sources) web/node_modules/.package-lock.json
	npm --prefix web run package

web/dist/index.html: $(web_sources) web/node_modules/.package-lock.json
	npm --prefix web run build

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@$(need) node
	npm --prefix web ci --no-audit --no-fund
	@touch $@

# The hooks are tested with the older React, too.
web/react-18/node_modules/.package-lock.json: web/react-18/package.json web/react-18/package-lock.json
	@$(need) node
	npm --prefix web/react-18 ci --no-audit --no-fund
	@touch $@
