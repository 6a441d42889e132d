"""What each variant's answers are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cotenant.backend import Engine
from cotenant.cost.store import Verdict
from cotenant.describe import Array, Judged, Precision, Variant
from cotenant.errors import BackendError, InputError
from cotenant.profile.bench import Bench
from cotenant.profile.fidelity import accuracy, alike, fidelity
from cotenant.profile.samples import generated

FIRST: Final = "onnxruntime"
"""The engine whose fp32 the others are compared with, where it is there and runs the model."""
TRIALS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Compare variants of the model on a bench with `reference`'s answers in fp32."""

    bench: Bench
    reference: Engine

    @property
    def judged(self) -> Judged:
        """Say what a fidelity is worth here: as the samples are, unknown where fewer than two can judge."""
        source = self.bench.tenant.source
        if source.samples is None:
            return Judged.GENERATED if source.is_zoo else Judged.UNKNOWN
        return self.bench.samples.judged

    @cached_property
    def exact(self) -> Sequence[Mapping[str, Array]]:
        return self.bench.answers(self.reference, Precision.FP32, self.bench.judging)

    def variant(self, precision: Precision, engine: Engine) -> Variant:
        """Return a variant with its fidelity, from the store if it was judged before; BackendError if the engine fails."""
        self.bench.file_of(precision)
        verdict = self._known(precision, engine)
        if verdict is None:
            with self.bench.alone():
                verdict = self._known(precision, engine) or self._judged_now(precision, engine)
        judged = self.judged
        exact = precision is Precision.FP32 and (engine is self.reference or judged is Judged.UNKNOWN)
        return Variant(
            model=self.bench.model.digest, precision=precision, engine=engine.name, fidelity=verdict.fidelity, accuracy=verdict.accuracy,
            judged=Judged.EXACT if exact else judged, shared=engine.shares_sessions,
        )  # fmt: skip

    @property
    def _key(self) -> str:
        return f"{self.bench.samples_key} {self.reference.name}"

    def _known(self, precision: Precision, engine: Engine) -> Verdict | None:
        return self.bench.store.verdict(self.bench.subject(precision, engine), self._key, self.bench.tenant.fidelity_measure)

    def _judged_now(self, precision: Precision, engine: Engine) -> Verdict:
        verdict = self._trial(precision, engine) if self.judged is Judged.UNKNOWN else self._verdict(precision, engine)
        self.bench.store.put_verdict(self.bench.subject(precision, engine), self._key, self.bench.tenant.fidelity_measure, verdict)
        return verdict

    def _verdict(self, precision: Precision, engine: Engine) -> Verdict:
        labels, measure = self.bench.judging.labels, self.bench.tenant.fidelity_measure
        answers = self.exact if _is(engine, precision, self.reference) else self.bench.answers(engine, precision, self.bench.judging)
        return Verdict(
            fidelity=1.0 if answers is self.exact else fidelity(answers, self.exact, measure),
            accuracy=None if labels is None else accuracy(answers, labels),
        )

    def _trial(self, precision: Precision, engine: Engine) -> Verdict:
        """Run generated inputs, which judge nothing, but show whether an engine runs the model and whether two fp32 agree."""
        inputs = generated(self.bench.model, TRIALS)
        answers = self.bench.answers(engine, precision, inputs)
        if precision is not Precision.FP32:
            return Verdict(fidelity=None)
        if engine is self.reference:
            return Verdict(fidelity=1.0)
        return Verdict(fidelity=1.0 if alike(answers, self.bench.answers(self.reference, precision, inputs)) else 0.0)


def _is(engine: Engine, precision: Precision, reference: Engine) -> bool:
    return engine is reference and precision is Precision.FP32


def judge_of(bench: Bench, engines: Sequence[Engine]) -> Judge:
    """Find the engine whose fp32 is the measure: the first, in order, that runs the model; InputError if none does."""
    stories = []
    for engine in sorted(engines, key=lambda e: e.name != FIRST):
        if Precision.FP32 not in engine.precisions():
            continue
        judge = Judge(bench=bench, reference=engine)
        try:
            judge.variant(Precision.FP32, engine)
        except BackendError as error:
            stories.append(str(error))
        else:
            return judge
    told = "; ".join(stories) or "no engine here computes fp32"
    raise InputError(bench.where, bench.tenant.source.model, f"a model that an engine here can run; {told}")
