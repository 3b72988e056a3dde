"""An index for the list of all consignments, the latest lodged first."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("consignments_lodged", "consignments", ["lodged_us", "consignment_id"])


def downgrade() -> None:
    op.drop_index("consignments_lodged", "consignments")
