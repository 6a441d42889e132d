"""Classifiers: AlexNet, SqueezeNet, MobileNetV2, ResNet-50, VGG-16."""

from __future__ import annotations

from typing import Final

from cotenant.graph.zoo.sketch import CENTRED, POINT, Sketch, Spread, Value, Window, same

CLASSES: Final = 1000
BRANCH: Final = Spread(0.0, 0.3)
"""What a residual branch adds: less than it is added to, as in trained networks."""


def alexnet(s: Sketch, x: Value) -> tuple[Value, ...]:
    """Draw AlexNet (Krizhevsky, 2014, one tower): 61,100,840 parameters."""
    x = s.max_pool(s.relu(s.conv(x, 64, Window(11, 4, 2))), Window(3, 2))
    x = s.max_pool(s.relu(s.conv(x, 192, same(5))), Window(3, 2))
    for out in (384, 256, 256):
        x = s.relu(s.conv(x, out, same(3)))
    return _dense_head(s, s.max_pool(x, Window(3, 2)))


def vgg16(s: Sketch, x: Value) -> tuple[Value, ...]:
    """Draw VGG-16 (Simonyan and Zisserman, 2015, D): 138,357,544 parameters."""
    for out, repeat in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeat):
            x = s.relu(s.conv(x, out, same(3)))
        x = s.max_pool(x, Window(2, 2))
    return _dense_head(s, x)


def _dense_head(s: Sketch, x: Value) -> tuple[Value, ...]:
    x = s.flatten(x)
    for out in (4096, 4096):
        x = s.relu(s.gemm(x, out))
    return (s.gemm(x, CLASSES, CENTRED),)


FIRES: Final = (
    (16, 64, True), (16, 64, False), (32, 128, True), (32, 128, False),
    (48, 192, True), (48, 192, False), (64, 256, False), (64, 256, False),
)  # fmt: skip
"""Squeezed and expanded channels, and whether a pooling goes before."""


def squeezenet(s: Sketch, x: Value) -> tuple[Value, ...]:
    """Draw SqueezeNet 1.1 (Iandola et al., 2016): 1,235,496 parameters."""
    x = s.relu(s.conv(x, 64, Window(3, 2)))
    for squeezed, expanded, pooled in FIRES:
        x = s.max_pool(x, Window(3, 2)) if pooled else x
        x = s.relu(s.conv(x, squeezed))
        x = s.concat(s.relu(s.conv(x, expanded)), s.relu(s.conv(x, expanded, same(3))))
    return (s.flatten(s.global_mean(s.relu(s.conv(x, CLASSES)))),)


def resnet50(s: Sketch, x: Value) -> tuple[Value, ...]:
    """Draw ResNet-50 (He et al., 2016; the 3x3 strides): 25,557,032 parameters before folding."""
    x = s.max_pool(s.relu(s.conv(x, 64, same(7, 2))), same(3, 2))
    for width, repeat, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(repeat):
            x = _bottleneck(s, x, width, stride if index == 0 else 1)
    return (s.gemm(s.flatten(s.global_mean(x)), CLASSES, CENTRED),)


def _bottleneck(s: Sketch, x: Value, width: int, stride: int) -> Value:
    skip = x if x.channels == 4 * width else s.conv(x, 4 * width, Window(1, stride))
    y = s.relu(s.conv(x, width))
    y = s.relu(s.conv(y, width, same(3, stride)))
    return s.relu(s.sum(skip, s.conv(y, 4 * width, POINT, BRANCH)))


STAGES: Final = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, repeats and stride (Sandler et al., 2018, table 2)."""


def mobilenetv2(s: Sketch, x: Value) -> tuple[Value, ...]:
    """Draw MobileNetV2 (Sandler et al., 2018): 3,504,872 parameters before folding."""
    x = s.relu6(s.conv(x, 32, same(3, 2)))
    for expansion, out, repeat, stride in STAGES:
        for index in range(repeat):
            x = _inverted(s, x, out, expansion, stride if index == 0 else 1)
    x = s.relu6(s.conv(x, 1280))
    return (s.gemm(s.flatten(s.global_mean(x)), CLASSES, CENTRED),)


def _inverted(s: Sketch, x: Value, out: int, expansion: int, stride: int) -> Value:
    y = s.relu6(s.conv(x, x.channels * expansion)) if expansion > 1 else x
    y = s.relu6(s.depthwise(y, same(3, stride)))
    if stride == 1 and x.channels == out:
        return s.sum(x, s.conv(y, out, POINT, BRANCH))
    return s.conv(y, out, POINT, CENTRED)
