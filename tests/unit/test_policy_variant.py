"""Policies by name: parameters, and hopeless requests last."""

from __future__ import annotations

import pytest

from cotenant.errors import InputError
from cotenant.policy import base_of, named, policies, values, variants


@pytest.mark.parametrize("name", [*policies.names(), *variants(policies)])
def test_a_name_alone_changes_nothing_but_what_it_says(name: str) -> None:
    plain = policies.get(base_of(name))
    found = named(policies, name)
    assert found.params == plain.params
    assert (found.order, found.late_last) == (plain.order, plain.late_last or name != base_of(name))


def test_a_name_may_set_parameters_and_those_that_are_given_stand_behind_it() -> None:
    found = named(policies, "fewest_late:margin=1.5: stretch=2/late-last", params=(("margin", 3.0), ("reserve", 0.0)))
    assert dict(found.params) == {**dict(policies.get("fewest_late").params), "margin": 1.5, "stretch": 2.0, "reserve": 0.0}
    assert found.late_last
    assert values(found, "fewest_late", ()) == tuple(value for _, value in found.params)
    assert base_of("fewest_late:margin=1.5:stretch=2/late-last") == "fewest_late"


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("moca:as_publishd=1", "policy.moca.as_publishd", "as_published"),
        ("moca:as_published", "--policy", "NAME:PARAMETER=NUMBER"),
        ("moca:as_published=yes", "--policy", "NAME:PARAMETER=NUMBER"),
        ("moca:as_published=inf", "--policy", "NAME:PARAMETER=NUMBER"),
        ("moca:", "--policy", "NAME:PARAMETER=NUMBER"),
        ("moka:as_published=1", "--policy", "moca"),
        ("", "--policy", "edf"),
    ],
)
def test_what_is_no_policy_is_refused_with_what_would_be(name: str, path: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        named(policies, name, "--policy")
    assert caught.value.path == path
    assert said in str(caught.value)
