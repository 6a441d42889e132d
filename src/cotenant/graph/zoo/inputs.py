"""Generated inputs of the zoo: smooth images and sentences."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

WAVES: Final = 12
CONTRAST: Final = 0.7
"""Standard deviation at which an image enters the squashing that bounds its pixels."""
MIXING: Final = 0.4
"""How far each image's colours are mixed with one another."""
VOCABULARY: Final = 30522
"""Entries of BERT's uncased English vocabulary (Devlin et al., 2019)."""
TOPIC: Final = 2048


def images(count: int, size: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw [count, 3, size, size] smooth images of about zero mean and unit variance.

    Sums of cosines whose amplitude falls as 1/f, as in natural images (Field, 1987), in colours of their own, bounded
    as pixels are. Every pixel varies from image to image about as much as from place to place.
    """
    wave = np.arange(WAVES)
    basis = np.cos(np.pi * np.outer((np.arange(size) + 0.5) / size, wave))
    fall = 1.0 / (1.0 + np.hypot(wave[:, None], wave[None, :]))
    fields = basis @ (rng.standard_normal((count, 3, WAVES, WAVES)) * fall) @ basis.T
    colours = np.eye(3) + MIXING * rng.standard_normal((count, 3, 3))
    painted = np.einsum("nij,njhw->nihw", colours, fields)
    bounded = np.tanh(painted * (CONTRAST / painted.std()))
    scaled: NDArray[np.float32] = (bounded / bounded.std()).astype(np.float32)
    return scaled


def tokens(count: int, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw [count, length] token ids; each sentence has a topic, a stretch of the vocabulary."""
    topics = rng.integers(0, VOCABULARY - TOPIC, (count, 1))
    return topics + rng.integers(0, TOPIC, (count, length))
