"""Indexes for the lists of the consignments that wait for a given step or hold, and of the consignments for which a
given mover has to act."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_us IS NULL")
STEPS = {"consignments_awaited": "waiting_for", "consignments_whose": "waiting_owner"}
HOLDS = {"holds_awaited": "hold_id", "holds_whose": "owner"}


def upgrade() -> None:
    for name, column in STEPS.items():
        columns = [column, "waiting_since_us", "consignment_id"]
        op.create_index(name, "consignments", columns, sqlite_where=OPEN, postgresql_where=OPEN)
    for name, column in HOLDS.items():
        op.create_index(name, "holds", [column, "since_us", "consignment_id"])


def downgrade() -> None:
    for name in HOLDS:
        op.drop_index(name, "holds")
    for name in STEPS:
        op.drop_index(name, "consignments")
