"""Which commands of the documents does the test of the documents not run, and why? Which values must be filled in
before the others can run?"""

LONG = "takes minutes; the suite plays a short form"
KAFKAS = "Kafka's own tool; without arguments it says how it is called and ends with 1"
OF_ANOTHER_DAY = (
    "of a day that the slow clock of this border does not reach; tried by tests/console/test_container_requests.py"
)
WRITES = "writes files of the checkout; other tests compare them"

SHORT_TARGETS = ("make setup", "make help")
"""The only targets of the Makefile that the test runs. Another target may take an hour."""

LISTED = {
    "dtg up --demo --others": "a second one has no port; whose goods people act on is tried by tests/simulator/test_owned.py",
    "make run": "the program behind it runs here as `dtg up --demo --speed 1`",
    "make test": "this suite",
    'make test ARGS="tests/risk -k wood -n 0"': "a part of this suite",
    "make check": "calls the linters; CI does",
    ".ci/run": "this suite and the linters",
    "make fmt": WRITES,
    "make env": WRITES,
    "make examples": WRITES,
    "make asyncapi": WRITES,
    "make openapi": WRITES,
    "make jars": "needs Maven",
    "make hs": WRITES,
    "make bench": LONG,
    'make bench ARGS="--parts idle"': LONG,
    "make bench-peers": LONG,
    "make chaos": LONG,
    'make chaos ARGS="--seed 22"': LONG,
    "make single-faults": LONG,
    'make single-faults ARGS="--live 100000 --write"': LONG,
    'make single-faults ARGS="--only broker"': LONG,
    "make hostile": LONG,
    "make korea": LONG,
    "make visits": LONG,
    'make hostile ARGS="--count 1000000 --seed 2026-11-30"': LONG,
    "make fuzz": LONG,
    "make gate-latency": LONG,
    "make rights-cost": LONG,
    "make gate-latency ARGS=--write": LONG,
    "make rights-cost ARGS=--write": LONG,
    "make recovery": LONG,
    "make recovery ARGS=--write": LONG,
    "make stops": LONG,
    "dtg bench": LONG,
    "dtg port tell CSQU3054383 GTOT --place G3 --laden --at 2026-11-26T17:42:00+08:00": OF_ANOTHER_DAY,
    'dtg port retract CSQU3054383 <report-id> --reason "another box"': OF_ANOTHER_DAY,
    "dtg up": "started by tests/cli/test_places.py, and by tests/cli/test_stop.py at random moments",
    "DTG_KAFKA_SECURITY=PLAINTEXT dtg up": "a second one has no port; what it prints is tried by tests/rights/test_earlier.py",
    "dtg simulate": "refused on the slow clock of this border; the suite plays whole days on a fast one",
    "dtg projector": "`dtg up`, which runs here, starts it; a second one has no port",
    "sudo apt-get install python3-venv": "changes the machine",
    "kill -9": "the name of a signal",
    "kafka-transactions.sh --bootstrap-server HOST:PORT find-hanging --broker-id ID": "Kafka's own tool; not fetched",
    "kafka-consumer-groups.sh --bootstrap-server HOST:PORT --group customs-<desk> --reset-offsets --to-datetime MOMENT"
    " --topic TOPIC --topic TOPIC --execute": "Kafka's own tool; not fetched",
    "mvn -q -B dependency:copy -Dartifact=org.apache.kafka:kafka-tools:4.3.1 -DoutputDirectory=.run/kafka-tools": "needs Maven",
    'java -cp "deploy/kafka/jars/*:.run/kafka-tools/*" org.apache.kafka.tools.consumer.group.ConsumerGroupCommand': KAFKAS,
    'java -cp "deploy/kafka/jars/*:.run/kafka-tools/*" org.apache.kafka.tools.TransactionsCommand': KAFKAS,
    'java -cp "deploy/kafka/jars/*" kafka.admin.ConfigCommand': KAFKAS,
}
"""Command → the reason why the test does not run it. A command that no document names any more must be removed from
this table."""

WHOLE = {
    "dtg declare": "dtg declare docs/declaration.json",
    "dtg trace": "dtg trace <consignment>",
    "dtg account add": "dtg account add reader --role auditor",
    "dtg account authorise": "dtg account authorise 91370200163562681G 91310115MA1H7L0T3Q",
    "dtg key rotate": "dtg key rotate demo-auditor",
    "dtg key revoke": "dtg key revoke demo-agent",
    "dtg parked": "dtg parked list",
    "dtg parked show": "dtg parked show <message>",
    "dtg parked replay": "dtg parked replay <message> --actor <you> --value corrected.json",
    "dtg parked discard": "dtg parked discard <message> --actor <you>",
    "POST /api/v1/containers/{no}/events": """POST /api/v1/containers/{no}/events -H 'Content-Type: application/json' -d '{"event":"GTIN","place":"Qianwan","occurred_at":"2026-11-25T16:00:00+08:00"}'""",
    "POST /api/v1/containers/{no}/gate-outs": """POST /api/v1/containers/{no}/gate-outs -H 'Content-Type: application/json' -d '{"gate":"G1"}'""",
}
"""Commands that a sentence names without arguments → the commands that are run instead."""

ENDLESS = {"dtg port follow": "released", "GET /api/v1/releases/stream": "ReleaseGranted"}
"""Commands that do not end by themselves → the output after which the test stops them."""
