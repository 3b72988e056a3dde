"""A permit to leave ends with what is said against the goods later: the rows know in view of which statement it was given."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("consignment_containers", sa.Column("permitted_version", BIG, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("consignment_containers", "permitted_version")
