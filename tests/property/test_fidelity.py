"""Fidelity is the share left of what tells one input from another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from cotenant.describe import Array, Judged, Measure, Tensor
from cotenant.profile.fidelity import accuracy, agreement, alike, centred, fidelity
from cotenant.profile.samples import Samples

Floats = NDArray[np.float64]
WHOLE = st.integers(-1000, 1000).map(float)


def stacks() -> st.SearchStrategy[Floats]:
    shapes = array_shapes(min_dims=2, max_dims=4, min_side=2, max_side=5)
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=WHOLE))


def runs(stack: Array, name: str = "y") -> list[dict[str, Array]]:
    return [{name: sample} for sample in stack]


@given(exact=stacks(), data=st.data())
def test_fidelity_lies_between_0_and_1(exact: Floats, data: st.DataObject) -> None:
    answers = data.draw(arrays(np.float64, exact.shape))  # any float: infinities and what is no number among them
    assert 0 <= centred(answers, exact) <= 1


@given(exact=stacks())
def test_equal_answers_keep_all(exact: Floats) -> None:
    assert centred(exact.copy(), exact) == 1
    assert alike(runs(exact), runs(exact))


@given(exact=stacks())
def test_an_answer_that_does_not_depend_on_the_input_keeps_nothing(exact: Floats) -> None:
    assume(np.ptp(exact, axis=0).any())
    same = np.broadcast_to(exact.mean(axis=0), exact.shape)
    assert centred(same, exact) == pytest.approx(0, abs=1e-12)


@given(exact=stacks(), share=st.floats(0, 1))
def test_a_share_taken_from_what_varies_is_the_share_lost(exact: Floats, share: float) -> None:
    assume(np.ptp(exact, axis=0).any())
    mean = exact.mean(axis=0)
    assert centred(mean + (exact - mean) * (1 - share), exact) == pytest.approx(1 - share, abs=1e-9)


@given(exact=stacks(), error=st.floats(-1, 1), offset=WHOLE, scale=st.sampled_from((-4.0, 0.5, 2.0)))
def test_an_offset_or_a_scale_common_to_both_changes_nothing(exact: Floats, error: float, offset: float, scale: float) -> None:
    assume(np.ptp(exact, axis=0).any())
    answers = exact + error
    assert centred(answers * scale + offset, exact * scale + offset) == pytest.approx(centred(answers, exact), abs=1e-6)


@given(exact=stacks())
def test_more_error_never_keeps_more(exact: Floats) -> None:
    kept = [centred(exact + error, exact) for error in (0.0, 0.5, 1.0, 2.0)]
    assert kept == sorted(kept, reverse=True)


def test_the_definition_worked_out_by_hand() -> None:
    exact = np.array([[1.0, 10.0], [5.0, 10.0]])  # means 3 and 10: |y32 - mean| = sqrt(4 + 4)
    answers = np.array([[2.0, 10.0], [5.0, 11.0]])  # |y - y32| = sqrt(1 + 1)
    assert centred(answers, exact) == pytest.approx(1 - np.sqrt(2) / np.sqrt(8))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_keeps_nothing(wrong: float) -> None:
    exact = np.array([[1.0], [2.0]])
    assert centred(np.array([[1.0], [wrong]]), exact) == 0


@pytest.mark.parametrize("count", [2, 3, 7])
def test_outputs_that_never_vary_must_be_equal(count: int) -> None:
    exact = np.full((count, 1), 0.1, np.float32)
    assert centred(exact.copy(), exact) == 1
    assert centred(exact + np.float32(1e-3), exact) == 0


def test_integers_are_compared_by_the_share_that_agree() -> None:
    assert centred(np.array([[1, 2], [3, 9]]), np.array([[1, 2], [3, 4]])) == 0.75


def test_another_shape_keeps_nothing() -> None:
    assert centred(np.zeros((2, 3)), np.zeros((2, 4))) == 0
    assert agreement(np.zeros((2, 3)), np.zeros((2, 4))) == 0
    assert not alike(runs(np.zeros((2, 3))), runs(np.zeros((2, 4))))


@given(count=st.integers(0, 1))
def test_fewer_than_two_samples_judge_nothing(count: int) -> None:
    exact = runs(np.zeros((count, 2)))
    assert fidelity(exact, exact) is None
    assert fidelity(exact, exact, Measure.TOP1) is None


def test_the_worst_output_counts() -> None:
    exact = np.array([[1.0], [3.0]])
    spoilt = np.array([[1.5], [3.5]])  # |y - y32| = sqrt(.5), |y32 - mean| = sqrt(2)
    answers = [{"good": g, "spoilt": s} for g, s in zip(exact, spoilt, strict=True)]
    both = [{"good": e, "spoilt": e} for e in exact]
    assert fidelity(answers, both) == pytest.approx(0.5)


@given(exact=arrays(np.float64, (4, 1, 3), elements=st.integers(0, 100).map(float), unique=True), gain=st.floats(0.1, 10))
def test_top1_asks_only_where_the_greatest_is(exact: Floats, gain: float) -> None:
    assert fidelity(runs(exact * gain + 1), runs(exact), Measure.TOP1) == 1
    turned = np.roll(exact, 1, axis=-1)
    turned[0] = exact[0]
    assert fidelity(runs(turned), runs(exact), Measure.TOP1) == 0.25


def test_accuracy_is_the_share_of_labels_met() -> None:
    answers = runs(np.array([[[0.0, 1.0]], [[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 1.0]]]))
    assert accuracy(answers, np.array([1, 0, 1, 0])) == 0.75


@given(exact=stacks())
def test_rounding_is_alike_and_a_tenth_is_not(exact: Floats) -> None:
    assume(exact.any())
    assert alike(runs(exact * (1 + 1e-6)), runs(exact))
    assert not alike(runs(exact * 1.1), runs(exact))


@given(total=st.integers(0, 60), calibrating=st.integers(0, 20), judging=st.integers(2, 20))
def test_what_calibrates_never_judges(total: int, calibrating: int, judging: int) -> None:
    tensor = Tensor(name="x", dtype="int64", shape=(1, 1))
    samples = Samples(inputs={"x": np.arange(total)[:, None]}, tensors=(tensor,), judged=Judged.SAMPLES)
    taught, asked = samples.split(calibrating, judging)
    own, others = set(taught.inputs["x"][:, 0]), set(asked.inputs["x"][:, 0])
    assert not own & others
    assert len(taught) <= calibrating
    assert len(asked) <= judging
    assert len(asked) >= 2 or total < 2
