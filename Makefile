# GNU make 3.81 (macOS) or later. `run` and `test` need the Rust toolchain alone, `check` its components too; `client` and
# `demo` need Node.js 20 or later as well. The other targets install what they use into .venv, in fixed versions, and need
# Python 3.10 or later for that.

PYTHON ?= python3
VENV := .venv
CLIENT := clients/web
# What reads the template, and what compiles for Lambda: cargo-lambda, with zig as a linker for every target.
TEMPLATE_TOOLS := aws-sam-cli==1.170.0 aws-sam-translator==1.115.0 cfn-lint==1.58.0
BUILD_TOOLS := cargo-lambda==1.9.2 ziglang==0.15.2

export SAM_CLI_TELEMETRY = 0

.DEFAULT_GOAL := help
.PHONY: help run demo client test soak bench check validate build deploy clean

help: ## Lists the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Starts the whole API on http://127.0.0.1:3000 (ARGS="--port 3001 --memory")
	cargo run --locked -p local -- $(ARGS)

demo: $(CLIENT)/build ## Starts the same with a page to try it on, and tokens of half a minute
	ACCESS_TOKEN_EXPIRY=$${ACCESS_TOKEN_EXPIRY:-30s} REFRESH_GRACE=$${REFRESH_GRACE:-3s} \
	  cargo run --locked -p local -- --memory --demo $(CLIENT)/build/demo $(ARGS)

client: $(CLIENT)/build ## Checks and tests the client for browsers, in a browser too
	cd $(CLIENT) && npm run check && npm test && npm run size
	cargo build --locked -p local
	cd $(CLIENT) && CHROMIUM=$$(scripts/chromium.sh) npm run e2e

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
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/sam build $(if $(ARCH),--parameter-overrides Architecture=$(ARCH))

deploy: build ## Deploys to the AWS account of the environment, asking what it has to know
	$(VENV)/bin/sam deploy --guided

clean: ## Removes what was built or installed here; the data of `make run` in .local stays
	cargo clean
	rm -rf .aws-sam $(VENV) $(addprefix $(CLIENT)/,node_modules dist build test-results)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The Makefile is where the versions are, so that a change of it installs again.
$(VENV)/template-tools: Makefile | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TEMPLATE_TOOLS)
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
