"""AlexNet, VGG-16, SqueezeNet and GoogLeNet, in the units of the ARM Compute Library's examples."""

from __future__ import annotations

from benchmarks.boards.draft import Draft, Unit

INCEPTION = {
    # Szegedy et al., "Going deeper with convolutions", 2015, table 1: 1x1, (3x3 reduce, 3x3), (5x5 reduce, 5x5), pool projection.
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}
POOLED = ("3b", "4e")  # a pooling stands behind these

FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
"""Squeeze, and each of two expands (Iandola et al., "SqueezeNet", 2016, table 1)."""

VGG = (("1", 64, 2), ("2", 128, 2), ("3", 256, 3), ("4", 512, 3), ("5", 512, 3))
"""Simonyan and Zisserman, 2015, table 1, configuration D."""


def alexnet() -> list[Unit]:
    """Krizhevsky et al., 2012, in two groups as Caffe has it; 227 x 227."""
    draft = Draft(3, 227)
    draft.conv(96, 11, 4, 0).each().pool(3, 2).close("conv1")
    draft.conv(256, 5, groups=2).each().pool(3, 2).close("conv2")
    draft.conv(384, 3).close("conv3")
    draft.conv(384, 3, groups=2).close("conv4")
    draft.conv(256, 3, groups=2).pool(3, 2).close("conv5")
    draft.dense(4096, act=1).close("fc6").dense(4096, act=1).close("fc7").dense(1000).softmax().close("fc8")
    return draft.units


def vgg16() -> list[Unit]:
    draft = Draft(3, 224)
    for stage, channels, count in VGG:
        for index in range(1, count + 1):
            draft.conv(channels, 3)
            if index == count:
                draft.pool(2, 2)
            draft.close(f"conv{stage}_{index}")
    draft.dense(4096, act=1).close("fc6").dense(4096, act=1).close("fc7").dense(1000).softmax().close("fc8")
    return draft.units


def squeezenet_v1_0() -> list[Unit]:
    """Pool behind conv1, fire4 and fire8; 224 x 224."""
    return _squeezenet(Draft(3, 224).conv(96, 7, 2, 0), pooled=(4, 8), pad=0)


def squeezenet_v1_1() -> list[Unit]:
    """Pool behind conv1, fire3 and fire5; 227 x 227, conv10 padded, as ncnn has it."""
    return _squeezenet(Draft(3, 227).conv(64, 3, 2, 0), pooled=(3, 5), pad=1)


def _squeezenet(draft: Draft, pooled: tuple[int, int], pad: int) -> list[Unit]:
    draft.pool(3, 2).close("conv1")
    for fire, (squeeze, expand) in FIRES.items():
        squeezed = draft.conv(squeeze, 1).shape
        draft.conv(expand, 1).at(squeezed).conv(expand, 3).joined(2 * expand)
        if fire in pooled:
            draft.pool(3, 2)
        draft.close(f"fire{fire}")
    draft.conv(1000, 1, 1, pad).average().softmax().close("conv10")
    return draft.units


def googlenet() -> list[Unit]:
    """Without the auxiliary classifiers; 224 x 224."""
    draft = Draft(3, 224)
    draft.conv(64, 7, 2).pool(3, 2).each().close("conv1")
    draft.conv(64, 1).conv(192, 3).each().pool(3, 2).close("conv2")
    for name in INCEPTION:
        _inception(draft, name)
        if name in POOLED:
            draft.pool(3, 2)
        if name == "5b":
            draft.average().dense(1000).softmax()
        draft.close(f"inception_{name}")
    return draft.units


def _inception(draft: Draft, name: str) -> None:
    one, (reduce3, three), (reduce5, five), projected = INCEPTION[name]
    before = draft.shape
    draft.conv(one, 1)
    draft.at(before).conv(reduce3, 1).conv(three, 3)
    draft.at(before).conv(reduce5, 1).conv(five, 5)
    draft.at(before).pool(3, 1, 1).conv(projected, 1)
    draft.joined(one + three + five + projected)
