"""Functions that are compiled to be part of their callers, never to be called by themselves."""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager
from numba.core.typed_passes import IRLegalization, NativeLowering, NoPythonBackend, NopythonTypeInference, PreLowerStripPhis
from numba.core.types.misc import unliteral
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode


class _Unemitted:
    """A code generator that has no address to note for a function that is not emitted."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, env: Any) -> None:
        """Note nothing: who is not emitted has no environment."""


class _Part(JITCodeLibrary):  # type: ignore[misc]
    """The LLVM module of a function, for its callers' to take in: they optimise and emit it.

    Left to itself, numba optimises all that is below a function once for each floor of calls, and emits each by itself too.
    """

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0

    @property
    def codegen(self) -> Any:
        return _Unemitted(self._codegen)


class Linked(CompilerBase):  # type: ignore[misc]
    """Compile a function as numba does, to be linked into its callers."""

    def define_pipelines(self) -> list[PassManager]:
        state = self.state
        state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        return [self.passes()]

    def passes(self) -> PassManager:
        return DefaultPassBuilder.define_nopython_pipeline(self.state)


class Lean(Linked):
    """Do so by the passes alone that functions without closures, tuples of constants and `with` need: a third of the time."""

    def passes(self) -> PassManager:
        manager = PassManager("lean")
        for one in (
            TranslateByteCode,
            FixupArgs,
            IRProcessing,
            ReconstructSSA,
            NopythonTypeInference,
            PreLowerStripPhis,
            IRLegalization,
            NativeLowering,
            NoPythonBackend,
        ):
            manager.add_pass(one, one.__name__)
        manager.finalize()
        return manager


def once(dispatcher: Any) -> Any:
    """Have a function compiled once for all constants that it is called with, not once for each; return it."""
    ask = dispatcher.get_call_template

    def template(args: Any, kws: Any) -> Any:
        return ask(tuple(unliteral(one) for one in args), {name: unliteral(one) for name, one in kws.items()})

    dispatcher.get_call_template = template
    return dispatcher
