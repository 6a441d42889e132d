"""Tensors come out of shared memory as they went in."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, boolean_dtypes, complex_number_dtypes, floating_dtypes, integer_dtypes

from cotenant.live.parcel import Receiver, Sender

dtypes = st.one_of(
    boolean_dtypes(), integer_dtypes(endianness="="), floating_dtypes(endianness="?"), complex_number_dtypes(endianness="="),
)  # fmt: skip
numbers = dtypes.flatmap(lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=40)))
texts = arrays(object, array_shapes(max_dims=2, max_side=3), elements=st.text(max_size=5))
others = st.lists(st.dictionaries(st.integers(0, 3), st.floats(allow_nan=False)))
parcels = st.lists(st.tuples(st.integers(0, 2), st.dictionaries(st.text(max_size=3), st.one_of(numbers, texts, others), max_size=4)))


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and one.dtype != object:
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else bool(one == other)


@given(parcels=parcels)
def test_every_parcel_comes_out_as_it_went_in_whatever_came_before(parcels: list[tuple[int, dict[str, Any]]]) -> None:
    """Each is sent twice, the second time with little told, and copies outlast what is sent after them."""
    sender, receiver = Sender(), Receiver()
    kept = []
    for key, tensors in parcels:
        for copied in (False, True):
            told, descriptors = sender.pack(key, tensors)
            got = receiver.copies(key, told, descriptors) if copied else receiver.views(key, told, descriptors)
            assert list(got) == list(tensors)
            assert all(alike(value, got[name]) for name, value in tensors.items())
        kept.append((tensors, got))
    assert all(alike(value, got[name]) for tensors, got in kept for name, value in tensors.items())


@given(tensors=st.dictionaries(st.text(max_size=3), numbers, min_size=1), more=st.integers(1, 5))
def test_what_is_alike_is_told_once(tensors: dict[str, Any], more: int) -> None:
    sender, receiver = Sender(), Receiver()
    for index in range(more + 1):
        told, descriptors = sender.pack(7, {name: array.copy() for name, array in tensors.items()})
        assert (not told and not descriptors) == (index > 0)
        receiver.views(7, told, descriptors)


def test_memory_grows_with_what_is_sent_and_descriptors_are_closed() -> None:
    sender, receiver = Sender(), Receiver()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # counted, not opened
    for side in (1, 1000, 10, 3000):
        array = np.arange(side * side, dtype=np.float64).reshape(side, side)
        for key, sent in ((0, array), (1, np.full(3, side))):
            got = receiver.copies(key, *sender.pack(key, {"x": sent}))
            np.testing.assert_array_equal(got["x"], sent)
    del sender, receiver
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208  # counted, not opened


def test_arrays_in_any_order_of_memory_come_out_right() -> None:
    array = np.arange(12, dtype=np.int16).reshape(3, 4)
    for given_array in (array.T, array[::-1, ::2], np.asfortranarray(array)):
        got = Receiver().views(0, *Sender().pack(0, {"x": given_array}))
        np.testing.assert_array_equal(got["x"], given_array)
