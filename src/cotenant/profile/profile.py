"""A crew measured: its models' variants, judged and timed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cotenant.backend import Engine
from cotenant.cost import Table, Timing
from cotenant.cost.opening import open_store
from cotenant.cost.store import Store, Subject
from cotenant.describe import Card, Crew, Platform, Precision, Processor, Segmented, Tenant, Variant
from cotenant.errors import BackendError
from cotenant.profile.bench import Bench, pairs
from cotenant.profile.judge import Judge, judge_of
from cotenant.profile.known import prepared
from cotenant.profile.offer import barred, homes, refused
from cotenant.profile.progress import SILENT, Progress
from cotenant.profile.segments import competes, in_segments
from cotenant.profile.timing import Effort, Trial, measure

STORE = "profile.sqlite"
NAMED = 4  # tenants in a note; of more, their number is told
_WEIGHT = {Precision.FP32: 1.0, Precision.BF16: 0.5, Precision.INT8: 0.25}
"""What a weight takes, over what it takes in fp32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Hold a card for each tenant, the times of what may be offered, and notes, one line each, on what is left out.

    `slowdowns` pairs models (digests) with what an inference takes at work, beside the others, over what it takes alone.
    """

    cards: tuple[Card, ...]
    table: Table
    notes: tuple[str, ...] = ()
    slowdowns: tuple[tuple[str, float], ...] = ()

    @property
    def at_work(self) -> Table:
        """Return the times with the slowdowns in them."""
        return self.table.slowed(dict(self.slowdowns))


def profile(
    crew: Crew,
    platform: Platform,
    engines: Sequence[Engine],
    folder: Path,
    progress: Progress = SILENT,
    precisions: tuple[Precision, ...] | None = None,
    *,
    effort: Effort | None = None,
) -> Profile:
    """Judge and time every variant of every tenant's model, but for what the store in `folder` has already.

    What was measured is kept at once: interrupted, nothing measured is lost. Only what a tenant may be offered, of the
    `precisions` given, is timed. InputError for models and samples that cannot be used, and for a folder that cannot.
    """
    wanted = pairs(engines, tuple(Precision) if precisions is None else precisions)
    notes: list[str] = []
    left_out: list[tuple[str, str]] = []
    with open_store(folder / STORE, notes.append) as store:
        session = _Session(
            store=store, platform=platform, engines=tuple(engines), folder=folder, progress=progress, wanted=wanted,
            left_out=left_out, effort=effort or Effort(), cuts=competes(crew.workload.tenants, platform),
        )  # fmt: skip
        progress.start(len(crew.workload.tenants) * session.steps)
        measured = [session.measure(tenant, f"tenants[{index}].model") for index, tenant in enumerate(crew.workload.tenants)]
    timings = {timing.key: timing for _, timings in measured for timing in timings}
    return Profile(
        cards=tuple(card for card, _ in measured), table=Table(timings=tuple(timings.values())), notes=(*notes, *_grouped(left_out))
    )


def _grouped(left_out: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Write one line for each thing that is left out, with all its tenants."""
    for story in dict.fromkeys(story for _, story in left_out):
        names = [tenant for tenant, other in left_out if other == story]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        yield f"{', '.join(names[:NAMED])}{more}: {story}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """Hold what all tenants share while a crew is measured."""

    store: Store
    platform: Platform
    engines: tuple[Engine, ...]
    folder: Path
    progress: Progress
    wanted: tuple[tuple[Precision, Engine], ...]
    left_out: list[tuple[str, str]]
    effort: Effort
    cuts: bool

    @property
    def steps(self) -> int:
        """Count what is reported for each tenant: the model, every variant judged, every one in every place, every one in segments."""
        return 1 + 2 * len(self.wanted) + sum(len(tuple(homes(self.platform, engine))) for _, engine in self.wanted)

    def measure(self, tenant: Tenant, where: str) -> tuple[Card, tuple[Timing, ...]]:
        """Judge a tenant's variants, then time those that it may be offered."""
        model, file = prepared(self.store, tenant.source, tenant.name, self.folder, where)
        bench = Bench(tenant=tenant, where=where, model=model, file=file, store=self.store, platform=self.platform, folder=self.folder)
        judge = judge_of(bench, self.engines)
        self.progress.advance(f"{tenant.name}: model")
        variants = [self._judge(judge, *pair) for pair in self.wanted]
        judged = zip(self.wanted, variants, strict=True)
        timings = [timing for pair, variant in judged for timing in self._time_everywhere(bench, *pair, variant)]
        known = tuple(variant for variant in variants if variant is not None)
        needed = {Precision.FP32, *(variant.precision for variant in known)}  # fp32 also serves those who plan nothing
        segments = tuple(self._segments(bench, *pair, timings) for pair in self.wanted)
        files = tuple((precision, str(bench.file_of(precision))) for precision in Precision if precision in needed)
        cut = tuple(one for one in segments if one is not None)
        return Card(tenant=tenant.name, model=model, files=files, variants=known, segments=cut), tuple(timings)

    def _segments(self, bench: Bench, precision: Precision, engine: Engine, timings: Sequence[Timing]) -> Segmented | None:
        """Cut a variant that was timed on one lane, if lanes need to be left between segments."""
        walls_ns = [t.wall_ns for t in timings if (t.precision, t.engine, t.width) == (precision, engine.name, 1)]
        found = in_segments(bench, precision, engine, min(walls_ns)) if self.cuts and walls_ns else None
        self.progress.advance(f"{bench.tenant.name}: {engine.name} {precision.value} in segments")
        return found

    def _judge(self, judge: Judge, precision: Precision, engine: Engine) -> Variant | None:
        """Return a judged variant, or None, with a note, for one that cannot be had."""
        tenant = judge.bench.tenant
        variant, reason = None, barred(tenant, precision, judge.judged)
        if reason is None:
            try:
                variant = judge.variant(precision, engine)
                reason = refused(tenant, variant)
            except BackendError as error:
                reason = error.story
        if reason is not None:
            self.left_out.append((tenant.name, f"{engine.name} {precision.value} is left out: {reason}"))
        self.progress.advance(f"{tenant.name}: {engine.name} {precision.value} judged")
        return variant

    def _time_everywhere(self, bench: Bench, precision: Precision, engine: Engine, variant: Variant | None) -> list[Timing]:
        """Time a variant on each kind of processor and each width; nothing for one that is not offered."""
        found = []
        for processor, width in homes(self.platform, engine):
            if variant is not None and refused(bench.tenant, variant) is None:
                timing = self._time(bench, precision, engine, processor, width)
                found += [] if timing is None else [timing]
            self.progress.advance(f"{bench.tenant.name}: {engine.name} {precision.value} on {processor.name} x{width} timed")
        return found

    def _time(self, bench: Bench, precision: Precision, engine: Engine, processor: Processor, width: int) -> Timing | None:
        subject = bench.subject(precision, engine)
        if (known := self.store.timing(subject, processor.kind, width)) is not None:
            return known
        trial = Trial(engine=engine, file=bench.file_of(precision), precision=precision, width=width, cores=processor.cores[-width:])
        try:
            with bench.alone():
                return self.store.timing(subject, processor.kind, width) or self._time_now(bench, subject, trial, processor)
        except BackendError as error:
            place = f"{engine.name} {precision.value} on {processor.name} x{width}"
            self.left_out.append((bench.tenant.name, f"{place} is left out: {error.story}"))
            return None

    def _time_now(self, bench: Bench, subject: Subject, trial: Trial, processor: Processor) -> Timing:
        found = measure(trial, bench.samples, self.effort)
        least_bytes = round(bench.model.weight_bytes * _WEIGHT[subject.precision])
        timing = Timing(
            model=subject.model, precision=subject.precision, engine=subject.engine, engine_version=subject.engine_version,
            kind=processor.kind, width=trial.width, wall_ns=found.wall_ns, cpu_ns=found.cpu_ns, spread=found.spread, runs=found.runs,
            resident_bytes=max(found.resident_bytes, least_bytes),
        )  # fmt: skip
        self.store.put_timing(subject, timing)
        return timing
