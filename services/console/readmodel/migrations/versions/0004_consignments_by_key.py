"""The indexes for lists of consignments also get the columns by which these lists are sorted. There are lists of the
consignments at a stage, and of those with a declaration number, a declarant, a consignee, a reference or a bill."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAMES = ("declaration_no", "declarant", "consignee", "reference", "bill_no")
OPEN, ENDED = sa.text("ended_us IS NULL"), sa.text("ended_us IS NOT NULL")


def upgrade() -> None:
    _indexes("lodged_us", "consignment_id")


def downgrade() -> None:
    _indexes()


def _indexes(*more: str) -> None:
    last = more[1:]
    for name, column, where in (("waiting", "waiting_since_us", OPEN), ("ended", "ended_us", ENDED)):
        op.drop_index(f"consignments_{name}", "consignments")
        op.create_index(
            f"consignments_{name}", "consignments", ["stage", column, *last], sqlite_where=where, postgresql_where=where
        )
    for name in NAMES:
        op.drop_index(f"consignments_{name}", "consignments")
        op.create_index(f"consignments_{name}", "consignments", [name, *more])
