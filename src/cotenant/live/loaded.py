"""Sessions: one for all lanes, or one for each, as the engine allows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cotenant.backend import Engine, Session
from cotenant.backend.hugepages import collapse
from cotenant.describe import Array, Card, Model, Option, Platform, Precision, Processor, Step
from cotenant.errors import BackendError
from cotenant.live.ward import Ward

EVERY_LANE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """Name one loaded copy of a model, whole or in segments: all that use it name the same."""

    model: str
    files: tuple[str, ...]
    precision: Precision
    engine: str
    place: str
    processor: str
    width: int
    lane: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Hold the sessions of all options that were loaded, one for each copy; find one by option, step and lane within the processor.

    Those of a tenant with a ward are in the ward's process.
    """

    engines: Mapping[str, Engine]
    cards: Mapping[str, Card]
    platform: Platform
    wards: Mapping[str, Ward] = field(default_factory=dict)
    _sessions: dict[_Copy, tuple[Session, ...]] = field(default_factory=dict)

    def load(self, options: Iterable[Option]) -> None:
        """Load and warm what is not loaded yet, several at a time, on huge pages; BackendError if an engine cannot."""
        told = tuple(options)
        for name, ward in self.wards.items():
            ward.load(option for option in told if option.tenant == name)
        self._load_here(option for option in told if option.tenant not in self.wards)
        for ward in self.wards.values():
            ward.wait()

    def _load_here(self, options: Iterable[Option]) -> None:
        wanted = {
            self._copy(option, step, lane): self.cards[option.tenant].model
            for option in options
            for step in option.chain
            for lane in range(self.platform.processor(step.processor).lanes)
        }
        missing = [(copy, model) for copy, model in wanted.items() if copy not in self._sessions]
        with ThreadPoolExecutor(max_workers=max(1, self.platform.lanes), thread_name_prefix="cotenant-load") as pool:
            for (copy, _), sessions in zip(missing, pool.map(lambda pair: self._load(*pair), missing), strict=True):
                self._sessions[copy] = sessions
        collapse()

    def session(self, option: Option, step: Step, lane: int) -> Session:
        """Return the session to run a step with, of segments the step's own; KeyError if the option was not loaded."""
        if option.tenant in self.wards:
            return self.wards[option.tenant].session(option, step, lane)
        sessions = self._sessions[self._copy(option, step, lane)]
        return sessions[step.segment if len(sessions) > 1 else 0]

    def close(self) -> None:
        """Close every session; nothing may run."""
        for session in (session for sessions in self._sessions.values() for session in sessions):
            session.close()
        self._sessions.clear()

    def _engine(self, name: str) -> Engine:
        if name not in self.engines:
            raise BackendError(name, "is planned for but not installed")
        return self.engines[name]

    def _copy(self, option: Option, step: Step, lane: int) -> _Copy:
        artifact, shared = option.artifact, self._engine(option.artifact.engine).shares_sessions
        card = self.cards[option.tenant]
        segments = card.cut(artifact.precision, artifact.engine) if artifact.in_segments else None
        return _Copy(
            model=artifact.model,
            precision=artifact.precision,
            engine=artifact.engine,
            place=artifact.place,
            files=segments.files if segments else (card.file(artifact.precision),),
            processor="" if shared and step.width == 1 else step.processor,
            width=step.width,
            lane=EVERY_LANE if shared else lane,
        )

    def _load(self, copy: _Copy, model: Model) -> tuple[Session, ...]:
        if copy.processor:
            _stay_on(self.platform.processor(copy.processor))  # threads that the engine makes inherit it
        engine, files = self._engine(copy.engine), [Path(file) for file in copy.files]
        if len(files) > 1:
            sessions = engine.load_chain(files, copy.precision)
        else:
            sessions = (engine.load(files[0], copy.precision, threads=copy.width),)
        values: Mapping[str, Array] = _zeros(model)
        for session in sessions:
            values = session.run(values)
        return sessions


def _stay_on(processor: Processor) -> None:
    if processor.cores:
        with suppress(OSError, AttributeError):
            os.sched_setaffinity(0, processor.cores)


def _zeros(model: Model) -> dict[str, Array]:
    return {tensor.name: np.zeros(tensor.shape, dtype=tensor.dtype) for tensor in model.inputs}
