"""Stored alarms: serialised messages by intersection and id."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from ampelwerk.controllers.store import schema


class Alarms:
    """Alarms within one transaction of the store."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, intersection_id: str, alarm_id: str, content: bytes) -> None:
        """Keep an alarm as it is now."""
        self.drop(intersection_id, alarm_id)
        self._connection.execute(
            sa.insert(schema.alarm).values(
                intersection_id=intersection_id, alarm_id=alarm_id, content=content
            )
        )

    def drop(self, intersection_id: str, alarm_id: str) -> None:
        """Forget an alarm, if it is there."""
        self._connection.execute(
            sa.delete(schema.alarm)
            .where(schema.alarm.c.intersection_id == intersection_id)
            .where(schema.alarm.c.alarm_id == alarm_id)
        )

    def list(self) -> Iterator[tuple[str, bytes]]:
        """Intersection and message of all, in the order of their ids."""
        query = sa.select(schema.alarm.c.intersection_id, schema.alarm.c.content).order_by(
            schema.alarm.c.intersection_id, schema.alarm.c.alarm_id
        )
        for row in self._connection.execute(query):
            yield str(row.intersection_id), bytes(row.content)
