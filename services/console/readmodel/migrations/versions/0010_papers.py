"""A declaration that is lodged after a withdrawal makes another consignment. Columns are added in which the rows of the
two name each other."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
NAMES = ("earlier", "later")


def upgrade() -> None:
    for name in NAMES:
        op.add_column("consignments", sa.Column(name, sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    for name in NAMES:
        op.drop_column("consignments", name)
