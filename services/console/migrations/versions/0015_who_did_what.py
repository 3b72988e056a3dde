"""Who did what, and who gave whom what right, is looked up by person."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("lodgements_sender", "lodgements", ["sender", "asked_us", "request_id"])
    op.create_index("grants_account", "grants", ["account", "number"])
    op.create_index("grants_by", "grants", ["granted_by", "number"])


def downgrade() -> None:
    op.drop_index("grants_by", "grants")
    op.drop_index("grants_account", "grants")
    op.drop_index("lodgements_sender", "lodgements")
