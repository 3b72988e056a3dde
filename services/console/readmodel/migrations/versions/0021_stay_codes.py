"""The row of a container has a column for the code of what the container waits for (`StayCode`), or an empty text."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("containers", sa.Column("awaits", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("containers", "awaits")
