"""The projector also writes the time up to which it has read the topics of the release and the gate desk. The gate's
answer depends on these topics only."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAMES = ("gate_as_of_us", "gate_lag_ms")


def upgrade() -> None:
    for name in NAMES:
        op.add_column("standing", sa.Column(name, BIG, nullable=True))


def downgrade() -> None:
    for name in NAMES:
        op.drop_column("standing", name)
