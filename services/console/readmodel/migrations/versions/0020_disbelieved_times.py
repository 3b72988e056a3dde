"""The row of a report of an equipment event gets a column for the time that the sender gave. It has a value only if the
gate desk did not believe this time."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("container_reports", sa.Column("disbelieved_us", BIG, nullable=True))


def downgrade() -> None:
    op.drop_column("container_reports", "disbelieved_us")
