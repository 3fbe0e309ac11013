# rowcast, from a fresh clone: `make run` to see it, `make test` to check it. Needs a Rust toolchain and Node.js.

.DEFAULT_GOAL := help
.NOTPARALLEL:

CARGO_TARGET_DIR ?= target
need := scripts/need.sh

# What the dashboard is made of.
web_sources := $(shell find web \( -name node_modules -o -name dist -o -name e2e \) -prune -o -type f -print)

.PHONY: help
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: cc web ## the demo, on a private Postgres or on DATABASE_URL
	cargo run --locked -- demo

.PHONY: test
test: check test-rust test-postgres-18 test-web test-browser ## everything, as CI does

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
fuzz: web cc ## every parser of what comes from outside, one after another: SECONDS=600 for each
	ROWCAST_FUZZ_SECONDS="$(SECONDS)" cargo test --locked --test parsers -- --test-threads=1
	ROWCAST_FUZZ_SECONDS="$(SECONDS)" npm --prefix web run test -- src/parse

.PHONY: test-web
test-web: web/node_modules/.package-lock.json ## the dashboard's types, lints and unit tests
	npm --prefix web run check
	npm --prefix web run test

.PHONY: test-browser
test-browser: web cc ## the dashboard in a real Chromium, with the real server
	@$(need) chromium openssl
	cargo build --locked
	ROWCAST_BIN="$(abspath $(CARGO_TARGET_DIR)/debug/rowcast)" ROWCAST_CHROMIUM="$$(scripts/chromium.sh)" \
		cargo run --locked --example with_postgres -- npm --prefix web run e2e

.PHONY: web
web: web/dist/index.html ## build the dashboard, which the server carries inside

web/dist/index.html: $(web_sources) web/node_modules/.package-lock.json
	npm --prefix web run build

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@$(need) node
	npm --prefix web ci --no-audit --no-fund
	@touch $@
