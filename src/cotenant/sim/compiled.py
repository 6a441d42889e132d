"""The loop as machine code, and each policy as four pointers."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dis import get_instructions
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, MappingProxyType
from typing import Any, cast

from cotenant.describe import cache_folder
from cotenant.dispatch.ask import Asks, ask_order, ask_orders, ask_shares, ask_step, asks_of, look
from cotenant.policy import Policy
from cotenant.sim.act import act_at
from cotenant.sim.loop import run
from cotenant.sim.subset import check_arguments, refusing_plainly

Function = Callable[..., Any]
Loop = Callable[[Any, Any, int], int]

NOTHING: Mapping[str, Any] = MappingProxyType({})

_INNER = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Called from compiled code alone; nothing is allocated, so nothing is counted."""


def is_there() -> bool:
    """Say whether numba is installed (the extra `sim`)."""
    return find_spec("numba") is not None


def plain(policy: Policy) -> Loop:
    """Return the loop in plain Python for one policy."""
    asks = asks_of(policy)
    return lambda state, world, events: run(state, world, events, *asks)


class Compiler:
    """Compile the loop once, and every policy's answers; the machine code of the loop is kept in the cache folder.

    `types` of the state and the world are those of any packed ones: they do not depend on the case.
    """

    def __init__(self) -> None:
        self._entries: dict[str, Function] = {}
        self._sources = {checked: _Source("Linked", boundscheck=checked, forceinline=True) for checked in (True, False)}
        self._asks: dict[tuple[Function, ...], Asks] = {}

    def loop(self, policy: Policy) -> Loop:
        """Return the loop for a policy; ImportError without numba, TypeError if the policy is not in the subset that compiles."""

        def call(state: Any, world: Any, events: int) -> int:
            compiled = self._loop(state, world)
            return int(compiled(state, world, events, *self._asked(policy, state)))

        return call

    def act(self, policy: Policy, state: Any) -> tuple[Callable[..., int], list[int]]:
        """Return `sim.act.act` as a function of whole numbers, and a policy's part of the table that the first of them is the address of.

        The table has the addresses of the state's rows, of `out` and of `lanes`, then that part. ImportError and TypeError as `loop`.
        """
        from numba import int64, typeof

        import_module("cotenant.sim.pointers")
        from cotenant.sim.placed import addresses, placed

        pointers = _pointers(typeof(state))
        if "act" not in self._entries:
            source = _Source("Lean", error_model="numpy", forceinline=True)
            names = {"placed": placed(typeof(state), typeof(state.running), pointers)}
            self._entries["act"] = _kept(source.copy(act_at, names), int64(*[int64] * 6), nogil=False)
        return self._entries["act"], addresses(self._asked(policy, state), pointers)

    def _loop(self, state: Any, world: Any) -> Function:
        if "run" not in self._entries:
            from numba import int64, typeof

            import_module("cotenant.sim.pointers")  # teaches numba what packed rows are
            source = _Source("Lean", error_model="numpy", forceinline=True)
            types = int64(typeof(state), typeof(world), int64, *_pointers(typeof(state)))
            self._entries["run"] = _kept(source.copy(run), types, nogil=True)
        return self._entries["run"]

    def _asked(self, policy: Policy, state: Any) -> Asks:
        functions: tuple[Function, ...] = (policy.order, policy.prepare, policy.width, policy.place, policy.share)
        if functions not in self._asks:
            check_arguments(policy)
            with refusing_plainly():
                self._asks[functions] = self._compiled(functions, state)
        return self._asks[functions]

    def _compiled(self, functions: tuple[Function, ...], state: Any) -> Asks:
        from numba import njit, typeof

        signatures = [pointer.signature for pointer in _pointers(typeof(state))]
        checked = not all(_is_shipped(one) for one in functions)
        order, prepare, width, place, share, view = (self._sources[checked].compiled(one) for one in (*functions, look))
        asks = (ask_orders(order, prepare, view), ask_order(order, view), ask_step(width, place, view), ask_shares(share, view))
        return Asks(*(njit(types, _nrt=False, boundscheck=checked)(ask) for types, ask in zip(signatures, asks, strict=True)))


def is_shipped(policy: Policy) -> bool:
    """Say whether a policy is one that we ship, which is known to compile."""
    return all(_is_shipped(one) for one in (policy.order, policy.prepare, policy.width, policy.place, policy.share))


def _is_shipped(function: Function) -> bool:
    """Say whether a function is of a policy that we ship: its indices are held by laws and parity, and not checked at each use."""
    return function.__module__.partition(".")[0] == __name__.partition(".")[0]


class _Source:
    """Copy functions such that the plain ones that they call are compiled, by a pipeline of `sim.linked`, with options for numba."""

    def __init__(self, pipeline: str, **options: object) -> None:
        self._pipeline = pipeline
        self._options = {**_INNER, **options}
        self._made: dict[Function, Function] = {}

    def compiled(self, function: Function) -> Function:
        """Return the compiled form of a function; a recursive one is refused by RecursionError."""
        from numba import njit

        from cotenant.sim import linked

        if function not in self._made:
            known = cast("FunctionType", function)
            decorated = njit(pipeline_class=getattr(linked, self._pipeline), **self._options)(self.copy(known))
            self._made[function] = linked.once(decorated)
        return self._made[function]

    def copy(self, function: Function, names: Mapping[str, Any] = NOTHING) -> Function:
        """Copy a function such that what it calls is compiled, or what these names say."""
        known = cast("FunctionType", function)
        called = {name: self.compiled(found) for name, found in _called(known).items() if name not in names}
        copy = FunctionType(known.__code__, {**known.__globals__, **called, **names}, known.__name__, known.__defaults__, known.__closure__)
        copy.__module__, copy.__qualname__ = known.__module__, known.__qualname__
        return copy


def _kept(function: Function, types: Any, *, nogil: bool) -> Function:
    """Compile a function that Python calls, and keep it on disk."""
    from numba import njit

    with _cache_at(cache_folder() / "compiled" / digest()):
        return cast("Function", njit(types, cache=True, nogil=nogil, _nrt=False, error_model="numpy")(function))


def _called(function: FunctionType) -> dict[str, FunctionType]:
    names = {str(one.argval) for one in get_instructions(function) if one.opname == "LOAD_GLOBAL"}
    found = ((name, function.__globals__.get(name)) for name in sorted(names))
    return {name: called for name, called in found if isinstance(called, FunctionType)}


def _pointers(state: Any) -> tuple[Any, Any, Any, Any]:
    """Return the numba types of the four fields of `Asks`, for a state's type."""
    from numba import int64, types, void

    orders, order, step = void(state, int64), void(state, int64, int64), int64(state, int64, int64)
    return types.FunctionType(orders), types.FunctionType(order), types.FunctionType(step), types.FunctionType(orders)


@contextmanager
def _cache_at(folder: Path) -> Iterator[None]:
    """Have numba keep what it compiles in a folder, for as long as this lasts."""
    from numba.core import config

    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def digest() -> str:
    """Return the SHA-256 (hex) of all that the loop is compiled from, and of the interpreter's version."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256(sys.version.encode())
    for path in sorted((*root.glob("dispatch/*.py"), *root.glob("sim/*.py"), root / "policy/interface.py", root / "cost/contention.py")):
        found.update(path.read_bytes())
    return found.hexdigest()
