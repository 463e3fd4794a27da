# make run [ONCE=1]   the main job on simulated modems and a simulated provider
# make test           every check: format, lint, types, import layers, tests
# make udev           udev/70-smsd.rules, from the catalogue of modems
# make bench          figures beside the peers (not a test)
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: run test check bench udev lock clean

run: $(STAMP)
	@$(BIN)/python hw-sim/demo.py $(if $(ONCE),--once)

test: check
	$(BIN)/pytest -q

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --strict hw-sim/hwsim hw-sim/tests hw-sim/demo.py
	$(BIN)/lint-imports

udev: $(STAMP)
	$(BIN)/python -m smsd.adapters.modem.catalogue --udev > udev/70-smsd.rules

bench: $(STAMP)
	$(BIN)/python bench/gateway.py
	$(BIN)/python bench/backlog.py
	$(BIN)/python bench/campaign.py --million
	$(BIN)/python bench/keeping.py
	$(BIN)/python bench/peers.py
	$(BIN)/python bench/codec.py

# Everything below is set-up: a venv with the pinned dependencies and both packages in place.
$(STAMP): requirements.lock pyproject.toml hw-sim/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e hw-sim
	@touch $@

lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet pip-tools
	.venv-lock/bin/pip-compile --quiet --upgrade --strip-extras --no-annotate --allow-unsafe --no-emit-index-url \
		--no-emit-trusted-host --no-header --no-emit-find-links --extra dev --output-file requirements.lock pyproject.toml
	rm -rf .venv-lock

clean:
	rm -rf .venv run build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
