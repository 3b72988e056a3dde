"""Which rows does the console read? Two kinds of tables.

`dtg rebuild` makes most of them again from the topics (`PROJECTED`). It leaves the others (`KEPT`) as they are, because what they say
is nowhere else: accounts, keys, rights given, readings on record, what was asked over HTTP, and the order and epochs of the feed.

Times are microseconds since 1970 UTC (`*_us`). Empty text means "not said yet". `place` names one Kafka message.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, SmallInteger, Table, Text, text

from schemas.hold_ids import of_watch
from schemas.vocabulary import Stage

METADATA = MetaData()
BIG = BigInteger().with_variant(Integer, "sqlite")
OPEN_STAGES = (
    Stage.LODGED,
    Stage.ACCEPTED,
    Stage.CONTROLLED,
    Stage.TREATED,
    Stage.AWAITING_ARRIVAL,
    Stage.HELD,
    Stage.PARTLY_RELEASED,
    Stage.RELEASED,
    Stage.REVOKED,
    Stage.LEFT_UNRELEASED,
    Stage.PARKED,
)
"""The stages in which somebody still has to move, in the order of the flow."""
_OPEN = text("ended_us IS NULL")
_ENDED = text("ended_us IS NOT NULL")
_BLOCKED = text("blocking <> ''")
OF_WATCHES = text(f"hold_id LIKE '{of_watch('%')}'")
"""Of the open holds, those that a watch on a bill or a declarant made."""


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
"""One row per consignment. `containers`, `departed`, `controls`: words apart by a blank; so are `released_boxes` (of the latest
release), `arrived_boxes` (`*`: all of them) and `unreleased` (those that left without release). `earlier`: the consignment of the
same declarant and reference that was withdrawn before this one was lodged; `later`: what was lodged after this one was withdrawn.

`declared`: what the declaration desk said (accepted, rejected, refused, discarded); `word`: what the release desk said last
(held, released, revoked, refused, withdrawn). `closed_us`: when it was rejected, refused or withdrawn.
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
"""The holds that are open now."""

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
    _text("conveyance"),
    Index("containers_blocked", "blocked_us", "container_no", sqlite_where=_BLOCKED, postgresql_where=_BLOCKED),
)
"""What the gate said last of each container (`word`): may_leave, must_stay, gated_out, the name of the alarm with which it left,
opened or closed. `visit` to `visit_end_us`: its latest visit. `said_visit`: the one of which the last yes or no spoke.
`departure`: the report with which it left. `blocking`: the reports, one a line, with their visits behind a tab, whose alarms wait for
an officer's finding; `alarm` and `alarm_reason`: the latest of them. `lots`: how many an officer counted in it, in this visit."""

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
"""Which consignment lies in which container. `word`: the release desk's to the gate: held, released or withdrawn. `gone`: it left
in it. `ended`: the visit with which the gate closed it otherwise. `struck`: an officer took it off the box; `permitted`: an officer
lets it out through the land gate without an import release, in view of the release desk's statement `permitted_version` (0: an earlier
release did not say)."""

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
    Index("container_reports_recorded", "container_no", "recorded_us", "report_id"),
)
"""What terminals and carriers told of each container, as the gate has recorded it. `laden`: laden, empty, or not said; `standing`:
empty, retracted or replaced."""

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
"""The timelines: every fact and request as it travelled. A lodgement's body is left out: the desk's answer repeats it."""

RELEASES = Table(
    "releases",
    METADATA,
    Column("cursor", BIG, primary_key=True, autoincrement=False),
    Column("place", BIG, nullable=False, unique=True),
    Column("consignment_id", Text, nullable=False),
    _text("fact_id"),
)
"""The order in which this console told ports of releases and revocations; a rebuild keeps it, so that cursors stay good.

`cursor`: the number in a cursor; it only grows, and some may be missing. `fact_id`: empty where the fact could not be stored and
ports were told so; once it can be, its entry moves to the end, so that those who have read on are told too.
"""

FEED_EPOCHS = Table(
    "feed_epochs",
    METADATA,
    Column("epoch", Text, primary_key=True),
    Column("first_number", BIG, nullable=False, unique=True),
)
"""Which run of a projector added to the feed, and its first number; a run ends where the next one begins. Kept by a rebuild."""

REFUSALS = Table(
    "refusals",
    METADATA,
    Column("place", BIG, primary_key=True, autoincrement=False),
    *(_text(n) for n in ("desk", "subject", "request_id", "request_kind", "code", "reason")),
    _moment("refused_us"),
    Index("refusals_subject", "subject"),
)
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
"""Alarms of the gate (`alarm`: which), time limits that ran out, and goods that were declared again."""

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
"""Messages set aside, by origin. `status`: parked, replayed (in older rows `released`) or discarded; `value`: base64 of what was said."""

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
"""This console's own notebook: what it was asked and the broker acknowledged. Not from the topics; a rebuild keeps it."""

READINGS = Table(
    "readings",
    METADATA,
    Column("reader", Text, primary_key=True),
    Column("at_us", BIG, primary_key=True, autoincrement=False),
    Column("subject", Text, primary_key=True),
    Index("readings_subject", "subject", "at_us", "reader"),
    Index("readings_at", "at_us", "reader", "subject"),
)
"""Which accounts of customs were told what is masked for others, of which goods or container (or by which list), and when, as the
console's clock goes; one row an hour."""

ASKED_HOLDS = Table(
    "asked_holds",
    METADATA,
    Column("request_id", Text, primary_key=True),
    Column("consignment_id", Text, nullable=False),
    Column("asked_us", BIG, nullable=False),
    Index("asked_holds_consignment", "consignment_id"),
)
"""Holds of consignments, or of containers (their number stands in `consignment_id`), that consoles were asked for, written before
they are sent: until a fact names the request, the goods stay at the gate."""

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
"""Watches on bills and declarants that consoles were asked for, written before they are sent. Until `met`, goods that match stay at
the gate: all partitions keep it then, and every consignment that was known before has a hold of its own. `lifted_us`: since when all
partitions were asked to end it, by the request `lift_id`; `let_go`: its holds were lifted, too."""

WATCH_FACTS = Table(
    "watch_facts",
    METADATA,
    Column("watch_id", Text, primary_key=True),
    Column("partition_key", Text, primary_key=True),
    Column("lifted", Boolean, primary_key=True),
    *(_text(n) for n in ("bill_no", "declarant", "reason", "actor")),
    _moment("at_us"),
)
"""What each partition of the release desk said of a watch: that it keeps it, and that it ended it."""

INSTALLATION = Table(
    "installation", METADATA, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)
"""What this installation alone knows, the same for all its consoles: `request`, a secret with which ids of requests are made."""

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("account", Text, primary_key=True),
    *(_text(n) for n in ("roles", "company", "office", "password")),
    *(_flag(n) for n in ("must_change", "closed")),
    Column("made_us", BIG, nullable=False),
    _moment("password_until_us"),
)
"""People and programs. `roles`: words apart by a blank; `password`: its argon2id hash, empty where nobody signs in by one;
`must_change`: the password was made by somebody else, and is good until `password_until_us`. The clock of this table and the next ones is the world's, also in a sandbox."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("host", Text, nullable=False),
    *(Column(n, BIG, nullable=False) for n in ("made_us", "used_us", "ends_us")),
    Index("sessions_account", "account"),
)
"""Who is signed in. `digest`: SHA-256 of the cookie; `host`: the name by which the console was called."""

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
"""Keys of programs. `digest`: SHA-256 of the whole key; `scopes`: words apart by a blank."""

AUTHORISATIONS = Table(
    "authorisations",
    METADATA,
    Column("company", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("from_us", BIG, primary_key=True, autoincrement=False),
    _moment("until_us"),
    Index("authorisations_agent", "agent"),
)
"""Which company lets which agent (its company) declare in its name, from when until when."""

GRANTS = Table(
    "grants",
    METADATA,
    Column("number", BIG, primary_key=True, autoincrement=True),
    Column("at_us", BIG, nullable=False),
    *(_text(n) for n in ("granted_by", "account", "what", "detail")),
    Index("grants_account", "account", "number"),
    Index("grants_by", "granted_by", "number"),
)
"""Who gave or took what right, password, key or authorisation, of whom, and when; only added to."""

SIGN_INS = Table(
    "sign_ins",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    _count("failures"),
    Column("last_us", BIG, nullable=False),
    Index("sign_ins_last", "last_us"),
)
"""Failed sign-ins one after the other, by the name that was tried and the address from which; a success takes the row away."""

STAGE_COUNTS = Table(
    "stage_counts", METADATA, Column("stage", Text, primary_key=True), Column("consignments", BIG, nullable=False)
)
OFFSETS = Table(
    "offsets",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("partition", SmallInteger, primary_key=True, autoincrement=False),
    Column("next_offset", BIG, nullable=False),
)
"""Up to where the topics are in the rows; written in the transaction that writes the rows."""

TOPIC_IDS = Table("topic_ids", METADATA, Column("topic", Text, primary_key=True), _text("topic_id"))
"""Which topic of that name the rows came from: the cluster gives each one that is made another id."""

TURNS = Table("turns", METADATA, Column("name", Text, primary_key=True), Column("turn", BIG, nullable=False))
"""One row, `projector`: counts its transactions. Whoever finds another count than its own was overtaken by another projector."""

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
"""One row, `projector`: how complete the rows are. `beats` grows some times a second while it turns; `as_of_us` is empty until
everything was read once. `gate_as_of_us`, `gate_lag_ms`: of the topics of the release and the gate desk, up to their high
watermarks. A rebuild takes the row away."""

OF_PEOPLE = (ACCOUNTS, SESSIONS, API_KEYS, AUTHORISATIONS, GRANTS, SIGN_INS)
KEPT = (RELEASES, FEED_EPOCHS, LODGEMENTS, READINGS, ASKED_HOLDS, ASKED_WATCHES, INSTALLATION, TURNS, *OF_PEOPLE)
"""Tables that a rebuild leaves alone."""
PROJECTED = tuple(table for table in METADATA.sorted_tables if table not in KEPT)
