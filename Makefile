# Thin entry to the chores of the repository. The work is done by cargo and xtask.

CARGO ?= cargo
# In continuous integration the lock file is binding.
LOCKED := $(if $(CI),--locked,)
DEMO := scenarios/2008-02-24-youtube

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check bench compare accuracy gate deb fmt clean accuracy-check \
	setup-build setup-test fmt-check lint doc layers generated doc-test deny advisories typos

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup-build ## Build, then play the incident of 24 February 2008 through the pipeline
	$(CARGO) build $(LOCKED) --package routewarden
	@$(CARGO) run $(LOCKED) --quiet --package routewarden -- scenario run $(DEMO)

# The tests come last, so that the output ends with their summary.
test: setup-build setup-test fmt-check lint doc layers generated doc-test gate accuracy-check ## All that must pass: format, lints, documentation, layers, gates, tests
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

deb: setup-build ## Build the Debian package into target/deb
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

# bgpdump is compared with our decoder, valgrind counts instructions; without them those steps say
# that they were skipped. In continuous integration the count must be made. The others are the routers
# of the live lab (crates/routewarden/tests/live), which run in network namespaces.
setup-test:
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
