"""A report that goods were stripped from one container into others also keeps these other containers inside. So in
`asked_holds`, one request has a row for each container that must stay. The index by time is for deleting the rows of
answered requests, the oldest first."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_index("asked_holds_consignment", "asked_holds")
    op.rename_table("asked_holds", "asked_holds_before")
    op.create_table(
        "asked_holds",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("consignment_id", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("asked_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("request_id", "consignment_id", name="asked_holds_rows"),
    )
    op.execute(
        "INSERT INTO asked_holds (request_id, consignment_id, about, asked_us)"
        " SELECT request_id, consignment_id, consignment_id, asked_us FROM asked_holds_before"
    )
    op.drop_table("asked_holds_before")
    op.create_index("asked_holds_consignment", "asked_holds", ["consignment_id"])
    op.create_index("asked_holds_asked", "asked_holds", ["asked_us"])


def downgrade() -> None:
    op.drop_index("asked_holds_asked", "asked_holds")
    op.drop_index("asked_holds_consignment", "asked_holds")
    op.rename_table("asked_holds", "asked_holds_after")
    op.create_table(
        "asked_holds",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("consignment_id", sa.Text(), nullable=False),
        sa.Column("asked_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="asked_holds_requests"),
    )
    op.execute(
        "INSERT INTO asked_holds (request_id, consignment_id, asked_us)"
        " SELECT request_id, consignment_id, asked_us FROM asked_holds_after WHERE consignment_id = about"
    )
    op.drop_table("asked_holds_after")
    op.create_index("asked_holds_consignment", "asked_holds", ["consignment_id"])
