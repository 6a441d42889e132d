"""Packed rows as numba sees them: a pointer to the first, before which their count stands."""

from __future__ import annotations

import operator
from hashlib import sha256
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import NativeValue, lower_builtin, models, register_model, typeof_impl, unbox
from numba.np.numpy_support import from_dtype

from cotenant.sim.rows import Packed

_BYTE = ir.IntType(8)


class Rows(types.Type):
    """The type of packed rows or numbers of one type.

    An array would do, but is seven values wherever it is passed, counted and checked; a state of two dozen of them compiles three
    times as long and runs half as fast. An index must be within the count, and not negative: that is checked where numba is told
    `boundscheck`, as for the functions of users' policies; ours are taken at their word. Its name is short, since it is part of the
    names of all functions that take it.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Rows_{sha256(str(dtype).encode()).hexdigest()[:12]}")


register_model(Rows)(models.OpaqueModel)


@typeof_impl.register(Packed)
def _typeof(packed: Packed, context: Any) -> Rows:
    return Rows(from_dtype(np.asarray(packed.array).dtype))


@unbox(Rows)
def _unbox(rows: Rows, packed: Any, c: Any) -> NativeValue:
    number = c.pyapi.object_getattr_string(packed, "data")
    value = c.pyapi.long_as_longlong(number)
    c.pyapi.decref(number)
    return NativeValue(c.builder.inttoptr(value, _BYTE.as_pointer()), is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        rows, index = args
        return signature(rows.dtype, rows, types.int64) if isinstance(rows, Rows) and isinstance(index, types.Integer) else None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        rows, index, _ = args
        known = isinstance(rows, Rows) and isinstance(index, types.Integer)
        return signature(types.none, rows, types.int64, rows.dtype) if known else None


@infer_global(len)
class _Len(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.int64, *args) if isinstance(args[0], Rows) else None


def _address(context: Any, builder: Any, rows: Rows, value: Any, index: Any) -> Any:
    """Return a pointer to one row, of the type that numba gives a record or a number in memory."""
    if context.enable_boundscheck:
        with builder.if_then(builder.icmp_unsigned(">=", index, _count(builder, value)), likely=False):
            context.call_conv.return_user_exc(builder, IndexError, ("list index out of range",))
    size = rows.dtype.size if isinstance(rows.dtype, types.Record) else 8
    offset = builder.mul(index, ir.Constant(ir.IntType(64), size))
    at = builder.gep(value, [offset], inbounds=True)
    kind = context.get_value_type(rows.dtype)
    return builder.bitcast(at, kind if isinstance(rows.dtype, types.Record) else kind.as_pointer())


def _count(builder: Any, value: Any) -> Any:
    """Return how many rows there are."""
    before = builder.gep(value, [ir.Constant(ir.IntType(64), -8)], inbounds=True)
    return builder.load(builder.bitcast(before, ir.IntType(64).as_pointer()))


@lower_builtin(operator.getitem, Rows, types.Integer)
def _get(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    at = _address(context, builder, sig.args[0], args[0], args[1])
    return at if isinstance(sig.args[0].dtype, types.Record) else builder.load(at)


@lower_builtin(operator.setitem, Rows, types.Integer, types.Any)
def _set(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    builder.store(args[2], _address(context, builder, sig.args[0], args[0], args[1]))
    return context.get_dummy_value()


@lower_builtin(len, Rows)
def _len(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return _count(builder, args[0])
