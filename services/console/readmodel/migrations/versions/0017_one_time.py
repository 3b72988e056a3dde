"""A password that was made by somebody other than the holder of the account is valid for three days only. For passwords
of this kind that exist already, the three days begin when this migration runs."""

import sqlalchemy as sa
from alembic import op

from services.shell.clock import world_us

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
DAYS_US = 3 * 86_400_000_000


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("accounts", sa.Column("password_until_us", big, nullable=True))
    accounts = sa.table("accounts", *[sa.column(name) for name in ("must_change", "password", "password_until_us")])
    waiting = sa.and_(accounts.c.must_change == sa.true(), accounts.c.password != "")
    op.execute(accounts.update().where(waiting).values(password_until_us=world_us() + DAYS_US))


def downgrade() -> None:
    op.drop_column("accounts", "password_until_us")
