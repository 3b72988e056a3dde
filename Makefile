# What can be done here? `make help`. Every target works with nobody at the keyboard.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt visits korea bench bench-peers jars hs stops chaos hostile fuzz gate-latency rights-cost recovery single-faults openapi asyncapi examples env pictures clean
PY := .venv/bin/python
# The suite starts some hundred processes: each module is compiled once, also where Python was told to write no bytecode.
BYTECODE := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$$PWD/.run/bytecode"
export PYTHON

help: ## List every target.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-11s %s\n' "$$name" "$$what"; done

setup: ## Make .venv from the lock file and fetch the Kafka broker (Python 3.11 must be there).
	@deploy/setup.sh

run: setup ## Start broker, desks, console and a simulated border; Ctrl-C stops everything, the data stays.
	@exec .venv/bin/dtg up --demo

test: setup ## Run every test, three files at a time and the season of faults alone, on a real broker, database and browser (fetches missing Debian packages).
	@deploy/debian.sh
	@mkdir -p .run
	$(BYTECODE) $(PY) -m pytest -n 3 --dist loadfile --junitxml=.run/tests.xml $(or $(ARGS),-m "not alone and not long")
	$(if $(ARGS),,$(BYTECODE) $(PY) -m pytest --junitxml=.run/alone.xml -m alone)

check: setup ## Check format, lint, types, import contracts and alert rules.
	@deploy/debian.sh
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	promtool check rules deploy/prometheus/rules.yml
	promtool test rules deploy/prometheus/rules_test.yml
	amtool check-config deploy/prometheus/alertmanager.yml

fmt: setup ## Format the code, and mend what the linter can mend.
	.venv/bin/ruff check --fix --exit-zero .
	.venv/bin/ruff format .

bench: setup ## Measure this machine end to end in 8 minutes and write docs/performance.md (`dtg bench`: in one; ARGS="--parts idle": partitions).
	@$(PY) -m tests.bench.sweep $(ARGS)

bench-peers: setup ## Measure Faust, Quix Streams, aiokafka and Kafka Streams on the same flow, paired in rounds, into docs/performance.md.
	@$(PY) -m tests.bench.peers.run $(ARGS)

jars: ## Write the list of the broker's files from deploy/kafka/pom.xml (needs Maven).
	mvn -q -B -f deploy/kafka/pom.xml dependency:copy-dependencies -Dmdep.useRepositoryLayout=true -DoutputDirectory="$$PWD/.run/repository"
	$${PYTHON:-python3} -m deploy.kafka.jars .run/repository

hs: setup ## Write the table of HS codes from its public source (ARGS=FILE: from a copy that is here).
	$(PY) -m deploy.codes.hs $(ARGS)

visits: setup ## Play 20,000 lives of a container, told late, twice, wrongly or not at all: nothing leaves by mistake (15 minutes); EXAMPLES=n.
	DTG_VISITS_EXAMPLES=$${EXAMPLES:-20000} $(PY) -m pytest -q --timeout 3600 tests/gate/test_visits_property.py
	DTG_VISITS_EXAMPLES=$$(($${EXAMPLES:-20000} / 4)) $(PY) -m pytest -q --timeout 3600 tests/gate/test_visits_chaos.py tests/gate/test_arrivals_in_any_order.py

korea: setup ## Let 8,134 real declarations (DTG_DATA names the folder with them) come to their ends on a border (4 minutes). Writes docs/evidence.
	@test -n "$$DTG_DATA" || { echo "DTG_DATA must name the folder with customs-declarations/declarations_2021q1.csv. 请设置 DTG_DATA" >&2; exit 2; }
	$(PY) -m pytest -q -m long tests/journeys/test_korea_to_the_end.py

hostile: setup ## Put a million bad messages and requests to desks and console; ARGS="--count 100000 --seed x". Writes docs/evidence.
	$(PY) -m tests.hostile.main $(ARGS)

fuzz: setup ## Let schemathesis try the HTTP API with the key of each role while the largest bodies come without pause (12 minutes); ARGS="--seconds 600 --seed 3".
	@$(PY) -m tests.hostile.fuzz $(ARGS)

gate-latency: setup ## Measure gate questions beside the worst bodies and beside lodging over HTTP (3 minutes); ARGS="--seconds 0 --rates 385".
	@$(PY) -m tests.bench.door $(ARGS)

rights-cost: setup ## Measure what rights cost the console and the broker, by turns with and without them (15 minutes); ARGS="--rounds 3 --broker-rounds 2".
	@$(PY) -m tests.bench.rights_cost $(ARGS)

recovery: setup ## Kill workers with up to a million live goods, and measure how long until work flows again and at what memory (10 minutes).
	$(PY) -m tests.bench.recovery $(ARGS)

stops: setup ## Stop the supervisor 200 times and `dtg up` 200 times at random moments; each must end with its code and leave nothing (1 h).
	@$(PY) -m tests.cli.stops $(ARGS)

chaos: setup ## Kill, freeze, cut, fill and poison a running border for ten minutes, and prove that nothing was lost or doubled.
	@$(PY) -m tests.chaos $(ARGS)

single-faults: setup ## Kill one worker, the broker, everything, on a calm machine, and tell how long work stood; ARGS="--rounds 3 --live 100000".
	@$(PY) -m tests.chaos.single $(ARGS)

openapi: setup ## Write openapi.json from the HTTP API.
	$(PY) -m services.console.openapi

asyncapi: setup ## Write asyncapi.json from the catalogue of topics.
	$(PY) -m schemas.asyncapi

examples: setup ## Write the golden copy of each kind of message that has none; existing ones are never touched.
	$(PY) -m tests.architecture.golden

env: setup ## Write .env.example from the settings classes.
	$(PY) -m services.shell.env_example

pictures: setup ## Play a simulated day on a real border and take the README's pictures of the console.
	@deploy/debian.sh
	$(PY) -m tests.browser.pictures

clean: ## Remove everything made here: environment, broker, data, caches.
	rm -rf .venv .tools .run .datongguan .datongguan-demo deploy/kafka/jars deploy/kafka/target .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
