"""Commands whose options are numbers: never nan, never infinite.

No limit holds such a value, for every comparison with nan is false.
"""

from __future__ import annotations

import math
from typing import Any

import typer
from typer.core import TyperGroup


class CommandGroup(TyperGroup):
    """A group that lets its commands refuse options that are no finite number."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, its options watched."""
        command = super().get_command(ctx, cmd_name)
        for option in command.params if command is not None else ():
            if option.callback is None:
                option.callback = _finite
        return command


def _finite(ctx: Any, param: Any, value: Any) -> Any:
    """The value of an option.

    Raises
    ------
    typer.BadParameter : it is nan or infinite.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number.", ctx=ctx, param=param)
    return value
