"""Encoders of text: six layers of a transformer."""

from __future__ import annotations

from typing import Final

import numpy as np

from cotenant.graph.zoo import operators, weights
from cotenant.graph.zoo.inputs import VOCABULARY
from cotenant.graph.zoo.sketch import Sketch, Spread, Value

LAYERS: Final = 6
WIDTH: Final = 512
HIDDEN: Final = 2048
HEADS: Final = 8
MEANINGS: Final = 64
"""Directions that hold most of an embedding; trained embeddings have few."""
EPSILON: Final = 1e-5
BRANCH: Final = Spread(0.0, 0.35)


def encoder(s: Sketch, tokens: Value) -> tuple[Value, ...]:
    """Draw the encoder of the base transformer (Vaswani et al., 2017), learned positions as in BERT.

    Six layers of 4 (512 x 512 + 512) + 512 x 2048 + 2048 + 2048 x 512 + 512 + 4 x 512 parameters, 18,914,304 in all;
    embeddings of 30,522 tokens and 128 positions and their normalisation add 15,693,824.
    """
    x = _norm(s, s.sum(_embedding(s, tokens), _positions(s, tokens)))
    for _ in range(LAYERS):
        x = _norm(s, s.sum(x, _attention(s, x)))
        x = _norm(s, s.sum(x, s.project(_gelu(s, s.project(x, HIDDEN)), WIDTH, BRANCH)))
    return (x,)


def _embedding(s: Sketch, tokens: Value) -> Value:
    table = weights.draw(s.rng, VOCABULARY, MEANINGS) @ weights.draw(s.rng, MEANINGS, WIDTH) / np.float32(np.sqrt(MEANINGS))
    table += np.float32(0.3) * weights.draw(s.rng, VOCABULARY, WIDTH)
    return s.add("Gather", [s.weight(table), tokens.name], table[tokens.array], axis=0)


def _positions(s: Sketch, tokens: Value) -> Value:
    table = np.float32(0.3) * weights.draw(s.rng, 1, tokens.array.shape[1], WIDTH)
    return Value(s.weight(table), table)


def _norm(s: Sketch, x: Value) -> Value:
    ones, zeros = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    array = operators.layer_norm(x.array, EPSILON)
    return s.add("LayerNormalization", [x.name, s.weight(ones), s.weight(zeros)], array, axis=-1, epsilon=EPSILON)


def _attention(s: Sketch, x: Value) -> Value:
    queries, keys, values = (_heads(s, s.project(x, WIDTH)) for _ in range(3))
    turned = s.transpose(keys, 0, 1, 3, 2)
    scores = s.add("MatMul", [queries.name, turned.name], queries.array @ turned.array)
    share = s.softmax(s.mul(scores, s.constant(np.array((WIDTH // HEADS) ** -0.5, np.float32))), -1)
    mixed = s.transpose(s.add("MatMul", [share.name, values.name], share.array @ values.array), 0, 2, 1, 3)
    return s.project(s.reshape(mixed, x.array.shape[1], WIDTH), WIDTH, BRANCH)


def _heads(s: Sketch, x: Value) -> Value:
    return s.transpose(s.reshape(x, x.array.shape[1], HEADS, WIDTH // HEADS), 0, 2, 1, 3)


def _gelu(s: Sketch, x: Value) -> Value:
    scaled = s.mul(x, s.constant(np.array(2**-0.5, np.float32)))
    erf = s.add("Erf", [scaled.name], operators.erf(scaled.array))
    grown = s.mul(x, s.sum(erf, s.constant(np.array(1, np.float32))))
    return s.mul(grown, s.constant(np.array(0.5, np.float32)))
