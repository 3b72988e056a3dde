"""An officer's permit to leave ends if the release desk publishes a later hold on the goods. So the row of goods in a
container gets the version of the release desk's statement that the officer had seen when permitting the exit."""

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
