"""MobileNets, MnasNet, EfficientNet-B0 and ShuffleNets, as ncnn's benchmark has them."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.boards.draft import Draft, Unit

SEPARABLE = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))
"""Channels and stride (Howard et al., "MobileNets", 2017, table 1)."""

Stage = tuple[int, int, int, int, int]
"""Expansion, channels, how many blocks, stride of the first, kernel."""

MOBILENET_V2: tuple[Stage, ...] = (
    # Sandler et al., 2018, table 2; the first block expands by 1, which costs a convolution in Caffe's form and so in ncnn's.
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3), (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3),
)  # fmt: skip
MNASNET: tuple[Stage, ...] = (
    # Tan et al., 2019, B1: without squeeze and excitation. The first block is separable.
    (1, 16, 1, 1, 3), (3, 24, 3, 2, 3), (3, 40, 3, 2, 5), (6, 80, 3, 2, 5), (6, 96, 2, 1, 3), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip
EFFICIENTNET_B0: tuple[Stage, ...] = (
    # Tan and Le, 2019, table 1. The first block is separable.
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip
SWISH = 2  # flop an element: a sigmoid and a product
SQUEEZE = 4  # squeeze and excitation has a fourth of the block's input channels within

SHUFFLENET = ((240, 4), (480, 8), (960, 4))
"""Channels and units (Zhang et al., "ShuffleNet", 2018, table 1, three groups)."""
GROUPS = 3

SHUFFLENET_V2 = ((116, 4), (232, 8), (464, 4))
"""Channels and units (Ma et al., "ShuffleNet V2", 2018, table 5, 1x)."""


def mobilenet_v1(classes: int = 1000) -> list[Unit]:
    """One segment for the first convolution and for each separable one, the last with the classifier."""
    draft = Draft(3, 224)
    draft.conv(32, 3, 2).close("conv0")
    for index, (channels, stride) in enumerate(SEPARABLE, 1):
        draft.depthwise(3, stride).conv(channels, 1)
        if index == len(SEPARABLE):
            draft.average().conv(classes, 1, act=0).softmax()
        draft.close(f"conv{index}")
    return draft.units


def mobilenet_v2() -> list[Unit]:
    return _inverted(MOBILENET_V2, expands_first=True)


def mnasnet() -> list[Unit]:
    return _inverted(MNASNET)


def efficientnet_b0() -> list[Unit]:
    return _inverted(EFFICIENTNET_B0, act=SWISH, squeezes=True)


def _inverted(stages: Iterable[Stage], *, act: int = 1, squeezes: bool = False, expands_first: bool = False) -> list[Unit]:
    draft = Draft(3, 224)
    draft.conv(32, 3, 2, act=act).close("stem")
    for expansion, channels, count, stride, kernel in stages:
        for index in range(count):
            before = draft.shape
            if expansion > 1 or expands_first:
                draft.conv(expansion * before.channels, 1, act=act)
            draft.depthwise(kernel, 1 if index else stride, act=act)
            if squeezes:
                _squeezed(draft, before.channels // SQUEEZE, act)
            draft.conv(channels, 1, act=0)
            if draft.shape == before:
                draft.add()
            draft.close(f"block{len(draft.units)}")
    draft.conv(1280, 1, act=act).average().dense(1000).softmax().close("head")
    return draft.units


def _squeezed(draft: Draft, channels: int, act: int) -> None:
    """Weigh each channel by what two small dense layers make of all averages."""
    before = draft.shape
    draft.average().dense(channels, act=act).dense(before.channels, act=1)
    draft.at(before).add()


def shufflenet() -> list[Unit]:
    """Units that halve the plane stand beside an average pooling; the first has no groups in its first convolution."""
    draft = Draft(3, 224)
    draft.conv(24, 3, 2).pool(3, 2).close("stem")
    for stage, (channels, count) in enumerate(SHUFFLENET, 2):
        for index in range(count):
            before = draft.shape
            within = channels // 4 if len(draft.units) > 1 else (channels - before.channels) // 4
            draft.conv(within, 1, groups=GROUPS if len(draft.units) > 1 else 1).depthwise(3, 1 if index else 2, act=0)
            if index:
                draft.conv(channels, 1, groups=GROUPS, act=0).add(act=1)
            else:
                draft.conv(channels - before.channels, 1, groups=GROUPS).at(before).pool(3, 2).joined(channels)
            draft.close(f"unit{stage}_{index + 1}")
    draft.average().conv(1000, 1, act=0).close("head")
    return draft.units


def shufflenet_v2() -> list[Unit]:
    """A unit works on half of its channels; those that halve the plane work on all, on both sides."""
    draft = Draft(3, 224)
    draft.conv(24, 3, 2).pool(3, 2).close("stem")
    for stage, (channels, count) in enumerate(SHUFFLENET_V2, 2):
        half = channels // 2
        for index in range(count):
            before = draft.shape
            if index:
                draft.joined(half)
            else:
                draft.depthwise(3, 2, act=0).conv(half, 1).at(before)
            draft.conv(half, 1).depthwise(3, 1 if index else 2, act=0).conv(half, 1).joined(channels)
            draft.close(f"unit{stage}_{index + 1}")
    draft.conv(1024, 1).average().dense(1000).softmax().close("head")
    return draft.units
