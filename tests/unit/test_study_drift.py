"""Drift: what counts as another time than was reckoned."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cotenant.study.drift import FAR, STEADY, Drift

FACTORS = st.lists(st.sampled_from((0.5, 0.7, 0.9, 1.0, 1.1, 1.3, 2.0, None)), max_size=30)


def looks(drift: Drift, factors: list[float | None]) -> list[tuple[str, ...]]:
    """Let a drift look at one model again and again, which is not served enough where None."""
    return [drift.look({} if factor is None else {"m": factor}) for factor in factors]


@given(FACTORS)
def test_a_model_has_drifted_after_so_many_looks_in_a_row_far_off_on_one_side(factors: list[float | None]) -> None:
    """The oracle keeps the looks that told anything, and starts anew after each drift."""
    drift, reckoned, seen = Drift(reckoned={"m": 1.0}), 1.0, list[float]()
    for factor, named in zip(factors, looks(drift, factors), strict=True):
        seen += [] if factor is None else [factor]
        last = seen[-STEADY:]
        above, below = (all(sign * (one - reckoned) > FAR * reckoned for one in last) for sign in (1, -1))
        drifted = len(last) == STEADY and (above or below)
        assert named == (("m",) if drifted else ())
        if drifted:
            reckoned, seen = sum(last) / STEADY, []
    assert drift.reckoned == {"m": reckoned}


def test_a_model_that_nobody_reckons_with_does_not_drift() -> None:
    drift = Drift(reckoned={"m": 1.0})
    assert [drift.look({"other": 9.0}) for _ in range(2 * STEADY)] == [()] * 2 * STEADY


def test_models_drift_each_by_itself() -> None:
    drift = Drift(reckoned={"a": 1.0, "b": 1.0})
    assert [drift.look({"a": 1.5, "b": 1.0}) for _ in range(STEADY)][-1] == ("a",)
    assert drift.reckoned == {"a": 1.5, "b": 1.0}
