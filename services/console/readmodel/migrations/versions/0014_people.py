"""Tables for people and programs: accounts, sessions, API keys, authorisations of agents, grants of rights, and failed sign-ins. A rebuild
keeps them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _named(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, BIG, nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def upgrade() -> None:
    op.create_table(
        "accounts",
        _named("account"),
        *(_text(n) for n in ("roles", "company", "office", "password")),
        *(_flag(n) for n in ("must_change", "closed")),
        _moment("made_us"),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "sessions",
        *(_named(n) for n in ("digest", "account", "host")),
        *(_moment(n) for n in ("made_us", "used_us", "ends_us")),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("sessions_account", "sessions", ["account"])
    op.create_table(
        "api_keys",
        *(_named(n) for n in ("key_id", "account", "digest")),
        _text("scopes"),
        _moment("made_us"),
        *(_moment(n, nullable=True) for n in ("ends_us", "revoked_us")),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_index("api_keys_account", "api_keys", ["account"])
    op.create_table(
        "authorisations",
        *(_named(n) for n in ("company", "agent")),
        _moment("from_us"),
        _moment("until_us", nullable=True),
        sa.PrimaryKeyConstraint("company", "agent", "from_us"),
    )
    op.create_index("authorisations_agent", "authorisations", ["agent"])
    op.create_table(
        "grants",
        sa.Column("number", BIG, primary_key=True, autoincrement=True),
        _moment("at_us"),
        *(_text(n) for n in ("granted_by", "account", "what", "detail")),
    )
    op.create_table(
        "sign_ins",
        *(_named(n) for n in ("account", "address")),
        sa.Column("failures", BIG, nullable=False, server_default="0"),
        _moment("last_us"),
        sa.PrimaryKeyConstraint("account", "address"),
    )
    op.create_index("sign_ins_last", "sign_ins", ["last_us"])


def downgrade() -> None:
    for table in ("sign_ins", "grants", "authorisations", "api_keys", "sessions", "accounts"):
        op.drop_table(table)
