"""Sessions: one for all lanes, or one for each, as the engine allows."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cotenant.backend import Engine, Session
from cotenant.backend.freed import give_back
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


Home = Ward | Card
"""Where an option is served: in a ward's process, or here, from the files of a card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Hold the sessions of all options that were loaded, one for each copy; find one by option, step and lane within the processor."""

    engines: Mapping[str, Engine]
    platform: Platform
    _homes: dict[Option, Home] = field(default_factory=dict)
    _sessions: dict[_Copy, tuple[Session, ...]] = field(default_factory=dict)

    @property
    def options(self) -> frozenset[Option]:
        """Return what is loaded."""
        return frozenset(self._homes)

    def home(self, option: Option) -> Home | None:
        """Return where an option is loaded; None if it is not."""
        return self._homes.get(option)

    def load(self, homes: Mapping[Option, Home]) -> None:
        """Load and warm what is not loaded yet, several at a time, on huge pages; BackendError if an engine cannot.

        What is loaded stays, for whoever still runs it; an option that is there already is served from its new home from now on. Where
        it fails, what came of it is there until `keep`.
        """
        wards = {home: [o for o, at in homes.items() if at is home] for home in homes.values() if isinstance(home, Ward)}
        here = {option: home for option, home in homes.items() if isinstance(home, Card)}
        for ward, options in wards.items():
            ward.load(options)
        self._load_here(here)
        for ward in wards:
            ward.wait()
        self._homes.update(homes)

    def _load_here(self, homes: Mapping[Option, Card]) -> None:
        wanted = {copy: card.model for option, card in homes.items() for copy in self._copies(option, card)}
        missing = {copy: model for copy, model in wanted.items() if copy not in self._sessions}
        with ThreadPoolExecutor(max_workers=max(1, self.platform.lanes), thread_name_prefix="cotenant-load") as pool:
            begun = {copy: pool.submit(self._load, copy, model) for copy, model in missing.items()}
        for copy, loading in begun.items():
            if loading.exception() is None:
                self._sessions[copy] = loading.result()
        for loading in begun.values():
            loading.result()
        collapse()

    def session(self, option: Option, step: Step, lane: int) -> Session:
        """Return the session to run a step with, of segments the step's own; KeyError if the option was not loaded."""
        home = self._homes[option]
        if isinstance(home, Ward):
            return home.session(option, step, lane)
        sessions = self._sessions[self._copy(option, step, lane, home)]
        return sessions[step.segment if len(sessions) > 1 else 0]

    def wards(self) -> tuple[Ward, ...]:
        """Return those that serve something."""
        return tuple({id(home): home for home in self._homes.values() if isinstance(home, Ward)}.values())

    def keep(self, options: Collection[Option]) -> None:
        """Close every session but those of these options; nothing else may run."""
        for option in self._homes.keys() - set(options):
            del self._homes[option]
        used = {copy for option, home in self._homes.items() if isinstance(home, Card) for copy in self._copies(option, home)}
        unused = self._sessions.keys() - used
        for copy in unused:
            self._drop(copy)
        if unused:
            give_back()

    def _drop(self, copy: _Copy) -> None:
        for session in self._sessions.pop(copy):
            session.close()

    def close(self) -> None:
        """Close every session; nothing may run."""
        self.keep(())

    def _copies(self, option: Option, card: Card) -> Iterator[_Copy]:
        for step in option.chain:
            for lane in range(self.platform.processor(step.processor).lanes):
                yield self._copy(option, step, lane, card)

    def _engine(self, name: str) -> Engine:
        if name not in self.engines:
            raise BackendError(name, "is planned for but not installed")
        return self.engines[name]

    def _copy(self, option: Option, step: Step, lane: int, card: Card) -> _Copy:
        artifact, shared = option.artifact, self._engine(option.artifact.engine).shares_sessions
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
