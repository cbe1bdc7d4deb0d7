# GNU make 3.81 (macOS) or later. `run` and `test` need the Rust toolchain alone, `check` its components too; the other
# targets install what they use into .venv, in fixed versions, and need Python 3.10 or later for that.

PYTHON ?= python3
VENV := .venv
# What reads the template, and what compiles for Lambda: cargo-lambda, with zig as a linker for every target.
TEMPLATE_TOOLS := aws-sam-cli==1.170.0 aws-sam-translator==1.115.0 cfn-lint==1.58.0
BUILD_TOOLS := cargo-lambda==1.9.2 ziglang==0.15.2
# What attacks the running service, and what looks at dependencies and for crashes.
ATTACK_TOOLS := schemathesis==4.32.5
AUDIT_TOOLS := cargo-deny@0.20.2 cargo-audit@0.22.2
SBOM_TOOL := cargo-cyclonedx@0.5.9
FUZZ_TOOL := cargo-fuzz@0.13.2

FUZZ_TARGETS := authorizer claims configuration http identity item refresh token
FUZZ_SECONDS ?= 20

export SAM_CLI_TELEMETRY = 0

.DEFAULT_GOAL := help
.PHONY: help run test soak bench check attack fuzz audit sbom validate build deploy clean

help: ## Lists the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Starts the whole API on http://127.0.0.1:3000 (ARGS="--port 3001 --memory")
	cargo run --locked -p local -- $(ARGS)

test: ## Runs every test
	cargo test --workspace --locked

soak: ## Runs honest clients and thieves on a faulty line for two minutes (SOAK_SECONDS=600)
	cargo test --locked -p local --test api -- --ignored --exact --nocapture \
	  soak::a_long_time_of_bad_weather_breaks_no_promise

bench: ## Times tokens and passwords, in a release build
	cargo bench --locked -p auth-core --bench tokens

check: ## Checks formatting, lints and documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

attack: $(VENV)/attack-tools ## Attacks the running service by its OpenAPI document (ATTACK="--max-time 600")
	cargo build --locked -p local
	$(VENV)/bin/python tools/attack/run.py target/debug/local $(ATTACK)

fuzz: $(VENV)/fuzz-tool ## Runs every fuzz target (FUZZ_SECONDS=600, FUZZ_TARGETS=token); needs a nightly toolchain
	@# Audit lines go to standard output, what libFuzzer says to standard error. The events are seeds as they are.
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo +nightly fuzz build --fuzz-dir fuzz
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p fuzz/corpus/$$target fuzz/seeds/$$target; \
	  PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo +nightly fuzz run --fuzz-dir fuzz $$target \
	    fuzz/corpus/$$target fuzz/seeds/$$target events -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
	    -max_len=32768 -print_final_stats=1 > /dev/null || exit 1; \
	done

audit: $(VENV)/audit-tools ## Checks dependencies: advisories, licences, sources (the advisory database is on GitHub)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo deny --locked --all-features check
	$(VENV)/bin/cargo-audit audit

sbom: $(VENV)/sbom-tool ## Writes a CycloneDX document for each function to target/sbom
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo cyclonedx --format json --describe binaries
	mkdir -p target/sbom
	find crates -name '*.cdx.json' -exec mv {} target/sbom/ \;

validate: $(VENV)/template-tools ## Checks template.yaml, as written and as CloudFormation gets it
	@# Any region will do: nothing is called.
	AWS_DEFAULT_REGION=eu-central-1 $(VENV)/bin/sam validate --lint
	$(VENV)/bin/python tools/transform.py > $(VENV)/transformed.json
	$(VENV)/bin/cfn-lint $(VENV)/transformed.json
	$(VENV)/bin/python tools/check_transformed.py < $(VENV)/transformed.json

build: $(VENV)/build-tools ## Compiles the functions for Lambda (ARCH=x86_64 if the stack's Architecture is that)
	@# SAM passes no --locked on: a lock file that does not fit stops here.
	cargo metadata --locked --format-version 1 > /dev/null
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/sam build $(if $(ARCH),--parameter-overrides Architecture=$(ARCH))

deploy: build ## Deploys to the AWS account of the environment, asking what it has to know
	$(VENV)/bin/sam deploy --guided

clean: ## Removes what was built or installed here; the data of `make run` in .local stays
	cargo clean
	rm -rf .aws-sam $(VENV)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The Makefile is where the versions are, so that a change of it installs again.
$(VENV)/template-tools: Makefile | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TEMPLATE_TOOLS)
	@touch $@

$(VENV)/build-tools: Makefile $(VENV)/template-tools | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(BUILD_TOOLS)
	@touch $@

$(VENV)/attack-tools: Makefile | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(ATTACK_TOOLS)
	@touch $@

$(VENV)/audit-tools: Makefile
	cargo install --quiet --locked --root $(VENV) $(AUDIT_TOOLS)
	@touch $@

$(VENV)/sbom-tool: Makefile
	cargo install --quiet --locked --root $(VENV) $(SBOM_TOOL)
	@touch $@

$(VENV)/fuzz-tool: Makefile
	cargo install --quiet --locked --root $(VENV) $(FUZZ_TOOL)
	@touch $@
