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
from cotenant.describe import Card, Model, Option, Platform, Processor, Step
from cotenant.errors import BackendError

EVERY_LANE = -1

Key = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Hold the sessions of all options that were loaded; find one by option, step and lane within the processor."""

    engines: Mapping[str, Engine]
    cards: Mapping[str, Card]
    platform: Platform
    _sessions: dict[tuple[Option, Key], Session] = field(default_factory=dict)

    def load(self, options: Iterable[Option]) -> None:
        """Load and warm what is not loaded yet, several at a time, on huge pages; BackendError if an engine cannot."""
        wanted = [
            (option, step, lane)
            for option in options
            for step in option.chain
            for lane in self._lanes(option, step)
            if (option, self._key(step, lane)) not in self._sessions
        ]
        with ThreadPoolExecutor(max_workers=max(1, self.platform.lanes), thread_name_prefix="cotenant-load") as pool:
            for (option, step, lane), session in zip(wanted, pool.map(lambda w: self._load(*w), wanted), strict=True):
                self._sessions[option, self._key(step, lane)] = session
        collapse()

    def session(self, option: Option, step: Step, lane: int) -> Session:
        """Return the session to run a step with; KeyError if the option was not loaded."""
        shared = self._engine(option).shares_sessions
        return self._sessions[option, self._key(step, EVERY_LANE if shared else lane)]

    def close(self) -> None:
        """Close every session; nothing may run."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def _engine(self, option: Option) -> Engine:
        name = option.artifact.engine
        if name not in self.engines:
            raise BackendError(name, "is planned for but not installed")
        return self.engines[name]

    def _lanes(self, option: Option, step: Step) -> range:
        return range(EVERY_LANE, 0) if self._engine(option).shares_sessions else range(self.platform.processor(step.processor).lanes)

    def _key(self, step: Step, lane: int) -> Key:
        return (step.processor, str(step.segment), step.width, lane)

    def _load(self, option: Option, step: Step, lane: int) -> Session:
        _stay_on(self.platform.processor(step.processor))  # threads that the engine makes inherit it
        card = self.cards[option.tenant]
        session = self._engine(option).load(Path(card.file(option.artifact.precision)), option.artifact.precision, threads=step.width)
        session.run(_zeros(card.model))
        return session


def _stay_on(processor: Processor) -> None:
    if processor.cores:
        with suppress(OSError, AttributeError):
            os.sched_setaffinity(0, processor.cores)


def _zeros(model: Model) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    return {tensor.name: np.zeros(tensor.shape, dtype=tensor.dtype) for tensor in model.inputs}
