"""One tenant's model on the bench, with all that measuring it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cotenant.backend import Engine
from cotenant.cost.opening import alone
from cotenant.cost.store import Store, Subject
from cotenant.describe import Array, Model, Platform, Precision, Tenant
from cotenant.errors import BackendError
from cotenant.profile.quantise import int8_file, quantise, recipe
from cotenant.profile.samples import Samples, samples_key, samples_of

MEASURING = "measuring"
"""Who measures holds the lock of this name in the cache folder."""

CALIBRATING = 16
JUDGING = 16


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Hold a tenant's model; what is slow to have (samples, answers, the int8 file) is had when first asked for."""

    tenant: Tenant
    where: str
    model: Model
    file: Path
    store: Store
    platform: Platform
    folder: Path

    @cached_property
    def samples_key(self) -> str:
        return samples_key(self.tenant)

    @cached_property
    def samples(self) -> Samples:
        return samples_of(self.tenant, self.model, CALIBRATING + JUDGING)

    @cached_property
    def calibrating(self) -> Samples:
        return self.samples.split(CALIBRATING, JUDGING)[0]

    @cached_property
    def judging(self) -> Samples:
        return self.samples.split(CALIBRATING, JUDGING)[1]

    @cached_property
    def int8_file(self) -> Path:
        """Return the quantised file, made at the first call; BackendError, remembered in the store, if there can be none."""
        target = int8_file(self.model.digest, self.samples_key, self.folder)
        if target.is_file():
            return target
        fact = f"no int8 {self.model.digest} {self.samples_key} {recipe()}"
        if (known := self.store.fact(fact)) is not None:
            raise BackendError("quantiser", known.decode(errors="replace"))
        try:
            with self.alone():
                if not target.is_file():
                    quantise(self.file, self.calibrating, target)
        except BackendError as error:
            self.store.put_fact(fact, error.story.encode())
            raise
        return target

    def alone(self) -> AbstractContextManager[None]:
        """Hold off others that measure from the same folder: they would slow one another; what they did is then in the store."""
        return alone(self.folder / MEASURING)

    def file_of(self, precision: Precision) -> Path:
        """Return the file to load for a precision; BackendError if there is none."""
        return self.int8_file if precision is Precision.INT8 else self.file

    def subject(self, precision: Precision, engine: Engine) -> Subject:
        """Return the store's key for one variant."""
        made_by = recipe() if precision is Precision.INT8 else ""
        return Subject(
            model=self.model.digest, precision=precision, engine=engine.name, engine_version=engine.version,
            machine=self.platform.fingerprint, recipe=made_by,
        )  # fmt: skip

    def answers(self, engine: Engine, precision: Precision, samples: Samples) -> list[Mapping[str, Array]]:
        """Run samples one after the other, on all lanes; BackendError if the engine fails."""
        session = engine.load(self.file_of(precision), precision, threads=self.platform.lanes)
        try:
            return [dict(session.run(samples.request(index))) for index in range(len(samples))]
        finally:
            session.close()


def pairs(engines: Sequence[Engine], precisions: Iterable[Precision]) -> tuple[tuple[Precision, Engine], ...]:
    """List each wanted precision with each engine that computes it."""
    return tuple((precision, engine) for precision in precisions for engine in engines if precision in engine.precisions())
