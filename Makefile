# `make` alone lists what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
VENV := .venv/bin

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- run -------------------------------------------------------------------------------------------------------

.PHONY: setup run worker notary ldap
setup: .venv/.setup ## Make .venv with everything the product needs, trustctl included
	@:

run: .venv/.setup ## Start everything on this machine; Ctrl+C ends it. PORT= TRUST_PORT= REGISTRY_PORT= NO_APT=1
	@$(VENV)/python -m trustui.embedded

ldap: .venv/.ldap ## Add what sign-in by LDAP takes (built from source: a C compiler and OpenLDAP's headers)
	@:

worker: .venv/.setup ## Run one worker alone: make worker Q=signing (or Q=docker), with REDIS_URL and DATABASE_URL set
	@DJANGO_SETTINGS_MODULE=trustui.settings.$(or $(Q),signing)_worker $(VENV)/python manage.py \
		rqworker --serializer=rq.serializers.JSONSerializer $(or $(Q),signing)

notary: .venv/.setup ## Run the built-in trust server alone, with the certificate that `make run` minted
	@$(VENV)/python manage.py trustserver --bind=127.0.0.1:$(or $(TRUST_PORT),4443) --auth=none \
		--tls-cert=$(or $(TRUSTUI_VAR),var)/tls/server.pem --tls-key=$(or $(TRUSTUI_VAR),var)/tls/server-key.pem

.venv/.setup: requirements.txt pyproject.toml scripts/setup
	@scripts/setup requirements.txt
	@touch $@

.venv/.ldap: requirements-ldap.txt .venv/.setup
	@scripts/apt-install gcc python3-dev libldap2-dev libsasl2-dev
	@scripts/setup requirements-ldap.txt
	@touch $@

# --- change ----------------------------------------------------------------------------------------------------

.PHONY: migrations lock messages
migrations: .venv/.setup ## Write the database migrations that the models ask for
	@DJANGO_SETTINGS_MODULE=trustui.settings.web $(VENV)/python manage.py makemigrations signing
	@DJANGO_SETTINGS_MODULE=trustui.settings.notary $(VENV)/python manage.py makemigrations trust_server

messages: .venv/.setup ## Collect what people read into locale/ and compile its translations
	@scripts/apt-install gettext
	@scripts/messages

UV_COMPILE := $(VENV)/uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11
lock: ## Pin requirements.in and requirements-dev.in with hashes (needs uv, which `make test` installs)
	@$(UV_COMPILE) --quiet requirements.in -o requirements.txt
	@$(UV_COMPILE) --quiet requirements-hsm.in -o requirements-hsm.txt
	@$(UV_COMPILE) --quiet requirements-ldap.in -o requirements-ldap.txt
	@$(UV_COMPILE) --quiet requirements-dev.in -o requirements-dev.txt

# --- test ------------------------------------------------------------------------------------------------------
# T= narrows: make test T=tests/unit/services, make interop T="-k verify". N= sets how many tests run at a time.
# TRUSTUI_TEST_DOCKER=/usr/bin/docker judges with that docker command instead of the first one on PATH;
# TRUSTUI_TEST_NEW_DOCKER=FILE walks the plugin's journeys with a docker 29 too.

TEST_PACKAGES := docker.io docker-registry notary chromium redis-server postgresql softhsm2 slapd zsh fish curl gettext
PYTEST = $(VENV)/python -m pytest --numprocesses=$(or $(N),2) --dist=loadfile

# Options alone narrow what is given; a path replaces it.
tests_of = $(if $(filter tests/%,$(T)),$(T),$(1) $(T))

.PHONY: test unit interop browser fuzz soak bench faults pictures check lint fix
test: .venv/.dev ## Install what tests need (Debian), check the code, run every test, stop everything
	@scripts/apt-install $(TEST_PACKAGES)
	-@$(MAKE) --no-print-directory ldap # without it the tests of LDAP are skipped, and say so
	@$(MAKE) --no-print-directory check
	$(PYTEST) $(call tests_of,tests)

unit: .venv/.dev ## Run the unit tests: no programs, no network
	$(PYTEST) $(call tests_of,tests/unit)

interop: .venv/.dev ## Run the tests against the real docker, notary and registry
	$(PYTEST) $(call tests_of,tests/interop)

browser: .venv/.dev ## Run people's journeys in Chromium
	$(PYTEST) $(call tests_of,tests/browser)

fuzz: .venv/.dev ## Read N= damaged documents (100000) in one process; SEED= does a run again
	@$(VENV)/python -m tests.fuzz $(or $(N),100000) $(if $(SEED),--seed $(SEED))

soak: .venv/.dev ## Kill parts of the running product while it publishes: N= rounds (200); SEED= does a run again
	@$(VENV)/python -m tests.soak

bench: .venv/.dev ## Measure beside docker trust; prints a table and writes var/bench.json
	@scripts/apt-install docker.io docker-registry notary postgresql wrk
	@$(VENV)/python -m tests.bench

faults: .venv/.dev ## Break each part in each way, look that pages name it and that it heals; `make test` takes a sample
	@scripts/apt-install redis-server postgresql
	FAULT_GRID=all $(VENV)/python -m pytest tests/interop/test_faults.py

pictures: .venv/.dev ## Do README's walk-through in Chromium and take its pictures anew
	@scripts/apt-install docker.io docker-registry chromium
	@$(VENV)/python -m tests.browser.pictures

check: lint ## Check everything that needs no test: style, types, imports between the sides, migrations
	@$(VENV)/python manage.py makemigrations --check --dry-run --settings=trustui.settings.test

lint: .venv/.dev ## Check style, types and that the two sides do not import each other
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/djlint --lint --quiet templates
	$(VENV)/lint-imports
	$(VENV)/mypy

fix: .venv/.dev ## Mend what ruff can mend
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

.venv/.dev: requirements-dev.txt .venv/.setup
	@scripts/setup requirements-dev.txt
	@touch $@
