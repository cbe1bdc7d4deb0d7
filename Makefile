# GNU make 3.81 (macOS) or later. `run` and `test` need the Rust toolchain alone, `check` its components too; `client` and
# `demo` need Node.js 20 or later as well, `interop` openssl too, and `e2e-arm64` QEMU. The other targets install what they use
# into .venv, in fixed versions, and need Python 3.10 or later for that.

PYTHON ?= python3
EXAMPLE := examples/protected-api
VENV := .venv
CLIENT := clients/web
PEERS := benches/peers
# What reads the template, and what compiles for Lambda: cargo-lambda, with zig as a linker for every target.
TEMPLATE_TOOLS := aws-sam-cli==1.170.0 aws-sam-translator==1.115.0 cfn-lint==1.58.0
BUILD_TOOLS := cargo-lambda==1.9.2 ziglang==0.15.2
# A verifier of tokens; those of Node are in tests/interop/package.json.
INTEROP_TOOLS := PyJWT==2.15.1 cryptography==50.0.2
# AWS's own runtime client for Python, the authorizer that it runs, what plots, and the C library's source.
BENCH_TOOLS := awslambdaric==4.2.2 $(INTEROP_TOOLS) matplotlib==3.11.2
# What changes the code to see whether a test notices.
MUTANTS := 27.1.0
# What attacks the running service, and what looks at dependencies and for crashes.
ATTACK_TOOLS := schemathesis==4.32.5
DENY_TOOL := cargo-deny@0.20.2
AUDIT_TOOL := cargo-audit@0.22.2
SBOM_TOOL := cargo-cyclonedx@0.5.9
FUZZ_TOOL := cargo-fuzz@0.13.2

FUZZ_TARGETS := authorizer claims configuration http identity item refresh token
FUZZ_SECONDS ?= 20
# An AWS emulator that runs `provided.al2023` binaries without Docker. In an environment of its own: it and the SAM CLI want
# different versions of boto3.
EMULATOR := ministack[full]==1.5.33
FUNCTIONS := authorizer change-password login logout me refresh sessions signup token-authorizer well-known
# What runs on this machine, in the template's words.
HOST_ARCH := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
# The SAM CLI's own tools; what they need of a running `local`, and where.
SAM_RUN = $(VENV)/bin/python tools/sam/run.py
SAM_OUTPUTS := .local/outputs.json
SAM_PORT ?= 3100
TABLE_PORT ?= 3200
# cargo-lambda and zig first.
WITH_TOOLS = PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
# The tests of bootstraps in the folder BUILT, behind the emulator that comes with the SAM CLI.
RUN_BOOTSTRAPS = $(WITH_TOOLS) LATCHKEY_BUILD="$(CURDIR)/$(BUILT)" \
  LATCHKEY_RIE="$$(ls $(CURDIR)/$(VENV)/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-$(HOST_ARCH))" \
  cargo test --locked --workspace --test api -- --ignored bootstraps::

export SAM_CLI_TELEMETRY = 0

.DEFAULT_GOAL := help
.PHONY: help run run-example demo client test interop soak mutants attack fuzz deny audit sbom bench bench-small instructions
.PHONY: sam-table sam-local sam-invoke sam-check
.PHONY: tokens load growth cost check check-origins validate build deploy e2e e2e-runtime e2e-stack e2e-arm64 clean

help: ## Lists the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Starts the whole API on http://127.0.0.1:3000 (ARGS="--port 3001 --memory")
	cargo run --locked -p local -- $(ARGS)

run-example: ## The same with the APIs of examples/protected-api at the ports after it
	cargo run --locked -p local -- --beside $(EXAMPLE)/template.yaml $(ARGS)

sam-table: $(VENV)/template-tools ## Starts the same as `run` with a table that containers reach, for the next two (TABLE_ADDRESS=, TABLE_PORT=3200)
	address=$(or $(TABLE_ADDRESS),$$($(SAM_RUN) table-address)) && \
	  cargo run --locked -p local -- --table-address $$address --table-port $(TABLE_PORT) --outputs $(SAM_OUTPUTS) $(ARGS)

sam-local: $(VENV)/template-tools .aws-sam/build/template.yaml ## Runs the built functions in `sam local start-api` (SAM_PORT=3100, ARGS=); docs/sam-local.md
	$(SAM_RUN) api --port $(SAM_PORT) $(ARGS)

sam-invoke: $(VENV)/template-tools .aws-sam/build/template.yaml ## Runs one in `sam local invoke` with a file of events/, filled in (EVENT=me, ARGS=)
	$(SAM_RUN) invoke "$(EVENT)" $(ARGS)

sam-check: $(VENV)/template-tools ## Runs every event and a client's flow in `sam local`, where there is a container engine
	set -e; for file in derive events flow run check; do $(VENV)/bin/python -m doctest tools/sam/$$file.py; done
	$(if $(LATCHKEY_LOCAL),,cargo build --locked -p local)
	if $(SAM_RUN) engine; then $(MAKE) .aws-sam/build/template.yaml; fi
	$(VENV)/bin/python tools/sam/check.py $(or $(LATCHKEY_LOCAL),target/debug/local)

# As it was built last, whatever has changed since: building is a step of its own, as it is for the SAM CLI.
.aws-sam/build/template.yaml:
	$(MAKE) build ARCH=$(HOST_ARCH)

demo: $(CLIENT)/build ## Starts the same with a page to try it on, and tokens of half a minute
	ACCESS_TOKEN_EXPIRY=$${ACCESS_TOKEN_EXPIRY:-30s} REFRESH_GRACE=$${REFRESH_GRACE:-3s} \
	  cargo run --locked -p local -- --memory --demo $(CLIENT)/build/demo $(ARGS)

client: $(CLIENT)/build ## Checks and tests the client for browsers, in a browser too
	cd $(CLIENT) && npm run check && npm test && npm run size && npm run package
	$(if $(LATCHKEY_LOCAL),,cargo build --locked -p local)
	cd $(CLIENT) && CHROMIUM=$$(scripts/chromium.sh) npm run e2e

test: ## Runs every test
	cargo test --workspace --locked

interop: $(VENV)/interop-tools ## Runs verifiers and functions in other languages against the service
	$(if $(LATCHKEY_LOCAL),,cargo build --locked -p local)
	cd tests/interop && npm ci --no-audit --no-fund && \
	  PYTHON="$(CURDIR)/$(VENV)/bin/python" node --test

soak: ## Runs honest clients and thieves on a faulty line for two minutes (SOAK_SECONDS=600)
	cargo test --locked -p local --test api -- --ignored --exact --nocapture \
	  soak::a_long_time_of_bad_weather_breaks_no_promise

mutants: target/tools/bin/cargo-mutants ## Changes the code in one place at a time: a test must fail. Takes hours (ARGS="-p refresh")
	PATH="$(CURDIR)/target/tools/bin:$$PATH" cargo mutants --output target $(ARGS)

bench: bench-built ## Compares each function with what others would write: start, first and warm request (BENCH="--rounds 5"). Linux
	$(PYTHON) benches/harness/bench.py $(BENCH)

bench-small: bench-built ## The functions on the CPU of 128 to 1769 MB: first and warm request, cost (BENCH="--rounds 5"). Linux, as root
	$(PYTHON) benches/harness/small.py $(BENCH)
	$(VENV)/bin/python benches/harness/plot.py docs/small-lambda.png

# What both start. About 20 minutes of CPU from nothing.
.PHONY: bench-built
bench-built: $(VENV)/bench-tools $(PEERS)/node/node_modules
	cargo build --locked --release -p floor $(FUNCTIONS:%=-p %)
	cargo build --locked -p local
	@# From its folder, where the settings of its build are.
	cd $(PEERS)/sdk-defaults && cargo build --locked --release --target-dir $(CURDIR)/target/peers
	set -e; for file in report targets; do $(PYTHON) -m doctest benches/harness/$$file.py; done

instructions: ## Counts the instructions of each hot path under valgrind: none may grow by 5% (UPDATE=1 accepts them)
	cargo build --locked --profile instructions -p instructions
	$(PYTHON) -m doctest benches/instructions/count.py
	valgrind=$$(benches/instructions/valgrind.sh) && \
	  $(PYTHON) benches/instructions/count.py target/instructions/instructions "$$valgrind" $(if $(UPDATE),--update)

tokens: $(VENV)/bin/python ## Times tokens and passwords in a release build, and argon2 against its C library (Linux)
	cargo bench --locked -p auth-core --bench tokens
	cargo bench --locked -p auth-core --bench argon2
	$(PYTHON) benches/harness/c_argon2.py $(VENV)/bin/pip

load: ## Runs clients on a schedule against a local stack for a minute (LOAD_SECONDS=600 LOAD_RATE=4): latency, errors, memory
	cargo bench --locked --profile dev -p local --bench load

growth: ## Compares requests, capacity and time with up to a million users (GROWTH_USERS=100000); a thousand sessions of one
	cargo test --locked -p local --test api -- --ignored --nocapture --test-threads 1 growth::

cost: ## Prints what a deployment costs, by tools/cost: capacity as tested, list prices, a month's usage
	$(PYTHON) -m doctest tools/cost/cost.py
	$(PYTHON) tools/cost/cost.py

check: ## Checks formatting, lints and documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked
	@# The fuzz targets are a workspace of their own, of which nobody hears when ours changes.
	cargo update --quiet --workspace --locked --manifest-path fuzz/Cargo.toml

attack: $(VENV)/attack-tools ## Attacks the running service by its OpenAPI document (ATTACK="--max-time 600")
	$(if $(LATCHKEY_LOCAL),,cargo build --locked -p local)
	$(VENV)/bin/python tools/attack/run.py $(or $(LATCHKEY_LOCAL),target/debug/local) $(ATTACK)

fuzz: $(VENV)/fuzz-tool ## Runs every fuzz target (FUZZ_SECONDS=600, FUZZ_TARGETS=token); needs a nightly toolchain
	@# Audit lines go to standard output, what libFuzzer says to standard error. The events are seeds as they are.
	@# cargo-fuzz has no --locked.
	cargo +nightly metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml > /dev/null
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo +nightly fuzz build --fuzz-dir fuzz
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p fuzz/corpus/$$target fuzz/seeds/$$target; \
	  PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo +nightly fuzz run --fuzz-dir fuzz $$target \
	    fuzz/corpus/$$target fuzz/seeds/$$target events -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	    -max_len=32768 -print_final_stats=1 > /dev/null || exit 1; \
	done

deny: $(VENV)/deny-tool ## Checks dependencies: licences, sources, doubles
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo deny --locked --all-features check bans licenses sources

audit: deny $(VENV)/audit-tool ## Checks the same, and for known vulnerabilities (the database of them is on GitHub)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo deny --locked --all-features check advisories
	$(VENV)/bin/cargo-audit audit

sbom: $(VENV)/sbom-tool ## Writes a CycloneDX document for each function to target/sbom
	@# cargo-cyclonedx has no --locked; it writes beside every manifest of the workspace.
	cargo metadata --locked --format-version 1 > /dev/null
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo cyclonedx --format json --spec-version 1.5 --describe binaries \
	  --target $(if $(filter x86_64,$(ARCH)),x86_64,aarch64)-unknown-linux-gnu
	rm -rf target/sbom && mkdir -p target/sbom
	for function in $(FUNCTIONS); do mv crates/$$function/$${function}_bin.cdx.json target/sbom/$$function.cdx.json || exit 1; done
	find crates examples -name '*_bin.cdx.json' -exec rm {} +
	$(PYTHON) tools/check_sbom.py target/sbom $(FUNCTIONS)

validate: $(VENV)/template-tools ## Checks both templates, as written and as CloudFormation gets them
	@# Any region will do: nothing is called.
	AWS_DEFAULT_REGION=eu-central-1 $(VENV)/bin/sam validate --lint
	$(VENV)/bin/python tools/transform.py > $(VENV)/transformed.json
	$(VENV)/bin/cfn-lint $(VENV)/transformed.json
	$(VENV)/bin/python tools/check_transformed.py < $(VENV)/transformed.json
	$(VENV)/bin/python tools/test_check_transformed.py $(VENV)/transformed.json
	@# Of all parameters Tracing alone changes what SAM makes of the template. W1030 tries the parameter's other value too,
	@# with which SAM writes no mode at all.
	$(VENV)/bin/python tools/transform.py Tracing=Active > $(VENV)/traced.json
	$(VENV)/bin/cfn-lint --ignore-checks W1030 -- $(VENV)/traced.json
	$(VENV)/bin/python tools/check_transformed.py < $(VENV)/traced.json
	AWS_DEFAULT_REGION=eu-central-1 $(VENV)/bin/sam validate --lint --template $(EXAMPLE)/template.yaml
	$(VENV)/bin/python tools/transform.py $(EXAMPLE)/template.yaml > $(VENV)/transformed-example.json
	@# W1020: SAM fills parameters into a Sub and leaves the Sub.
	$(VENV)/bin/cfn-lint --ignore-checks W1020 -- $(VENV)/transformed-example.json
	$(VENV)/bin/python tools/check_example.py < $(VENV)/transformed-example.json
	$(VENV)/bin/python -m doctest tools/cost/cost.py
	$(VENV)/bin/python tools/cost/cost.py --check BENCHMARKS.md

build: $(VENV)/build-tools ## Compiles the functions for Lambda (ARCH=x86_64 if the stack's Architecture is that)
	@# `sam build` takes one function after the other, and linking one keeps a single core busy for a minute. So all of them
	@# are compiled at once before, with the flags that it uses; then it finds nothing to compile, and packs.
	$(WITH_TOOLS) cargo lambda build --release --locked $(if $(filter x86_64,$(ARCH)),,--arm64) $(FUNCTIONS:%=-p %)
	$(WITH_TOOLS) $(VENV)/bin/sam build $(if $(ARCH),--parameter-overrides Architecture=$(ARCH))
	$(VENV)/bin/python tools/check_binaries.py .aws-sam/build

check-origins: ## Says what is wrong with a list of origins, public suffixes too (ORIGINS="https://*.preview.example.com")
	cargo run --quiet --locked -p local -- --check-origins '$(ORIGINS)'

deploy: build ## Deploys to the AWS account of the environment, asking what it has to know
	$(VENV)/bin/sam deploy --guided

e2e: e2e-runtime e2e-stack ## Builds for this machine and runs what is built, by both of the next two (Linux)

e2e-runtime: BUILT := .aws-sam/build
e2e-runtime: e2e-build ## Runs the built functions behind AWS's Runtime Interface Emulator (Linux)
	$(RUN_BOOTSTRAPS) $(RUNTIME_ARGS)

e2e-stack: e2e-build $(VENV)/emulator ## Deploys them into an AWS emulator and runs the scenarios of the tests there (Linux)
	$(VENV)/bin/python tools/e2e_stack.py $(VENV)/ministack/bin/ministack $(VENV)/bin/sam $(HOST_ARCH) -- \
	  cargo test --locked --workspace --test api --

e2e-arm64: BUILT := target/qemu
e2e-arm64: ## e2e-runtime for arm64, by QEMU (Debian: qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross)
	command -v qemu-aarch64-static
	$(MAKE) build ARCH=arm64
	@# The emulator starts a script that has QEMU run the binary.
	for built in .aws-sam/build/*/bootstrap; do \
	  script=target/qemu/$${built#.aws-sam/build/}; mkdir -p $${script%/*}; \
	  printf '#!/bin/sh\nexec %s -L /usr/aarch64-linux-gnu %s\n' \
	    "$$(command -v qemu-aarch64-static)" "$(CURDIR)/$$built" > $$script; chmod +x $$script || exit 1; \
	done
	$(RUN_BOOTSTRAPS) --skip bootstraps::watch::

# Once for both. The tests are compiled with the features of the whole workspace, as `make test` has compiled them.
.PHONY: e2e-build
e2e-build:
	$(MAKE) build ARCH=$(HOST_ARCH)

clean: ## Removes what was built or installed here; the data of `make run` in .local stays
	cargo clean
	rm -rf .aws-sam $(EXAMPLE)/.aws-sam $(VENV) tests/interop/node_modules
	rm -rf $(addprefix $(CLIENT)/,node_modules dist build test-results react axios server LICENSE-APACHE LICENSE-MIT) $(PEERS)/node/node_modules

target/tools/bin/cargo-mutants: Makefile
	cargo install --locked --quiet --root target/tools --version $(MUTANTS) cargo-mutants
	@touch $@

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The Makefile is where the versions are, so that a change of it installs again.
$(VENV)/template-tools: Makefile | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TEMPLATE_TOOLS)
	@touch $@

$(VENV)/interop-tools: Makefile | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(INTEROP_TOOLS)
	@touch $@

$(VENV)/bench-tools: Makefile | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(BENCH_TOOLS)
	@touch $@

# AWS's runtime client for Node is compiled: cmake, autoconf, automake and libtool.
$(PEERS)/node/node_modules: $(PEERS)/node/package.json $(PEERS)/node/package-lock.json
	cd $(PEERS)/node && npm ci --no-audit --no-fund
	@touch $@

$(VENV)/build-tools: Makefile $(VENV)/template-tools | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(BUILD_TOOLS)
	@touch $@

$(CLIENT)/node_modules: $(CLIENT)/package.json $(CLIENT)/package-lock.json
	cd $(CLIENT) && npm ci --no-audit --no-fund
	@touch $@

$(CLIENT)/build: $(CLIENT)/node_modules $(shell find $(CLIENT)/src $(CLIENT)/demo $(CLIENT)/e2e/page $(CLIENT)/scripts -type f)
	cd $(CLIENT) && npm run build && npm run pages
	@touch $@

$(VENV)/attack-tools: Makefile | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(ATTACK_TOOLS)
	@touch $@

$(VENV)/deny-tool: Makefile
	cargo install --quiet --locked --root $(VENV) $(DENY_TOOL)
	@touch $@

$(VENV)/audit-tool: Makefile
	cargo install --quiet --locked --root $(VENV) $(AUDIT_TOOL)
	@touch $@

$(VENV)/sbom-tool: Makefile
	cargo install --quiet --locked --root $(VENV) $(SBOM_TOOL)
	@touch $@

$(VENV)/fuzz-tool: Makefile
	cargo install --quiet --locked --root $(VENV) $(FUZZ_TOOL)
	@touch $@

$(VENV)/emulator: Makefile | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/ministack
	$(VENV)/ministack/bin/python -m pip install --quiet --disable-pip-version-check '$(EMULATOR)'
	@touch $@
