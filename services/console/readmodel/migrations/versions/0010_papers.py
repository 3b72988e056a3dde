"""A declaration that is lodged again after a withdrawal belongs to a new consignment. Two columns are added: in
`later`, the row of the withdrawn consignment names the new one; in `earlier`, the row of the new one names the
withdrawn one."""

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
