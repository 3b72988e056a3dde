"""Indexes to find the requests that one account sent, the grants of rights to one account, and the grants that one
account made. A table of readings: which account of customs was shown fields that are masked outside customs, when, and
about what."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_index("lodgements_sender", "lodgements", ["sender", "asked_us", "request_id"])
    op.create_index("grants_account", "grants", ["account", "number"])
    op.create_index("grants_by", "grants", ["granted_by", "number"])
    op.create_table(
        "readings",
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reader", "at_us", "subject"),
    )
    op.create_index("readings_subject", "readings", ["subject", "at_us", "reader"])
    op.create_index("readings_at", "readings", ["at_us", "reader", "subject"])


def downgrade() -> None:
    op.drop_table("readings")
    op.drop_index("grants_by", "grants")
    op.drop_index("grants_account", "grants")
    op.drop_index("lodgements_sender", "lodgements")
