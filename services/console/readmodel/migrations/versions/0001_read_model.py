"""The first tables of the read model."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ENDED = sa.text("ended_us IS NOT NULL")
OPEN = sa.text("ended_us IS NULL")
STAGES = (
    *("lodged", "accepted", "controlled", "treated", "awaiting_arrival", "held", "released", "gated_out"),
    *("rejected", "refused", "revoked", "withdrawn", "parked"),
)


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("place", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("raised_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("alarms_raised", "alarms", ["raised_us"], unique=False)
    op.create_table(
        "consignment_containers",
        sa.Column("container_no", sa.Text(), nullable=False),
        sa.Column("consignment_id", sa.Text(), nullable=False),
        sa.Column("seal_no", sa.Text(), server_default="", nullable=False),
        sa.Column("word", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("version", BIG, server_default="0", nullable=False),
        sa.Column("shared_by", BIG, server_default="0", nullable=False),
        sa.Column("declared", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("container_no", "consignment_id"),
    )
    op.create_index("consignment_containers_consignment", "consignment_containers", ["consignment_id"], unique=False)
    op.create_table(
        "consignments",
        sa.Column("consignment_id", sa.Text(), nullable=False),
        sa.Column("declaration_no", sa.Text(), server_default="", nullable=False),
        sa.Column("declarant", sa.Text(), server_default="", nullable=False),
        sa.Column("consignee", sa.Text(), server_default="", nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("bill_no", sa.Text(), server_default="", nullable=False),
        sa.Column("customs_office", sa.Text(), server_default="", nullable=False),
        sa.Column("transport_mode", sa.Text(), server_default="", nullable=False),
        sa.Column("trade_mode", sa.Text(), server_default="", nullable=False),
        sa.Column("direction", sa.Text(), server_default="", nullable=False),
        sa.Column("containers", sa.Text(), server_default="", nullable=False),
        sa.Column("declared", sa.Text(), server_default="", nullable=False),
        sa.Column("lodge_request", sa.Text(), server_default="", nullable=False),
        sa.Column("lane", sa.Text(), server_default="", nullable=False),
        sa.Column("controls", sa.Text(), server_default="", nullable=False),
        sa.Column("credit_grade", sa.Text(), server_default="", nullable=False),
        sa.Column("rule_set", sa.Text(), server_default="", nullable=False),
        sa.Column("word", sa.Text(), server_default="", nullable=False),
        sa.Column("departed", sa.Text(), server_default="", nullable=False),
        sa.Column("lodged_us", BIG, nullable=True),
        sa.Column("accepted_us", BIG, nullable=True),
        sa.Column("rejected_us", BIG, nullable=True),
        sa.Column("assessed_us", BIG, nullable=True),
        sa.Column("arrived_us", BIG, nullable=True),
        sa.Column("held_us", BIG, nullable=True),
        sa.Column("released_us", BIG, nullable=True),
        sa.Column("gated_out_us", BIG, nullable=True),
        sa.Column("closed_us", BIG, nullable=True),
        sa.Column("seq_declaration", BIG, server_default="0", nullable=False),
        sa.Column("seq_risk", BIG, server_default="0", nullable=False),
        sa.Column("seq_release", BIG, server_default="0", nullable=False),
        sa.Column("parked", BIG, server_default="0", nullable=False),
        sa.Column("parked_us", BIG, nullable=True),
        sa.Column("stage", sa.Text(), server_default="", nullable=False),
        sa.Column("waiting_for", sa.Text(), server_default="", nullable=False),
        sa.Column("waiting_owner", sa.Text(), server_default="", nullable=False),
        sa.Column("waiting_since_us", BIG, nullable=True),
        sa.Column("ended_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("consignment_id"),
    )
    op.create_index("consignments_bill_no", "consignments", ["bill_no"], unique=False)
    op.create_index("consignments_consignee", "consignments", ["consignee"], unique=False)
    op.create_index("consignments_declarant", "consignments", ["declarant"], unique=False)
    op.create_index("consignments_declaration_no", "consignments", ["declaration_no"], unique=False)
    op.create_index("consignments_reference", "consignments", ["reference"], unique=False)
    op.create_index(
        "consignments_ended",
        "consignments",
        ["stage", "ended_us"],
        unique=False,
        sqlite_where=ENDED,
        postgresql_where=ENDED,
    )
    op.create_index(
        "consignments_waiting",
        "consignments",
        ["stage", "waiting_since_us"],
        unique=False,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "containers",
        sa.Column("container_no", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("gate", sa.Text(), server_default="", nullable=False),
        sa.Column("waiting_for", sa.Text(), server_default="", nullable=False),
        sa.Column("since_us", BIG, nullable=True),
        sa.Column("seq", BIG, server_default="0", nullable=False),
        sa.Column("parked", BIG, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("container_no"),
    )
    op.create_table(
        "facts",
        sa.Column("place", BIG, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("sequence", BIG, nullable=False),
        sa.Column("recorded_us", BIG, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("facts_key", "facts", ["key"], unique=False)
    op.create_table(
        "holds",
        sa.Column("consignment_id", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("lifted_by", sa.Text(), server_default="", nullable=False),
        sa.Column("since_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("consignment_id", "hold_id"),
    )
    op.create_table(
        "lodgements",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), server_default="", nullable=False),
        sa.Column("sender", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_index("lodgements_asked", "lodgements", ["asked_us"], unique=False)
    op.create_index("lodgements_subject", "lodgements", ["subject"], unique=False)
    op.create_table(
        "offsets",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("next_offset", BIG, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "parked",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", BIG, nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("parked_us", BIG, nullable=True),
        sa.Column("settled_us", BIG, nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("service", "topic", "partition", "offset"),
    )
    op.create_index("parked_key", "parked", ["key"], unique=False)
    op.create_index("parked_offset", "parked", ["offset"], unique=False)
    op.create_index("parked_status", "parked", ["status", "parked_us"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("place", BIG, autoincrement=False, nullable=False),
        sa.Column("desk", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.Column("request_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("refused_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("refusals_subject", "refusals", ["subject"], unique=False)
    op.create_table(
        "releases",
        sa.Column("cursor", BIG, autoincrement=False, nullable=False),
        sa.Column("place", BIG, nullable=False),
        sa.Column("consignment_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cursor"),
        sa.UniqueConstraint("place"),
    )
    op.create_table(
        "stage_counts",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("consignments", BIG, nullable=False),
        sa.PrimaryKeyConstraint("stage"),
    )

    op.create_table(
        "turns",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("turn", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.bulk_insert(
        sa.table("turns", sa.column("name", sa.Text), sa.column("turn", BIG)), [{"name": "projector", "turn": 0}]
    )
    counts = sa.table("stage_counts", sa.column("stage", sa.Text), sa.column("consignments", BIG))
    op.bulk_insert(counts, [{"stage": stage, "consignments": 0} for stage in STAGES])


def downgrade() -> None:
    for table in (
        "turns",
        "stage_counts",
        "releases",
        "refusals",
        "parked",
        "offsets",
        "lodgements",
        "holds",
        "facts",
        "containers",
        "consignments",
        "consignment_containers",
        "alarms",
    ):
        op.drop_table(table)
