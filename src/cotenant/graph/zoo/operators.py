"""What the zoo's operators compute, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def _padded(x: Floats, pad: int, value: float) -> Floats:
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=value) if pad else x


def _tap(x: Floats, row: int, column: int, stride: int, size: tuple[int, int]) -> Floats:
    height, width = size
    return x[:, :, row : row + stride * (height - 1) + 1 : stride, column : column + stride * (width - 1) + 1 : stride]


def _size(x: Floats, kernel: int, stride: int) -> tuple[int, int]:
    return (x.shape[2] - kernel) // stride + 1, (x.shape[3] - kernel) // stride + 1


def conv(x: Floats, weight: Floats, *, stride: int, pad: int) -> Floats:
    """Convolve [n, c, h, w] with [o, c, k, k]: for each sample, one product with all taps below one another."""
    kernel, x = weight.shape[2], _padded(x, pad, 0.0)
    size = _size(x, kernel, stride)
    flat = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
    result = np.empty((len(x), len(weight), size[0] * size[1]), np.float32)
    for sample, out in zip(x, result, strict=True):
        taps = [_tap(sample[None], row, column, stride, size)[0] for row, column in np.ndindex(kernel, kernel)]
        np.matmul(flat, np.concatenate(taps).reshape(flat.shape[1], -1), out=out)
    return result.reshape(*result.shape[:2], *size)


def depthwise(x: Floats, weight: Floats, *, stride: int, pad: int) -> Floats:
    """Convolve each channel of [n, c, h, w] with its own of [c, 1, k, k]."""
    kernel, x = weight.shape[2], _padded(x, pad, 0.0)
    size = _size(x, kernel, stride)
    taps = (weight[:, :, row, column, None] * _tap(x, row, column, stride, size) for row, column in np.ndindex(kernel, kernel))
    result = next(taps)
    for tap in taps:
        result += tap
    return result


def conv_transpose(x: Floats, weight: Floats) -> Floats:
    """Widen [n, c, h, w] with [c, o, k, k] at a stride of k: the taps do not overlap."""
    n, _, height, width = x.shape
    out, kernel = weight.shape[1:3]
    taps: Floats = np.einsum("nchw,cokl->nohkwl", x, weight, optimize=True)
    return taps.reshape(n, out, height * kernel, width * kernel)


def max_pool(x: Floats, kernel: int, stride: int, pad: int) -> Floats:
    """Take the greatest of each window of [n, c, h, w]."""
    x = _padded(x, pad, -np.inf)
    size = _size(x, kernel, stride)
    result = np.array(_tap(x, 0, 0, stride, size))
    for row, column in np.ndindex(kernel, kernel):
        np.maximum(result, _tap(x, row, column, stride, size), out=result)
    return result


def sigmoid(x: Floats) -> Floats:
    """Squash to (0, 1)."""
    result: Floats = (1.0 / (1.0 + np.exp(-x))).astype(np.float32)
    return result


def softmax(x: Floats, axis: int) -> Floats:
    """Normalise exponentials to a sum of 1 along an axis."""
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    result: Floats = (powers / powers.sum(axis=axis, keepdims=True)).astype(np.float32)
    return result


def erf(x: Floats) -> Floats:
    """Integrate the normal density to within 1.5e-7 (Abramowitz and Stegun, 1964, 7.1.26)."""
    t = 1.0 / (1.0 + 0.3275911 * np.abs(x))
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    result: Floats = (np.sign(x) * (1.0 - series * np.exp(-x * x))).astype(np.float32)
    return result


def layer_norm(x: Floats, epsilon: float) -> Floats:
    """Give the last axis zero mean and unit variance."""
    centred = x - x.mean(axis=-1, keepdims=True)
    result: Floats = (centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon)).astype(np.float32)
    return result
