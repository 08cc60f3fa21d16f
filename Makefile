# Thin entry to the chores of the repository. The work is done by cargo and xtask.

CARGO ?= cargo
# In continuous integration the lock file is binding.
LOCKED := $(if $(CI),--locked,)
DEMO := scenarios/2008-02-24-youtube

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help web web-without-node web-check web-e2e demo demo-stop test check bench compare accuracy gate deb fmt clean accuracy-check \
	setup-build setup-test setup-browser fmt-check lint doc layers generated doc-test deny advisories typos

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Node is only needed for this: without it the program is built with a page that says so. In continuous
# integration the pages must be there.
NODE := $(shell node -e 'const [major, minor] = process.versions.node.split(".").map(Number); \
	if (major > 20 || (major === 20 && minor >= 19)) console.log("yes")' 2>/dev/null)
WEB_SOURCES := $(shell find web/src web/public -type f -not -name schema.d.ts) web/index.html \
	web/package-lock.json web/vite.config.ts web/svelte.config.js web/tsconfig.json

web: $(if $(NODE),web/dist/index.html,web-without-node) ## Build the web pages (Node 20.19 or later)

web/dist/index.html: $(WEB_SOURCES)
	cd web && npm ci --no-audit --no-fund && npm run build
	@touch $@

web-without-node:
	@echo "web: skipped; install Node 20.19 or later with npm" >&2
	@test -z "$(CI)"

web-check: web ## Check the web pages: types, unit tests, weight
	$(if $(NODE),cd web && npm run check && npm test && npm run size)

# Accessibility, and an analyst's way through the pages, in Debian's Chromium. The program is built as the
# tests are: built by itself, its dependencies would be compiled once more, with fewer features.
web-e2e: web setup-browser
	@if [ -z "$(NODE)" ] || ! command -v chromium >/dev/null 2>&1; then \
		echo "web-e2e: skipped; it needs Node and chromium" >&2; test -z "$(CI)"; \
	else \
		set -x; $(CARGO) test $(LOCKED) --workspace --lib --bins --tests --no-run && cd web && npm run axe && npm run e2e; \
	fi

demo: setup-build web ## Build, play the incident of 24 February 2008, leave it in the web pages and print the link
	$(CARGO) build $(LOCKED) --package routewarden
	@$(CARGO) run $(LOCKED) --quiet --package routewarden -- scenario run $(DEMO)
	@packaging/demo start target/debug/routewarden $(DEMO) target/demo

demo-stop: ## Stop what make demo left running
	@packaging/demo stop target/demo

# The tests come last, so that the output ends with their summary.
test: setup-build setup-test web-check fmt-check lint doc layers generated doc-test gate accuracy-check web-e2e ## All that must pass: format, lints, documentation, layers, gates, tests
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		set -x; $(CARGO) nextest run $(LOCKED) --workspace --no-fail-fast; \
	else \
		set -x; $(CARGO) test $(LOCKED) --workspace --lib --bins --tests --no-fail-fast; \
	fi

check: deny typos test ## The same, and the optional tools that are installed (cargo-deny, typos)

bench: setup-build ## Run the benches
	$(CARGO) bench $(LOCKED) --package routewarden-bench --bench speed

compare: setup-build ## Compare with other tools (data in ../shared/data; see bench/README.md)
	$(CARGO) xtask compare

accuracy: ## Count how often detection is right, beside other detectors (data in ../shared/data)
	$(CARGO) xtask accuracy

# A fall of precision or recall is a regression like any other; see docs/decisions/0017.
accuracy-check:
	$(CARGO) xtask accuracy --check

# Instructions do not vary from machine to machine as time does; see docs/decisions/0012.
gate: ## Count the instructions of the decoder and the table; fails when they grew by 3 %
	$(CARGO) xtask gate

deb: setup-build web ## Build the Debian package into target/deb
	$(CARGO) build $(LOCKED) --release --package routewarden
	packaging/debian/build --binary target/release/routewarden --output target/deb

fmt: ## Format the code
	$(CARGO) fmt --all

clean: ## Remove what the build made
	$(CARGO) clean

# ---- parts ---------------------------------------------------------------------------------

# Installs a Debian package when a command is missing; without root, only says so.
define need
	@command -v $(1) >/dev/null 2>&1 || .ci/install $(2)
endef

setup-build:
	@command -v $(CARGO) >/dev/null 2>&1 || { echo "cargo is missing: install Rust 1.95 or later with rustup" >&2; exit 1; }
	$(call need,cc,build-essential)

# schemathesis goes into a folder of its own, with the versions that it was last seen to work with.
SCHEMATHESIS := target/schemathesis
SCHEMATHESIS_PINS := crates/routewarden/tests/e2e/schemathesis/requirements.txt

$(SCHEMATHESIS)/bin/st: $(SCHEMATHESIS_PINS)
	@python3 -c 'import ensurepip' 2>/dev/null || .ci/install python3-venv
	@{ python3 -m venv $(SCHEMATHESIS) && \
		$(SCHEMATHESIS)/bin/pip install --quiet --disable-pip-version-check --requirement $< && \
		touch $@; } || echo "could not install schemathesis with python3 -m venv and pip" >&2

setup-browser:
	$(call need,chromium,chromium)

# bgpdump is compared with our decoder, valgrind counts instructions; without them those steps say
# that they were skipped. In continuous integration the count must be made. The others are the routers
# of the live lab (crates/routewarden/tests/live), which run in network namespaces.
setup-test: $(SCHEMATHESIS)/bin/st
	$(call need,bgpdump,bgpdump)
	$(call need,valgrind,valgrind)
	$(call need,ip,iproute2)
	$(call need,bird,bird2)
	$(call need,vtysh,frr frr-rpki-rtrlib)
	$(call need,gobgpd,gobgpd)
	$(call need,bgpctl,openbgpd)
	$(call need,exabgp,exabgp)
	$(call need,stayrtr,stayrtr)
	$(call need,promtool,prometheus)
	$(call need,faketime,faketime)

fmt-check:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --workspace --no-deps --quiet

layers:
	$(CARGO) xtask check-layers

# Files generated from the code must be as the code makes them.
generated:
	@if $(CARGO) xtask help | grep -q check-docs; then set -x; $(CARGO) xtask check-docs; fi

doc-test:
	$(CARGO) test $(LOCKED) --workspace --doc --quiet

# Licences, duplicates, sources: rules in deny.toml.
deny: ## Check the licences and sources of the dependencies (cargo-deny)
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
		set -x; $(CARGO) deny --workspace check licenses bans sources; \
	else echo "deny: skipped; install it with: cargo install --locked cargo-deny"; fi

advisories: ## Check the dependencies against known vulnerabilities (cargo-deny, network)
	$(CARGO) deny --workspace check advisories

typos:
	@if command -v typos >/dev/null 2>&1; then set -x; typos; \
	else echo "typos: skipped; install it with: pipx install typos"; fi
