# GNU make 3.81 (macOS) or later. `run` and `test` need the Rust toolchain alone, `check` its components too; the other
# targets install what they use into .venv, in fixed versions, and need Python 3.10 or later for that.

PYTHON ?= python3
VENV := .venv
# What reads the template, and what compiles for Lambda: cargo-lambda, with zig as a linker for every target.
TEMPLATE_TOOLS := aws-sam-cli==1.170.0 aws-sam-translator==1.115.0 cfn-lint==1.58.0
BUILD_TOOLS := cargo-lambda==1.9.2 ziglang==0.15.2
# An AWS emulator that runs `provided.al2023` binaries without Docker. In an environment of its own: it and the SAM CLI want
# different versions of boto3.
EMULATOR := ministack[full]==1.5.33
FUNCTIONS := authorizer login logout me refresh sessions signup well-known
# What runs on this machine, in the template's words.
HOST_ARCH := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
# cargo-lambda and zig first.
WITH_TOOLS = PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

export SAM_CLI_TELEMETRY = 0

.DEFAULT_GOAL := help
.PHONY: help run test soak bench check validate build deploy e2e-stack e2e-runtime e2e clean

help: ## Lists the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

validate: $(VENV)/template-tools ## Checks template.yaml, as written and as CloudFormation gets it
	@# Any region will do: nothing is called.
	AWS_DEFAULT_REGION=eu-central-1 $(VENV)/bin/sam validate --lint
	$(VENV)/bin/python tools/transform.py > $(VENV)/transformed.json
	$(VENV)/bin/cfn-lint $(VENV)/transformed.json
	$(VENV)/bin/python tools/check_transformed.py < $(VENV)/transformed.json

build: $(VENV)/build-tools ## Compiles the functions for Lambda (ARCH=x86_64 if the stack's Architecture is that)
	@# `sam build` takes one function after the other, and linking one keeps a single core busy for a minute. So all of them
	@# are compiled at once before, with the flags that it uses; then it finds nothing to compile, and packs.
	$(WITH_TOOLS) cargo lambda build --release --locked $(if $(filter x86_64,$(ARCH)),,--arm64) $(FUNCTIONS:%=-p %)
	$(WITH_TOOLS) $(VENV)/bin/sam build $(if $(ARCH),--parameter-overrides Architecture=$(ARCH))
	$(VENV)/bin/python tools/check_binaries.py .aws-sam/build

deploy: build ## Deploys to the AWS account of the environment, asking what it has to know
	$(VENV)/bin/sam deploy --guided

e2e: e2e-runtime e2e-stack ## Builds for this machine and runs what is built, by both of the next two (Linux)

e2e-runtime: e2e-build ## Runs the built functions behind AWS's Runtime Interface Emulator (Linux)
	$(WITH_TOOLS) LATCHKEY_BUILD="$(CURDIR)/.aws-sam/build" \
	  LATCHKEY_RIE="$$(ls $(CURDIR)/$(VENV)/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-$(HOST_ARCH))" \
	  cargo test --locked -p local --test api -- --ignored bootstraps::

e2e-stack: e2e-build $(VENV)/emulator ## Deploys them into an AWS emulator and runs the scenarios of the tests there (Linux)
	$(VENV)/bin/python tools/e2e_stack.py $(VENV)/ministack/bin/ministack $(VENV)/bin/sam $(HOST_ARCH) -- \
	  cargo test --locked -p local --test api -- scenarios::

# Once for both.
.PHONY: e2e-build
e2e-build:
	$(MAKE) build ARCH=$(HOST_ARCH)

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

$(VENV)/emulator: Makefile | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/ministack
	$(VENV)/ministack/bin/python -m pip install --quiet --disable-pip-version-check '$(EMULATOR)'
	@touch $@
