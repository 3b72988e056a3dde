"""A container may come back with other goods, so the read model gets the visits, reports and holds of containers. The
rows of consignments get the containers and pieces that are released."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BLOCKED = sa.text("blocking <> ''")
STAGES = ("partly_released", "left_unreleased")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _moment(name: str) -> sa.Column[int]:
    return sa.Column(name, BIG, nullable=True)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def _added() -> dict[str, list[sa.Column[Any]]]:
    """Table → the columns that this migration adds."""
    return {
        "consignments": [
            *(_text(n) for n in ("released_boxes", "arrived_boxes", "unreleased")),
            *(_moment(n) for n in ("unreleased_us", "released_pieces")),
            sa.Column("seq_gate", BIG, nullable=False, server_default="0"),
        ],
        "containers": [
            *(_text(n) for n in ("visit", "place", "visit_end", "said_visit", "departure", "blocking", "alarm")),
            *(_text(n) for n in ("alarm_reason", "conveyance")),
            *(_moment(n) for n in ("visit_us", "visit_end_us", "blocked_us", "lots")),
        ],
        "consignment_containers": [
            *(_text(n) for n in ("bill_no", "direction", "ended", "conveyance")),
            _moment("arrived_us"),
            *(_flag(n) for n in ("refused", "struck", "permitted")),
        ],
        "alarms": [_text("alarm")],
    }


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(
        "containers_blocked",
        "containers",
        ["blocked_us", "container_no"],
        sqlite_where=BLOCKED,
        postgresql_where=BLOCKED,
    )
    op.create_table(
        "container_reports",
        sa.Column("container_no", sa.Text(), nullable=False),
        sa.Column("report_id", sa.Text(), nullable=False),
        *(_text(n) for n in ("event", "classifier", "place", "laden", "conveyance", "bill", "to_place", "replaces")),
        *(_text(n) for n in ("retells", "visit", "reported_by")),
        *(_moment(n) for n in ("occurred_us", "recorded_us")),
        _text("standing"),
        sa.PrimaryKeyConstraint("container_no", "report_id"),
    )
    op.create_index("container_reports_recorded", "container_reports", ["container_no", "recorded_us", "report_id"])
    op.create_table(
        "container_holds",
        sa.Column("container_no", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Text(), nullable=False),
        *(_text(n) for n in ("reason", "placed_by")),
        _moment("since_us"),
        _flag("lifted"),
        sa.PrimaryKeyConstraint("container_no", "hold_id"),
    )
    # before this version, a release was always for all containers
    op.execute("UPDATE consignments SET released_boxes = containers WHERE word = 'released'")
    counts = sa.table("stage_counts", sa.column("stage", sa.Text), sa.column("consignments", BIG))
    op.bulk_insert(counts, [{"stage": stage, "consignments": 0} for stage in STAGES])


def downgrade() -> None:
    op.execute("DELETE FROM stage_counts WHERE stage IN ('partly_released', 'left_unreleased')")
    op.drop_table("container_holds")
    op.drop_table("container_reports")
    op.drop_index("containers_blocked", "containers")
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)
