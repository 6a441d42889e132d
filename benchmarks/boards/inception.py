"""Inception v1, v3 and v4 and Inception-ResNet-v2, operator by operator, in the order in which they were timed.

They are TensorFlow-Slim's, as the ARM Compute Library has them: Szegedy et al., "Going deeper with convolutions", 2015 (here with 3 x 3 in
place of 5 x 5), "Rethinking the Inception architecture", 2016, and "Inception-v4, Inception-ResNet", 2017. Which operator reads which
is in the published table, and what an operator writes there is what it has to write here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.boards.classics import INCEPTION
from benchmarks.boards.draft import FP32_BYTES, Draft, Kernel, Shape, Unit
from benchmarks.boards.figures import Operator

Step = Callable[[Draft], Draft]
CLASSES = 1001


def _conv(channels: int, kernel: Kernel = 1, stride: int = 1, *, valid: bool = False, act: int = 1) -> Step:
    return lambda draft: draft.conv(channels, kernel, stride, 0 if valid else None, act=act)


def _halved(channels: int) -> Step:
    return _conv(channels, 3, 2, valid=True)


def _pool(kernel: int = 3, stride: int = 2) -> Step:
    return lambda draft: draft.pool(kernel, stride, 1 if stride == 1 else 0)


def _copy(draft: Draft) -> Draft:
    return draft.copy()


def _add(draft: Draft) -> Draft:
    return draft.add()


def _relu(draft: Draft) -> Draft:
    return draft.each()


def _average(draft: Draft) -> Draft:
    return draft.average()


def _softmax(draft: Draft) -> Draft:
    return draft.softmax()


WIDE: Kernel = (1, 7)
HIGH: Kernel = (7, 1)
AROUND = _pool(3, 1)
STEM = (_halved(32), _conv(32, 3, valid=True), _conv(64, 3))
CLASSIFIER = (_average, _conv(CLASSES, act=0), _copy, _softmax)
FLAT_CLASSIFIER = (_average, _copy, _conv(CLASSES, act=0), _softmax)


def inception_v1() -> list[Step]:
    steps = [_conv(64, 7, 2), _pool(), _conv(64), _conv(192, 3)]
    for name, (one, (reduce3, three), (reduce5, five), projected) in INCEPTION.items():
        if name[1] == "a":
            steps.append(_pool(2 if name == "5a" else 3))
        steps += [_conv(one), _conv(reduce3), _conv(reduce5), AROUND, _conv(projected), _conv(three, 3), _conv(five, 3), _copy]
    return [*steps, *CLASSIFIER]


def inception_v3() -> list[Step]:
    steps = [*STEM, _pool(), _conv(80), _conv(192, 3, valid=True), _pool()]
    for projected in (32, 64, 64):
        steps += [_conv(64), _conv(48), _conv(64, 5), _conv(64), _conv(96, 3), _conv(96, 3), AROUND, _conv(projected), _copy]
    steps += [_halved(384), _conv(64), _conv(96, 3), _halved(96), _pool(), _copy]
    for within in (128, 160, 160, 192):
        steps += [_conv(192), _conv(within), _conv(within, WIDE), _conv(192, HIGH)]
        steps += [_conv(within), _conv(within, HIGH), _conv(within, WIDE), _conv(within, HIGH), _conv(192, WIDE), AROUND, _conv(192), _copy]
    steps += [_conv(192), _halved(320), _conv(192), _conv(192, WIDE), _conv(192, HIGH), _halved(192), _pool(), _copy]
    for _ in range(2):
        steps += [_conv(320), _conv(384), *_split(384), _conv(448), _conv(384, 3), *_split(384), AROUND, _conv(192), _copy]
    return [*steps, *CLASSIFIER]


def inception_v4() -> list[Step]:
    steps = [*STEM, _pool(), _halved(96), _copy, _conv(64), _conv(96, 3, valid=True)]
    steps += [_conv(64), _conv(64, WIDE), _conv(64, HIGH), _conv(96, 3, valid=True), _copy, _halved(192), _pool(), _copy]
    for _ in range(4):
        steps += [_conv(96), _conv(64), _conv(96, 3), _conv(64), _conv(96, 3), _conv(96, 3), AROUND, _conv(96), _copy]
    steps += [_halved(384), _conv(192), _conv(224, 3), _halved(256), _pool(), _copy]
    for _ in range(7):
        steps += [_conv(384), _conv(192), _conv(224, WIDE), _conv(256, HIGH)]
        steps += [_conv(192), _conv(192, HIGH), _conv(224, WIDE), _conv(224, HIGH), _conv(256, WIDE), AROUND, _conv(128), _copy]
    steps += [_conv(192), _halved(192), _conv(256), _conv(256, WIDE), _conv(320, HIGH), _halved(320), _pool(), _copy]
    for _ in range(3):
        steps += [_conv(256), _conv(384), *_split(256)]
        steps += [_conv(384), _conv(448, (3, 1)), _conv(512, (1, 3)), *_split(256), AROUND, _conv(256), _copy]
    return [*steps, *FLAT_CLASSIFIER]


def inception_resnet_v2() -> list[Step]:
    steps = [*STEM, _pool(), _conv(80), _conv(192, 3, valid=True), _pool()]
    steps += [_conv(96), _conv(48), _conv(64), AROUND, _conv(64), _conv(64, 5), _conv(96, 3), _conv(96, 3), _copy]
    for _ in range(10):
        steps += [*(_conv(32),) * 3, _conv(32, 3), _conv(48, 3), _conv(64, 3), _copy, _conv(320, act=0), _add, _relu]
    steps += [_halved(384), _conv(256), _pool(), _conv(256, 3), _halved(384), _copy]
    for _ in range(20):
        steps += [_conv(192), _conv(128), _conv(160, WIDE), _conv(192, HIGH), _copy, _conv(1088, act=0), _add, _relu]
    steps += [*(_conv(256),) * 3, _pool(), _halved(384), _halved(288), _conv(288, 3), _halved(320), _copy]
    for _ in range(10):
        steps += [_conv(192), _conv(192), _conv(224, (1, 3)), _conv(256, (3, 1)), _copy, _conv(2080, act=0), _add, _relu]
    return [*steps[:-1], _conv(1536), *FLAT_CLASSIFIER]  # nothing is cut off below 0 behind the last addition


def _split(channels: int) -> tuple[Step, Step, Step]:
    """Convolve side by side along each axis."""
    return _conv(channels, (1, 3)), _conv(channels, (3, 1)), _copy


def counted(side: int, steps: Sequence[Step], graph: Sequence[Operator]) -> list[Unit]:
    """Count each operator of a graph; ValueError where one writes other than what was published."""
    units: dict[int, Unit] = {}
    written: dict[int, Shape] = {}
    readers = _readers(graph)
    for operator, step in zip(graph, steps, strict=True):
        draft = Draft(3, side)
        read = [written[source] for source in readers.get(operator.number, [])]
        if read:
            draft.at(_joined(read, step))
        units[operator.number] = step(draft).close(str(operator.number), entry=sum(shape.elements for shape in read) or None).units[0]
        written[operator.number] = draft.shape
        if operator.output_bytes not in {0, FP32_BYTES * draft.shape.elements}:
            raise ValueError(f"operator {operator.number} writes {operator.output_bytes} bytes, not {FP32_BYTES * draft.shape.elements}")
    return list(units.values())


def _joined(read: Sequence[Shape], step: Step) -> Shape:
    return read[0] if step is _add else read[0]._replace(channels=sum(shape.channels for shape in read))


def _readers(graph: Sequence[Operator]) -> Mapping[int, list[int]]:
    """Map each operator to those that it reads."""
    readers: dict[int, list[int]] = {}
    for operator in graph:
        for reader in operator.successors:
            readers.setdefault(reader, []).append(operator.number)
    return readers
