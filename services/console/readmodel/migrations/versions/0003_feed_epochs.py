"""The feed for ports gets epochs, and each entry of the feed gets the id of its fact. The entries that exist already
become the epoch `first`. A cursor that is a bare number belongs to this epoch."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "feed_epochs",
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("first_number", BIG, nullable=False),
        sa.PrimaryKeyConstraint("epoch"),
        sa.UniqueConstraint("first_number"),
    )
    op.add_column("releases", sa.Column("fact_id", sa.Text(), server_default="", nullable=False))
    op.execute(
        "UPDATE releases SET fact_id = coalesce((SELECT facts.id FROM facts WHERE facts.place = releases.place), '')"
    )
    op.execute("INSERT INTO feed_epochs (epoch, first_number) SELECT 'first', 1 WHERE EXISTS (SELECT 1 FROM releases)")


def downgrade() -> None:
    op.drop_column("releases", "fact_id")
    op.drop_table("feed_epochs")
