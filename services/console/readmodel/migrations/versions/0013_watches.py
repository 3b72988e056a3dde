"""Two tables for watches on bills and declarants. `asked_watches` has the watches that were requested from a console; a
row is written before its requests are sent. `watch_facts` has the facts of the release desk's partitions about
watches."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OF_WATCHES = sa.text("hold_id LIKE 'officer/watch/%'")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def upgrade() -> None:
    op.create_table(
        "asked_watches",
        sa.Column("watch_id", sa.Text(), nullable=False),
        *(_text(n) for n in ("bill_no", "declarant", "reason", "asked_by")),
        sa.Column("asked_us", BIG, nullable=False),
        _flag("met"),
        *(_text(n) for n in ("lift_id", "lift_reason", "lifted_by")),
        sa.Column("lifted_us", BIG, nullable=True),
        _flag("let_go"),
        sa.PrimaryKeyConstraint("watch_id"),
    )
    op.create_table(
        "watch_facts",
        sa.Column("watch_id", sa.Text(), nullable=False),
        sa.Column("partition_key", sa.Text(), nullable=False),
        sa.Column("lifted", sa.Boolean(), nullable=False),
        *(_text(n) for n in ("bill_no", "declarant", "reason", "actor")),
        sa.Column("at_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("watch_id", "partition_key", "lifted"),
    )
    op.create_index(
        "holds_of_watches",
        "holds",
        ["hold_id", "consignment_id"],
        sqlite_where=OF_WATCHES,
        postgresql_where=OF_WATCHES,
    )


def downgrade() -> None:
    op.drop_index("holds_of_watches", "holds")
    op.drop_table("watch_facts")
    op.drop_table("asked_watches")
