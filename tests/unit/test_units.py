"""What quantities are refused, and how."""

from __future__ import annotations

import pytest

from cotenant.errors import InputError
from cotenant.units import duration_ns, duration_text, rate_per_s, size_bytes


@pytest.mark.parametrize(
    "value", [100, 1.5, None, True, "", "100", "ms", "100 msec", "1,5ms", "5MS", "0x10ms", "1e9999s", "\u0661ms", ["1ms"]]
)
def test_what_is_no_duration_is_refused_with_its_path_and_its_value(value: object) -> None:
    with pytest.raises(InputError) as refusal:
        duration_ns(value, "tenants[0].deadline")
    assert str(refusal.value).startswith(f"tenants[0].deadline: {value}; a duration with its unit, such as 100ms")


@pytest.mark.parametrize("value", ["-5ms", " -0.5 s"])
def test_a_length_of_time_below_0_is_refused_as_such(value: str) -> None:
    with pytest.raises(InputError) as refusal:
        duration_ns(value, "tenants[0].deadline")
    assert str(refusal.value) == f"tenants[0].deadline: {value}; more than 0, such as 100ms"


@pytest.mark.parametrize("value", [30, "30", "30/h/s", "30 s", "/s", "-1/s", "30/S"])
def test_what_is_no_rate_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="a rate with its unit, such as 30/s"):
        rate_per_s(value, "x")


@pytest.mark.parametrize("value", [512, "512", "512mb", "1 TiB", "-1B"])
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="a size with its unit, such as 512MiB"):
        size_bytes(value, "x")


def test_quantities_that_no_machine_counts_are_refused() -> None:
    with pytest.raises(InputError, match="at most 876000h"):
        duration_ns("876001h", "x")
    with pytest.raises(InputError, match="at most 1000000/s"):
        rate_per_s("1001/ms", "x")
    with pytest.raises(InputError, match="at most 1073741824GiB"):
        size_bytes("1e300GiB", "x")


def test_a_number_too_long_for_a_float_is_exact() -> None:
    assert duration_ns("9007199254740993ns", "x") == 2**53 + 1


def test_half_a_nanosecond_is_rounded_up() -> None:
    assert [duration_ns(text, "x") for text in ("0.4ns", "0.5ns", "1.5ns", "2.5ns")] == [0, 1, 2, 3]


def test_nothing_is_written_in_seconds() -> None:
    assert duration_text(0) == "0s"
