"""Reading a model.json with the standard library alone, as a roadside device does.

The model's own dataclasses say what is expected; anything else is refused with the place at which
it was found. The checks of the models run as for any other input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from ampelwerk.controllers.site import site_of
from ampelwerk.models.errors import InvalidInputError
from ampelwerk.models.network import Network


def read_network(path: Path) -> Network:
    """The network of a model.json.

    Raises
    ------
    InvalidInputError : the file cannot be read, or is no model of this version.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"the model cannot be read: {error}",
            where=str(path),
            remedy="write it with `ampelwerk model SCENARIO --output FILE`",
        ) from error
    try:
        network: Network = _value(Network, content, ())
    except _Misfit as misfit:
        raise InvalidInputError(
            "the model does not fit this version of Ampelwerk",
            where=f"{path}: {'.'.join(misfit.place) or 'top'}",
            found=misfit.found,
            limit=misfit.limit,
            remedy="write it again with `ampelwerk model SCENARIO --output FILE`",
        ) from misfit
    return network


def read_site(path: Path, intersection_id: str) -> Network:
    """One intersection of a model.json, with the loops its controller reads."""
    return site_of(read_network(path), intersection_id)


class _Misfit(Exception):
    """A value that is not what the model has there."""

    def __init__(self, place: Sequence[str], value: object, limit: str) -> None:
        self.place, self.found, self.limit = tuple(place), repr(value)[:80], limit
        super().__init__(limit)


def _value(kind: Any, value: Any, place: tuple[str, ...]) -> Any:
    """A value of JSON as a type of the models; objects are emptied as they are read."""
    if isinstance(kind, NewType):
        return _value(kind.__supertype__, value, place)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        (other,) = (
            k for k in get_args(kind) if k is not NoneType
        )  # the models know `| None` alone
        return None if value is None else _value(other, value, place)
    if origin is tuple:
        return _tuple(get_args(kind), value, place)
    if is_dataclass(kind):
        return _record(kind, value, place)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            raise _Misfit(place, value, ", ".join(str(k.value) for k in kind)) from None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise _Misfit(place, value, kind.__name__)
    return value


def _tuple(kinds: Sequence[Any], value: Any, place: tuple[str, ...]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _Misfit(place, value, "a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_value(kinds[0], part, (*place, str(n))) for n, part in enumerate(value))
    if len(value) != len(kinds):
        raise _Misfit(place, value, f"{len(kinds)} values")
    return tuple(
        _value(kind, part, (*place, str(n)))
        for n, (kind, part) in enumerate(zip(kinds, value, strict=True))
    )


def _record(kind: Any, value: Any, place: tuple[str, ...]) -> Any:
    if not isinstance(value, dict):
        raise _Misfit(place, value, f"an object: {kind.__name__}")
    hints = get_type_hints(kind)
    known = {field.name for field in fields(kind)}
    if strange := sorted(set(value) - known):
        raise _Misfit((*place, strange[0]), value[strange[0]], "no such field")
    # What has been read goes at once: of a city it is a hundred megabytes.
    found = {name: _value(hints[name], value.pop(name), (*place, name)) for name in tuple(value)}
    try:
        return kind(**found)
    except TypeError as error:
        raise _Misfit(place, sorted(found), str(error)) from None
