"""Drift: what counts as another time than was reckoned."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cotenant.study.at_work import Taken
from cotenant.study.drift import FAR, FEWEST, STEADY, Drift

FACTORS = st.sampled_from((0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 2.0))
LOOKS = st.lists(st.tuples(FACTORS, st.integers(0, 2 * FEWEST)), max_size=40)


def inferences(factor: float, many: int = FEWEST) -> list[Taken]:
    """Return inferences that took so many times what they take alone."""
    return [(factor * 5.0, 5.0)] * many


@given(LOOKS)
def test_a_model_has_drifted_after_so_many_looks_in_a_row_far_off_on_one_side(looks: list[tuple[float, int]]) -> None:
    """The oracle keeps what every look found, and starts anew after each drift."""
    drift, reckoned, found, waiting = Drift(reckoned={"m": 1.0}), 1.0, list[float](), list[float]()
    for factor, many in looks:
        named = drift.look({"m": inferences(factor, many)})
        waiting += [factor] * many
        if len(waiting) >= FEWEST:
            found.append(sum(waiting) / len(waiting))
            waiting = []
        last = found[-STEADY:]
        above, below = (all(sign * (one - reckoned) > FAR * reckoned + 1e-12 for one in last) for sign in (1, -1))
        drifted = len(last) == STEADY and (above or below)
        assert named == (("m",) if drifted else ())
        if drifted:
            reckoned, found, waiting = drift.reckoned["m"], [], []
            assert abs(reckoned - sum(last) / STEADY) < 1e-9


def test_a_model_that_nobody_reckons_with_does_not_drift() -> None:
    drift = Drift(reckoned={"m": 1.0})
    assert [drift.look({"other": inferences(9.0)}) for _ in range(2 * STEADY)] == [()] * 2 * STEADY


def test_models_drift_each_by_itself() -> None:
    drift = Drift(reckoned={"a": 1.0, "b": 1.0})
    assert [drift.look({"a": inferences(1.5), "b": inferences(1.0)}) for _ in range(STEADY)][-1] == ("a",)
    assert drift.reckoned == {"a": 1.5, "b": 1.0}


def test_what_was_found_of_a_model_still_counts_when_another_is_reckoned_anew() -> None:
    drift = Drift(reckoned={"a": 1.0, "b": 1.0})
    drift.look({"a": inferences(1.5), "b": inferences(1.5)})
    drift.look({"a": inferences(1.5), "b": inferences(1.5, FEWEST - 1)})
    drift.reckon({"a": 1.4, "b": 1.0, "c": 1.0})
    assert drift.look({"a": inferences(2.0), "b": inferences(1.5, 1)}) == ()
    assert drift.look({"a": inferences(2.0), "b": inferences(1.5)}) == ("b",)
    assert drift.look({"a": inferences(2.0)}) == ("a",)


def test_a_model_that_goes_is_forgotten() -> None:
    drift = Drift(reckoned={"a": 1.0})
    for _ in range(STEADY - 1):
        drift.look({"a": inferences(1.5)})
    drift.reckon({})
    drift.reckon({"a": 1.0})
    assert drift.look({"a": inferences(1.5)}) == ()
