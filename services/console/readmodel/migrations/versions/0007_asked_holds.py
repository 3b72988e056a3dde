"""A hold keeps its goods inside from the moment at which it is requested, even if the release desk does not run. So the
row of the request is written before the console answers the request with 202."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "asked_holds",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("consignment_id", sa.Text(), nullable=False),
        sa.Column("asked_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_index("asked_holds_consignment", "asked_holds", ["consignment_id"])


def downgrade() -> None:
    op.drop_table("asked_holds")
