"""Networks cut into segments, so that lanes can be left between them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from cotenant.backend import Divider, Engine, Session
from cotenant.describe import Array, Platform, Precision, Preemption, Segmented, Tenant
from cotenant.errors import BackendError, InputError
from cotenant.profile.bench import Bench
from cotenant.profile.cutting import positions
from cotenant.units import NS_PER_MS

LENGTHS_NS: Final = (2.5 * NS_PER_MS, 5 * NS_PER_MS)
"""Of a segment, the shorter tried first: shorter ones cost more, longer ones make others wait."""
CHEAP, DEAR = 1.08, 1.15
"""What all segments take over what the whole takes: enough to look no further, and too much."""
RUNS, ROUNDS = 3, 5
RECIPE = 1
"""Counts up when segments would be made otherwise."""
FILE: Final = "segments.json"


def competes(tenants: Sequence[Tenant], platform: Platform) -> bool:
    """Say whether lanes need to be left between segments: several deadlines compete, or no operating system preempts."""
    cooperative = any(p.preemption in {Preemption.SEGMENT, Preemption.NONE} for p in platform.processors)
    return cooperative or sum(tenant.deadline_ns is not None for tenant in tenants) > 1


def in_segments(bench: Bench, precision: Precision, engine: Engine, wall_ns: int) -> Segmented | None:
    """Return a variant's segments, cut and timed the first time; None where it is short, or cutting it costs too much.

    `wall_ns` is what it takes whole. InputError for a folder that cannot be written.
    """
    if engine.divider is None or wall_ns < 1.5 * LENGTHS_NS[0]:
        return None
    told = repr((bench.subject(precision, engine).key, RECIPE, LENGTHS_NS))
    folder = bench.folder / "segments" / hashlib.sha256(told.encode()).hexdigest()[:24]
    known = _recall(folder, precision, engine)
    if known is None:
        with bench.alone():
            known = _recall(folder, precision, engine) or _cut_now(bench, precision, engine, engine.divider, folder)
    return known if known.files else None


def _recall(folder: Path, precision: Precision, engine: Engine) -> Segmented | None:
    """Return what was made before: segments, or that there are none."""
    try:
        parts = [float(part) for part in json.loads((folder / FILE).read_text())]
    except (OSError, ValueError, TypeError):
        return None
    files = tuple(str(folder / f"{index}.onnx") for index in range(len(parts)))
    if not all(Path(file).is_file() for file in files):
        return None
    return Segmented(precision=precision, engine=engine.name, files=files, parts=tuple(parts))


def _cut_now(bench: Bench, precision: Precision, engine: Engine, divider: Divider, folder: Path) -> Segmented:
    with _written(folder) as draft:
        try:
            parts = _cheapest(bench, precision, engine, divider, draft)
        except (BackendError, ValueError, MemoryError):  # it cannot be taken apart, as one of 2 GB cannot
            parts = ()
        (draft / FILE).write_text(json.dumps(parts))
    files = tuple(str(folder / f"{index}.onnx") for index in range(len(parts)))
    return Segmented(precision=precision, engine=engine.name, files=files, parts=parts)


@contextmanager
def _written(folder: Path) -> Iterator[Path]:
    """Give a folder to write to, which is put in its place all at once."""
    draft = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent))
        yield draft
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    except OSError as error:
        raise InputError(
            str(folder.parent), error.strerror, "a folder with room for networks in segments; COTENANT_CACHE names another"
        ) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def _cheapest(bench: Bench, precision: Precision, engine: Engine, divider: Divider, draft: Path) -> tuple[float, ...]:
    """Write the segments of the first length that is cheap, else of the longest; return their parts, none if all are dear."""
    from cotenant.graph.split import Whole

    flat = draft / "whole.onnx"
    divider.flatten(bench.file_of(precision), precision, flat)
    whole = Whole.read(flat)
    requests = [bench.samples.request(index) for index in range(min(len(bench.samples), RUNS))]
    tensors = divider.tensors(whole.open().SerializeToString())
    times_ns = divider.times_ns(whole.proto.SerializeToString(), requests * ROUNDS)
    by_node = [times_ns.get(node.name, 0.0) for node in whole.nodes]
    cuts = {cut.position: cut.live_bytes for cut in whole.cuts(tensors)}
    flat.unlink()
    parts: tuple[float, ...] = ()
    for length_ns in LENGTHS_NS:
        chosen = positions(by_node, cuts, length_ns)
        if not chosen:
            return ()
        for index, segment in enumerate(whole.segments(chosen, tensors)):
            (draft / f"{index}.onnx").write_bytes(segment.SerializeToString())
        files = [draft / f"{index}.onnx" for index in range(len(chosen) + 1)]
        parts = _Trial(bench=bench, precision=precision, engine=engine, files=files, requests=requests).parts()
        if parts and sum(parts) <= CHEAP:
            break
    return parts if sum(parts) <= DEAR else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Run a network whole and in segments, in turns."""

    bench: Bench
    precision: Precision
    engine: Engine
    files: Sequence[Path]
    requests: Sequence[Mapping[str, Array]]

    def parts(self) -> tuple[float, ...]:
        """Return what each segment takes over what the whole takes; none if they do not answer as the whole does, bit by bit."""
        whole = self.engine.load(self.bench.file_of(self.precision), self.precision)
        segments = self.engine.load_chain(self.files, self.precision)
        try:
            if not all(_same(whole.run(request), _chained(segments, request)) for request in self.requests):
                return ()
            rounds = [(self._whole_ns(whole), self._segments_ns(segments)) for _ in range(ROUNDS)]
        finally:
            for session in (whole, *segments):
                session.close()
        return tuple(median(some[index] / whole_ns for whole_ns, some in rounds) for index in range(len(segments)))

    def _whole_ns(self, whole: Session) -> float:
        return median(_taken_ns(whole, request)[0] for request in self.requests)

    def _segments_ns(self, segments: Sequence[Session]) -> list[float]:
        runs = []
        for request in self.requests:
            taken, values = [], request
            for segment in segments:
                taken_ns, values = _taken_ns(segment, values)
                taken.append(taken_ns)
            runs.append(taken)
        return [median(column) for column in zip(*runs, strict=True)]


def _taken_ns(session: Session, values: Mapping[str, Array]) -> tuple[int, Mapping[str, Array]]:
    begun_ns = time.thread_time_ns()
    found = session.run(values)
    return time.thread_time_ns() - begun_ns, found


def _chained(segments: Sequence[Session], values: Mapping[str, Array]) -> Mapping[str, Array]:
    for segment in segments:
        values = segment.run(values)
    return values


def _same(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f") for name in one)
