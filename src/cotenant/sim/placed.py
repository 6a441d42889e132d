"""A dispatcher's state found at an address: what Python calls with numbers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.core.types import Tuple, int64  # type: ignore[attr-defined]  # made when numba is imported
from numba.experimental.function_type import _get_jit_address, _get_wrapper_address
from numba.extending import intrinsic

from cotenant.sim.pointers import Rows

_WORD = ir.IntType(64)


def placed(state: Any, numbers: Rows, pointers: Sequence[Any]) -> Callable[..., Any]:
    """Return a function, for compiled code, of the address of a table; it gives the state, `out`, `lanes`, and a policy's functions.

    A call from Python with a tuple of rows and four functions takes milliseconds: numba looks the functions up each time. With whole
    numbers it takes a fraction of a microsecond.
    """
    found = Tuple((state, numbers, numbers, *pointers))

    @intrinsic  # type: ignore[untyped-decorator]  # numba has no types of its own
    def at(_typing: Any, _address: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            table = builder.inttoptr(arguments[0], _WORD.as_pointer())
            words = iter(range(len(state.types) + 2 + 2 * len(pointers)))

            def address() -> Any:
                word = builder.load(builder.gep(table, [ir.Constant(_WORD, next(words))]))
                return builder.inttoptr(word, ir.IntType(8).as_pointer())

            rows = context.make_tuple(builder, state, [address() for _ in state.types])
            out, lanes = address(), address()
            functions = []
            for kind in pointers:
                function = cgutils.create_struct_proxy(kind)(context, builder)
                function.c_addr, function.jit_addr = address(), address()
                functions.append(function._getvalue())  # noqa: SLF001  # numba's own way to make a value of a struct
            return context.make_tuple(builder, found, [rows, out, lanes, *functions])

        return found(int64), generate

    return at  # type: ignore[no-any-return]


def addresses(functions: Sequence[Any], pointers: Sequence[Any]) -> list[int]:
    """Return the two addresses of each compiled function, as the table has them."""
    both = (_get_wrapper_address, _get_jit_address)
    return [find(function, kind.signature) for function, kind in zip(functions, pointers, strict=True) for find in both]
