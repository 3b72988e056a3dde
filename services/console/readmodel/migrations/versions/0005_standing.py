"""The projector writes into the database how complete the rows are, because it may run in another process than the
console."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "standing",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("beats", BIG, server_default="0", nullable=False),
        sa.Column("as_of_us", BIG, nullable=True),
        sa.Column("lag_ms", BIG, nullable=True),
        sa.Column("behind", BIG, server_default="0", nullable=False),
        sa.Column("trouble", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("standing")
