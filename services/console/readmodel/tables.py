"""Which rows does the console read? There are two kinds of tables.

`dtg rebuild` makes most of them again from the topics (`PROJECTED`). It leaves the others (`KEPT`) as they are, because
their content is not on the topics: accounts, keys, granted rights, records of who read masked fields, requests over
HTTP, and the order and epochs of the feed.

Times are microseconds since 1970 UTC (`*_us`). Empty text means "none" or "not known yet". A `place` that is a number is the
packed position of one Kafka message; a `place` that is a text (of containers and reports) is a place at the port.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, SmallInteger, Table, Text, text

from schemas.hold_ids import of_watch
from schemas.vocabulary import Stage

METADATA = MetaData()
BIG = BigInteger().with_variant(Integer, "sqlite")
OPEN_STAGES = (
    Stage.LODGED,
    Stage.ACCEPTED,
    Stage.UNDER_CONTROL,
    Stage.UNDER_TREATMENT,
    Stage.AWAITING_ARRIVAL,
    Stage.HELD,
    Stage.PARTLY_RELEASED,
    Stage.RELEASED,
    Stage.REVOKED,
    Stage.LEFT_UNRELEASED,
    Stage.PARKED,
)
"""The stages at which somebody still has to act, in the order of the flow of goods."""
_OPEN = text("ended_us IS NULL")
_ENDED = text("ended_us IS NOT NULL")
_BLOCKED = text("blocking <> ''")
OF_WATCHES = text(f"hold_id LIKE '{of_watch('%')}'")
"""The SQL condition that a hold was placed by a watch on a bill or a declarant."""


def _text(name: str) -> "Column[str]":
    return Column(name, Text, nullable=False, server_default="")


def _moment(name: str) -> "Column[int]":
    return Column(name, BIG, nullable=True)


def _flag(name: str) -> "Column[bool]":
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def _count(name: str) -> "Column[int]":
    return Column(name, BIG, nullable=False, server_default="0")


CONSIGNMENTS = Table(
    "consignments",
    METADATA,
    Column("consignment_id", Text, primary_key=True),
    *(_text(n) for n in ("declaration_no", "declarant", "consignee", "reference", "bill_no")),
    *(_text(n) for n in ("customs_office", "transport_mode", "trade_mode", "direction")),
    _text("containers"),
    _text("declared"),
    _text("lodge_request"),
    *(_text(n) for n in ("lane", "controls", "credit_grade", "rule_set")),
    _text("word"),
    *(_text(n) for n in ("departed", "released_boxes", "arrived_boxes", "unreleased", "earlier", "later")),
    *(_moment(n) for n in ("lodged_us", "accepted_us", "rejected_us", "assessed_us", "arrived_us")),
    *(_moment(n) for n in ("held_us", "released_us", "gated_out_us", "closed_us", "unreleased_us")),
    Column("released_pieces", BIG, nullable=True),
    *(_count(n) for n in ("seq_declaration", "seq_risk", "seq_release", "seq_gate", "parked")),
    _moment("parked_us"),
    _text("stage"),
    *(_text(n) for n in ("waiting_for", "waiting_owner")),
    _moment("waiting_since_us"),
    _moment("ended_us"),
    Index(
        "consignments_waiting",
        "stage",
        "waiting_since_us",
        "consignment_id",
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    *(
        Index(
            f"consignments_{name}",
            column,
            "waiting_since_us",
            "consignment_id",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        )
        for name, column in (("awaited", "waiting_for"), ("whose", "waiting_owner"))
    ),
    Index("consignments_ended", "stage", "ended_us", "consignment_id", sqlite_where=_ENDED, postgresql_where=_ENDED),
    Index("consignments_declaration_no", "declaration_no", "lodged_us", "consignment_id"),
    Index("consignments_declarant", "declarant", "lodged_us", "consignment_id"),
    Index("consignments_consignee", "consignee", "lodged_us", "consignment_id"),
    Index("consignments_reference", "reference", "lodged_us", "consignment_id"),
    Index("consignments_bill_no", "bill_no", "lodged_us", "consignment_id"),
    Index("consignments_lodged", "lodged_us", "consignment_id"),
)
"""One row per consignment. `containers`, `departed` and `controls` are lists separated by blanks; so are
`released_boxes` (of the latest release), `arrived_boxes` (`*`: all of them) and `unreleased` (those that left without
release). `earlier`: the consignment of the same declarant and reference that was withdrawn before this one was lodged;
`later`: the one that was lodged after this one was withdrawn.

`declared`: the latest answer of the declaration desk (accepted, rejected, refused), or discarded if the request to
lodge was discarded; `word`: the latest statement of the release desk (held, released, revoked, refused, withdrawn); if
holds follow a revocation, `word` stays revoked. `closed_us`: when the goods were refused or the declaration was
withdrawn.
"""

HOLDS = Table(
    "holds",
    METADATA,
    Column("consignment_id", Text, primary_key=True),
    Column("hold_id", Text, primary_key=True),
    *(_text(n) for n in ("owner", "reason", "lifted_by")),
    _moment("since_us"),
    Index("holds_awaited", "hold_id", "since_us", "consignment_id"),
    Index("holds_whose", "owner", "since_us", "consignment_id"),
    Index("holds_of_watches", "hold_id", "consignment_id", sqlite_where=OF_WATCHES, postgresql_where=OF_WATCHES),
)
"""The open holds on consignments."""

CONTAINERS = Table(
    "containers",
    METADATA,
    Column("container_no", Text, primary_key=True),
    _text("word"),
    _text("reason"),
    _text("gate"),
    _text("waiting_for"),
    _moment("since_us"),
    _count("seq"),
    _count("parked"),
    *(_text(n) for n in ("visit", "place")),
    _moment("visit_us"),
    _text("visit_end"),
    _moment("visit_end_us"),
    *(_text(n) for n in ("said_visit", "departure", "blocking", "alarm", "alarm_reason")),
    _moment("blocked_us"),
    Column("lots", BIG, nullable=True),
    *(_text(n) for n in ("conveyance", "awaits")),
    Index("containers_blocked", "blocked_us", "container_no", sqlite_where=_BLOCKED, postgresql_where=_BLOCKED),
)
"""One row per container. `word`: the latest statement of the gate desk: may_leave, must_stay, gated_out, opened,
closed, or the name of the alarm that was raised because the container left. `visit` to `visit_end_us`: the latest visit
of the container. `said_visit`: the visit of the latest may_leave or must_stay. `departure`: the id of the report which
says that the container has left. `blocking`: the alarms that wait for an officer's finding, one line each
(`container.WaitingAlarm`): the id of the report that raised the alarm (if there is none, the visit), the name of the
alarm, its event time in microseconds since 1970 UTC, its reason, and the visit, with tabs between them. A line of an
older software version has only the id, a tab, and the visit. `alarm` and `alarm_reason`: the name and the reason of the
latest of these alarms. `lots`: how many lots an officer counted in the latest visit. `awaits`: with
must_stay, what the container waits for since `since_us` (a value of `StayCode`); empty if an older software version
published the statement."""

CONSIGNMENT_CONTAINERS = Table(
    "consignment_containers",
    METADATA,
    Column("container_no", Text, primary_key=True),
    Column("consignment_id", Text, primary_key=True),
    _text("seal_no"),
    _text("word"),
    _text("reason"),
    _count("version"),
    _count("shared_by"),
    _flag("declared"),
    _flag("gone"),
    *(_text(n) for n in ("bill_no", "direction")),
    _moment("arrived_us"),
    _flag("refused"),
    _text("ended"),
    *(_flag(n) for n in ("struck", "permitted")),
    _text("conveyance"),
    _count("permitted_version"),
    Index("consignment_containers_consignment", "consignment_id"),
)
"""Which consignment is in which container. `word`: the release desk's latest statement to the gate: held, released or
withdrawn. `gone`: the goods left in this container. `ended`: the latest visit with these goods whose end the gate desk
published by `VisitClosed`, and not by `ContainerGatedOut`. `struck`: an officer took the consignment off the container;
`permitted`: an officer lets the consignment out through the land gate without an import release. `permitted_version`:
the version of the release desk's statement that this officer had seen (0: an older software version did not record
it)."""

CONTAINER_REPORTS = Table(
    "container_reports",
    METADATA,
    Column("container_no", Text, primary_key=True),
    Column("report_id", Text, primary_key=True),
    *(
        _text(n)
        for n in ("event", "classifier", "place", "laden", "conveyance", "bill", "to_place", "replaces", "retells")
    ),
    *(_text(n) for n in ("visit", "reported_by")),
    *(_moment(n) for n in ("occurred_us", "recorded_us")),
    _text("standing"),
    _moment("disbelieved_us"),
    Index("container_reports_recorded", "container_no", "recorded_us", "report_id"),
)
"""Equipment events that terminals and carriers reported, as the gate desk recorded them. `laden`: laden, empty, or blank if not
reported; `standing`: blank, retracted or replaced; `disbelieved_us`: the time that the sender gave, if the desk did not believe it."""

CONTAINER_HOLDS = Table(
    "container_holds",
    METADATA,
    Column("container_no", Text, primary_key=True),
    Column("hold_id", Text, primary_key=True),
    *(_text(n) for n in ("reason", "placed_by")),
    _moment("since_us"),
    _flag("lifted"),
)
"""Officers' holds on containers."""

FACTS = Table(
    "facts",
    METADATA,
    Column("place", BIG, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("sequence", BIG, nullable=False),
    Column("recorded_us", BIG, nullable=False),
    Column("body", Text, nullable=False),
    Index("facts_key", "key"),
)
"""The timelines: every fact and request as it was on its topic. `body` is empty for a request to lodge a
declaration, because the desk's answer repeats the declaration."""

RELEASES = Table(
    "releases",
    METADATA,
    Column("cursor", BIG, primary_key=True, autoincrement=False),
    Column("place", BIG, nullable=False, unique=True),
    Column("consignment_id", Text, nullable=False),
    _text("fact_id"),
)
"""The feed for ports: releases and revocations in the order in which ports read them. A rebuild keeps it, so that
cursors stay valid.

`cursor`: the number in a cursor; it only grows, and some numbers may be missing. `fact_id`: empty if the fact could not
be stored; ports then read `Unreadable`. If the fact is stored later, its entry moves to the end of the feed, so that
ports that have read `Unreadable` read the fact, too.
"""

FEED_EPOCHS = Table(
    "feed_epochs",
    METADATA,
    Column("epoch", Text, primary_key=True),
    Column("first_number", BIG, nullable=False, unique=True),
)
"""The epochs of the feed, each with its first number. A projector begins one with the first entry that it adds after its start or after an
error. An epoch ends where the next one begins. A rebuild keeps the rows."""

REFUSALS = Table(
    "refusals",
    METADATA,
    Column("place", BIG, primary_key=True, autoincrement=False),
    *(_text(n) for n in ("desk", "subject", "request_id", "request_kind", "code", "reason")),
    _moment("refused_us"),
    Index("refusals_subject", "subject"),
)
"""The requests that desks refused (`RequestRefused`). Goods that were refused have no row here;
their row in `CONSIGNMENTS` has the `word` refused."""

ALARMS = Table(
    "alarms",
    METADATA,
    Column("place", BIG, primary_key=True, autoincrement=False),
    *(_text(n) for n in ("kind", "subject", "reason")),
    _moment("raised_us"),
    _text("alarm"),
    Index("alarms_raised", "raised_us", "place"),
    Index("alarms_kind", "kind", "raised_us", "place"),
    Index("alarms_subject", "subject", "raised_us", "place"),
)
"""Alarms of the gate (`alarm`: which one), time limits that ran out, goods that were declared again, and facts that were not projected."""

PARKED = Table(
    "parked",
    METADATA,
    Column("service", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BIG, primary_key=True),
    *(_text(n) for n in ("key", "kind", "reason", "error", "status", "actor")),
    _moment("parked_us"),
    _moment("settled_us"),
    Column("value", Text),
    Index("parked_key", "key"),
    Index("parked_offset", "offset"),
    Index("parked_status", "status", "parked_us", "service", "topic", "partition", "offset"),
)
"""Messages that were set aside, by origin. `status`: parked, replayed (in older rows `released`) or discarded; `value`: the message's
value in base64."""

LODGEMENTS = Table(
    "lodgements",
    METADATA,
    Column("request_id", Text, primary_key=True),
    *(_text(n) for n in ("idempotency_key", "sender", "kind", "subject", "digest")),
    Column("asked_us", BIG, nullable=False),
    Index("lodgements_subject", "subject"),
    Index("lodgements_asked", "asked_us"),
    Index("lodgements_sender", "sender", "asked_us", "request_id"),
)
"""The requests of every kind, not only lodgements, that the console took in and the broker acknowledged. The rows are
not made from the topics, so a rebuild keeps them."""

READINGS = Table(
    "readings",
    METADATA,
    Column("reader", Text, primary_key=True),
    Column("at_us", BIG, primary_key=True, autoincrement=False),
    Column("subject", Text, primary_key=True),
    Index("readings_subject", "subject", "at_us", "reader"),
    Index("readings_at", "at_us", "reader", "subject"),
)
"""Readings: an account of customs (`reader`) was shown fields that are masked for others. `subject`: the goods, the
container or the list that was shown; `at_us`: when, by the console's clock. While a console runs, it records the same
reading only once in an hour."""

ASKED_HOLDS = Table(
    "asked_holds",
    METADATA,
    Column("request_id", Text, primary_key=True),
    Column("consignment_id", Text, primary_key=True),
    Column("about", Text, nullable=False),
    Column("asked_us", BIG, nullable=False),
    Index("asked_holds_consignment", "consignment_id"),
    Index("asked_holds_asked", "asked_us"),
)
"""The requests that consoles took in and that keep goods or a container inside until a desk has answered them
(`COUNTS_WHEN_ASKED`). A row is written before its request is sent. Until a fact names the request as its cause, the
goods must stay. `consignment_id`: what must stay, a consignment or the number of a container. `about`: the key of the
request and of the facts that answer it. The two differ if goods were stripped from the container `about` into the
container that must stay. The row of a request that a fact has answered is deleted when the request is more than a day
old (`Store.forget_answered` says which rows are kept)."""

ASKED_WATCHES = Table(
    "asked_watches",
    METADATA,
    Column("watch_id", Text, primary_key=True),
    *(_text(n) for n in ("bill_no", "declarant", "reason", "asked_by")),
    Column("asked_us", BIG, nullable=False),
    _flag("met"),
    *(_text(n) for n in ("lift_id", "lift_reason", "lifted_by")),
    _moment("lifted_us"),
    _flag("let_go"),
)
"""Watches on bills and declarants that were requested from consoles. A row is written before its requests are sent.
`met`: all partitions keep the watch, and a hold was requested on each matching consignment that was known before; until
then goods that match must stay. `lifted_us`: when all partitions were requested to lift it, by the request `lift_id`;
`let_go`: for each hold that the watch placed, a request to lift the hold was sent."""

WATCH_FACTS = Table(
    "watch_facts",
    METADATA,
    Column("watch_id", Text, primary_key=True),
    Column("partition_key", Text, primary_key=True),
    Column("lifted", Boolean, primary_key=True),
    *(_text(n) for n in ("bill_no", "declarant", "reason", "actor")),
    _moment("at_us"),
)
"""The facts of each partition of the release desk about a watch: that it was placed (`lifted` is false), and that it
was lifted (`lifted` is true)."""

INSTALLATION = Table(
    "installation", METADATA, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)
"""Values of this installation that all its consoles share: `request` (the secret from which the ids of requests are made) and `rights` (the
count of changes of rights)."""

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("account", Text, primary_key=True),
    *(_text(n) for n in ("roles", "company", "office", "password")),
    *(_flag(n) for n in ("must_change", "closed")),
    Column("made_us", BIG, nullable=False),
    _moment("password_until_us"),
)
"""Accounts of people and programs. `roles`: a list separated by blanks; `password`: the argon2id hash of the password,
empty if the account has none; `must_change`: somebody other than the holder of the account made the password, and it is
valid until `password_until_us`. In this table and the following ones, `SIGN_INS` being the last, times are those of the
world's clock, also in a sandbox."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("host", Text, nullable=False),
    *(Column(n, BIG, nullable=False) for n in ("made_us", "used_us", "ends_us")),
    Index("sessions_account", "account"),
)
"""Sessions of people who are signed in. `digest`: SHA-256 of the cookie; `host`: the host name by which the browser reached the
console when the person signed in; the session is valid for this host only."""

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("digest", Text, nullable=False),
    _text("scopes"),
    Column("made_us", BIG, nullable=False),
    *(_moment(n) for n in ("ends_us", "revoked_us")),
    Index("api_keys_account", "account"),
)
"""Keys of programs. `digest`: SHA-256 of the whole key; `scopes`: a list separated by blanks."""

AUTHORISATIONS = Table(
    "authorisations",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("from_us", BIG, primary_key=True, autoincrement=False),
    _moment("until_us"),
    Index("authorisations_agent", "agent"),
)
"""Which company lets which agent (the agent's company) declare in its name, and from when until when."""

GRANTS = Table(
    "grants",
    METADATA,
    Column("number", BIG, primary_key=True, autoincrement=True),
    Column("at_us", BIG, nullable=False),
    *(_text(n) for n in ("granted_by", "account", "what", "detail")),
    Index("grants_account", "account", "number"),
    Index("grants_by", "granted_by", "number"),
)
"""Who gave or took away which right, password, key or authorisation of which account, and when. Rows are only added."""

SIGN_INS = Table(
    "sign_ins",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    _count("failures"),
    Column("last_us", BIG, nullable=False),
    Index("sign_ins_last", "last_us"),
)
"""How many sign-ins in a row have failed, by account name and client address. A successful sign-in deletes the row."""

STAGE_COUNTS = Table(
    "stage_counts", METADATA, Column("stage", Text, primary_key=True), Column("consignments", BIG, nullable=False)
)
"""How many consignments are at each stage, so that the board need not count them. Each batch adds its changes."""

OFFSETS = Table(
    "offsets",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("next_offset", BIG, nullable=False),
)
"""The next offset to read of each partition; written in the transaction that writes the rows."""

TOPIC_IDS = Table("topic_ids", METADATA, Column("topic", Text, primary_key=True), _text("topic_id"))
"""The id of each topic from which the rows were made. If a topic is deleted and made again, the cluster gives it another id."""

TURNS = Table("turns", METADATA, Column("name", Text, primary_key=True), Column("turn", BIG, nullable=False))
"""One row, `projector`, that counts the transactions of the projector. If a projector finds another count than the one
that it wrote, another projector has written rows since, or a rebuild has deleted them."""

STANDING = Table(
    "standing",
    METADATA,
    Column("name", Text, primary_key=True),
    _count("beats"),
    _moment("as_of_us"),
    _moment("lag_ms"),
    _count("behind"),
    _text("trouble"),
    *(_moment(n) for n in ("gate_as_of_us", "gate_lag_ms")),
)
"""One row, `projector`: how complete the rows are. `beats` grows some times a second while the projector runs. All
messages up to the time `as_of_us` are in the rows (null until everything was read once); `lag_ms`: how long ago this
time was when the row was written. `gate_as_of_us`, `gate_lag_ms`: the same for the topics of the release and the gate
desk alone, up to their high watermarks. `behind` and `trouble`: as in `ProjectorStanding`. A rebuild deletes the
row."""

OF_PEOPLE = (ACCOUNTS, SESSIONS, API_KEYS, AUTHORISATIONS, GRANTS, SIGN_INS)
KEPT = (RELEASES, FEED_EPOCHS, LODGEMENTS, READINGS, ASKED_HOLDS, ASKED_WATCHES, INSTALLATION, TURNS, *OF_PEOPLE)
"""Tables whose rows a rebuild does not delete."""
PROJECTED = tuple(table for table in METADATA.sorted_tables if table not in KEPT)
