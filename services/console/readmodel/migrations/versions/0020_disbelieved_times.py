"""A report of an equipment event has the time that its sender gave, if the gate desk did not believe it."""

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
