"""Alarms, so that they and who has seen them outlive the server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of alarms."""
    op.create_table(
        "alarm",
        sa.Column("intersection_id", sa.String(255), primary_key=True),
        sa.Column("alarm_id", sa.String(255), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
