"""Laws of quantities as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.errors import InputError
from cotenant.units import MAX_NS, duration_ns, duration_text, rate_per_s, size_bytes

UNITS_NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9}
UNITS_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
PERIODS_S = {"s": Fraction(1), "ms": Fraction(1, 1000), "min": Fraction(60)}


@given(st.integers(0, MAX_NS))
def test_a_duration_written_is_the_duration_read(time_ns: int) -> None:
    assert duration_ns(duration_text(time_ns), "x") == time_ns


@given(st.integers(0, MAX_NS))
def test_a_duration_is_written_in_the_greatest_unit_that_keeps_it_whole(time_ns: int) -> None:
    texts = [f"{time_ns // UNITS_NS[unit]}{unit}" for unit in ("s", "ms", "us", "ns") if time_ns % UNITS_NS[unit] == 0]
    assert duration_text(time_ns) == texts[0]


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS_NS)), st.sampled_from(["", " ", "  "]))
def test_a_whole_number_of_units_is_exact(count: int, unit: str, gap: str) -> None:
    if count * UNITS_NS[unit] <= MAX_NS:
        assert duration_ns(f"{count}{gap}{unit}", "x") == count * UNITS_NS[unit]


@given(st.decimals(0, 10**6, places=3), st.sampled_from(["us", "ms", "s"]))
def test_a_decimal_of_three_places_is_exact(amount: object, unit: str) -> None:
    assert duration_ns(f"{amount:f}{unit}", "x") == Fraction(str(amount)) * UNITS_NS[unit]


@given(st.integers(0, 10**5), st.sampled_from(sorted(PERIODS_S)))
def test_a_rate_is_events_over_the_period(count: int, unit: str) -> None:
    if count / PERIODS_S[unit] <= 10**6:
        assert rate_per_s(f"{count}/{unit}", "x") == pytest.approx(float(count / PERIODS_S[unit]))


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS_BYTES)))
def test_a_size_is_exact(count: int, unit: str) -> None:
    assert size_bytes(f"{count}{unit}", "x") == count * UNITS_BYTES[unit]


@pytest.mark.parametrize("read", [duration_ns, rate_per_s, size_bytes])
@given(
    value=st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.from_regex(r"-?[0-9.eE+]{1,9}/?(ns|ms|s|min|GiB|B)", fullmatch=True)
)
def test_any_value_is_read_within_bounds_or_refused(read: object, value: object) -> None:
    assert callable(read)
    try:
        amount = read(value, "where")
    except InputError as error:
        amount, said = 0, str(error)
    else:
        said = f"where: {value}"
    assert 0 <= amount <= 2**62
    assert said.startswith(f"where: {value}")
