"""Indexes for the lists of alarms and of parked messages. They have the columns by which these lists are sorted, so
that a page of a list can be read from the index."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("alarms_raised", "alarms")
    op.create_index("alarms_raised", "alarms", ["raised_us", "place"])
    op.create_index("alarms_kind", "alarms", ["kind", "raised_us", "place"])
    op.create_index("alarms_subject", "alarms", ["subject", "raised_us", "place"])
    op.drop_index("parked_status", "parked")
    op.create_index("parked_status", "parked", ["status", "parked_us", "service", "topic", "partition", "offset"])


def downgrade() -> None:
    op.drop_index("parked_status", "parked")
    op.create_index("parked_status", "parked", ["status", "parked_us"])
    op.drop_index("alarms_subject", "alarms")
    op.drop_index("alarms_kind", "alarms")
    op.drop_index("alarms_raised", "alarms")
    op.create_index("alarms_raised", "alarms", ["raised_us"])
