"""ResNet-18 and ResNet-50, in two variants, and YOLOv3."""

from __future__ import annotations

from benchmarks.boards.draft import Draft, Shape, Unit

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""He et al., "Deep residual learning for image recognition", 2016, table 1, 50 layers: channels within, and how many units."""

DARKNET = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))
"""Redmon and Farhadi, "YOLOv3", 2018, table 1: channels, and how many residual units."""

YOLO_CHANNELS = 255  # 3 boxes of 4 sides, 1 confidence and 80 classes


def resnet18() -> list[Unit]:
    """As ncnn has it, with a projection in the first unit, too."""
    draft = Draft(3, 224)
    draft.conv(64, 7, 2).pool(3, 2).close("conv1")
    for stage, (channels, _) in enumerate(STAGES, 2):
        for unit in (1, 2):
            stride = 2 if stage > 2 and unit == 1 else 1
            before = draft.shape
            if unit == 1:
                draft.conv(channels, 1, stride, act=0).at(before)
            draft.conv(channels, 3, stride).conv(channels, 3, act=0).add(act=1).close(f"unit{stage}_{unit}")
    draft.average().dense(1000).softmax().close("fc")
    return draft.units


def resnet50() -> list[Unit]:
    """As published and as ncnn has it: the first unit of a stage halves the plane, in its first convolution."""
    draft = Draft(3, 224)
    draft.conv(64, 7, 2).pool(3, 2).close("conv1")
    for stage, (channels, count) in enumerate(STAGES, 2):
        for unit in range(1, count + 1):
            stride = 2 if stage > 2 and unit == 1 else 1
            before = draft.shape
            if unit == 1:
                draft.conv(4 * channels, 1, stride, act=0).at(before)
            draft.conv(channels, 1, stride).conv(channels, 3).conv(4 * channels, 1, act=0).add(act=1).close(f"unit{stage}_{unit}")
    draft.average().dense(1000).softmax().close("fc")
    return draft.units


def resnet50_slim() -> list[Unit]:
    """As the ARM Compute Library (and TensorFlow-Slim) has it: the last unit of a stage halves the plane, in its 3 x 3 convolution.

    The transfers that were timed behind each unit say that the units were cut so, with the average behind the last one.
    """
    draft = Draft(3, 224)
    draft.conv(64, 7, 2).pool(3, 2).close("conv1")
    for stage, (channels, count) in enumerate(STAGES, 2):
        for unit in range(1, count + 1):
            stride = 2 if stage < 5 and unit == count else 1
            before = draft.shape
            if unit == 1:
                draft.conv(4 * channels, 1, act=0).at(before)
            elif stride > 1:
                draft.pool(1, stride, ceil=False).at(before)
            draft.conv(channels, 1).conv(channels, 3, stride).conv(4 * channels, 1, act=0).add(act=1)
            if (stage, unit) == (5, 3):
                draft.average()
            draft.close(f"unit{stage}_{unit}")
    draft.conv(1000, 1, act=0).softmax().close("fc")
    return draft.units


def yolov3() -> list[Unit]:
    """At 608 x 608, one segment for each of its 75 convolutions, with what follows it (add, upsample)."""
    draft = Draft(3, 608)
    _closed(draft.conv(32, 3))
    routes: list[Shape] = []
    for channels, count in DARKNET:
        _closed(draft.conv(channels, 3, 2))
        for _ in range(count):
            skipped = draft.shape.elements
            _closed(draft.conv(channels // 2, 1))
            _closed(draft.conv(channels, 3).add(), reads=skipped)
        routes.append(draft.shape)
    led = _detected(draft, 512)
    for channels, route in ((256, routes[3]), (128, routes[2])):
        draft.at(led).conv(channels, 1).upsample(2).close(f"conv{len(draft.units)}", entry=led.elements)
        led = _detected(draft.joined(channels + route.channels), channels, reads=route.elements)
    return draft.units


def _detected(draft: Draft, channels: int, reads: int = 0) -> Shape:
    """Close five convolutions that lead on and two that detect; return what the five gave."""
    for index in range(5):
        _closed(draft.conv(channels * (1 + index % 2), 3 if index % 2 else 1), reads=reads if index == 0 else 0)
    led = draft.shape
    _closed(draft.conv(2 * channels, 3))
    _closed(draft.conv(YOLO_CHANNELS, 1, act=0))
    return led


def _closed(draft: Draft, reads: int = 0) -> None:
    draft.close(f"conv{len(draft.units)}", reads=reads)
