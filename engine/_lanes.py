"""Four numbers at once in kernels: the vector registers every processor has had for a decade.

Numba leaves it to the compiler to find loops worth carrying out four at a time, and the compiler does
not find them where lanes are few and seconds many. `load` takes four neighbouring numbers of an
array; they add, subtract and multiply like one number, also with one. Without compilation NumPy does
the same, in the same order.
"""

# Numba's typing of its own extension points is partial.
# mypy: disable-error-code="no-untyped-call,call-arg"

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

WIDTH = 4
"""Numbers in one."""
_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)


class _FourType(types.Type):
    """Numba's name for four numbers."""

    def __init__(self) -> None:
        super().__init__(name="Four")


_FOUR = _FourType()


@register_model(_FourType)
class _FourModel(models.PrimitiveModel):
    """They live in one register."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


def _spread(builder: Any, number: Any) -> Any:
    """One number four times."""
    vector = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(vector, number, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, vector, mask)


def _operation(emit: Callable[..., Any]) -> Any:
    """A Numba function of two operands, of which at least one is four numbers."""

    @intrinsic
    def operation(typing_context: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a, b = (
                value
                if kind == _FOUR
                else _spread(builder, context.cast(builder, value, kind, types.float64))
                for value, kind in zip(arguments, signature.args, strict=True)
            )
            return emit(builder, a, b)

        return _FOUR(left, right), generate

    return operation


def _least(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


_add = _operation(lambda builder, a, b: builder.fadd(a, b))
_subtract = _operation(lambda builder, a, b: builder.fsub(a, b))
_multiply = _operation(lambda builder, a, b: builder.fmul(a, b))
_minimum = _operation(_least)


def _is_mixed(a: Any, b: Any) -> bool:
    """Four numbers with four, or with one."""
    number = (types.Float, types.Integer)
    return bool(
        (a == _FOUR and (b == _FOUR or isinstance(b, number)))
        or (b == _FOUR and isinstance(a, number))
    )


@overload(operator.add, inline="always", strict=False)
def _overload_add(a: Any, b: Any) -> Any:
    return (lambda a, b: _add(a, b)) if _is_mixed(a, b) else None


@overload(operator.sub, inline="always", strict=False)
def _overload_sub(a: Any, b: Any) -> Any:
    return (lambda a, b: _subtract(a, b)) if _is_mixed(a, b) else None


@overload(operator.mul, inline="always", strict=False)
def _overload_mul(a: Any, b: Any) -> Any:
    return (lambda a, b: _multiply(a, b)) if _is_mixed(a, b) else None


def least(a: Any, b: Any) -> Any:
    """The smaller of two, number by number."""
    return np.minimum(a, b)


@overload(least, strict=False)
def _overload_least(a: Any, b: Any) -> Any:
    return (lambda a, b: _minimum(a, b)) if _is_mixed(a, b) else None


def _address(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Where the row of four numbers begins."""
    view = context.make_array(kind)(context, builder, array)
    indices = cgutils.unpack_tuple(builder, at)
    place = cgutils.get_item_pointer(context, builder, kind, view, indices, wraparound=False)
    return builder.bitcast(place, _VECTOR.as_pointer())


@intrinsic
def _load(typing_context: Any, array: Any, at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _address(context, builder, signature.args[0], *arguments)
        return builder.load(place, align=8)

    return _FOUR(array, types.UniTuple(types.intp, len(at))), generate


@intrinsic
def _store(typing_context: Any, array: Any, at: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _address(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], place, align=8)
        return context.get_dummy_value()

    return types.void(array, types.UniTuple(types.intp, len(at)), value), generate


@intrinsic
def _total(typing_context: Any, four: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, c, d = (
            builder.extract_element(arguments[0], ir.Constant(ir.IntType(32), k))
            for k in range(WIDTH)
        )
        return builder.fadd(builder.fadd(a, c), builder.fadd(b, d))

    return types.float64(four), generate


def load(array: Any, at: Any) -> Any:
    """Four numbers along the last axis, from the place `at` on; no index is negative."""
    return array[at[:-1]][at[-1] : at[-1] + WIDTH].copy()


def store(array: Any, at: Any, value: Any) -> None:
    """Put four numbers there."""
    array[at[:-1]][at[-1] : at[-1] + WIDTH] = value


def together(a: float, b: float, c: float, d: float) -> Any:
    """Four single numbers."""
    return np.array((a, b, c, d))


@intrinsic
def _together(typing_context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.Constant(_VECTOR, ir.Undefined)
        for k, value in enumerate(arguments):
            vector = builder.insert_element(vector, value, ir.Constant(ir.IntType(32), k))
        return vector

    return _FOUR(*(types.float64,) * WIDTH), generate


@overload(together, inline="always", strict=False)
def _overload_together(a: Any, b: Any, c: Any, d: Any) -> Any:
    return lambda a, b, c, d: _together(a, b, c, d)


def total(four: Any) -> float:
    """Their sum."""
    return float((four[0] + four[2]) + (four[1] + four[3]))


@overload(load, inline="always", strict=False)
def _overload_load(array: Any, at: Any) -> Any:
    return lambda array, at: _load(array, at)


@overload(store, inline="always", strict=False)
def _overload_store(array: Any, at: Any, value: Any) -> Any:
    return lambda array, at, value: _store(array, at, value)


@overload(total, inline="always", strict=False)
def _overload_total(four: Any) -> Any:
    return lambda four: _total(four)


__all__ = ["WIDTH", "least", "load", "store", "together", "total"]
