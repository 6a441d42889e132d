"""Whoever is promised nothing is served too, if the memory has room."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cotenant.describe import Memory, Option
from cotenant.errors import InfeasibleError
from cotenant.study.device import with_everyone
from cotenant.study.prepared import Prepared
from tests.unit.test_compare import PLATFORM, prepared


@pytest.fixture
def crew(tmp_path: Path) -> Prepared:
    """Return a crew whose second tenant, `tag`, is promised nothing."""
    found = prepared(tmp_path)
    return replace(found, plan=replace(found.plan, shares=found.plan.shares_of("eye")))


def only(crew: Prepared, engine: str, capacity_bytes: int) -> Prepared:
    """Leave `tag` this engine, and the platform so much memory."""
    options = tuple(o for o in crew.offer.options if o.tenant != "tag") + tuple(
        replace(option, tenant="tag", artifact=replace(option.artifact, engine=engine))
        for option in crew.offer.options
        if option.tenant == "eye"
    )
    platform = replace(PLATFORM, memories=(Memory(name="ram", capacity_bytes=capacity_bytes),))
    return replace(crew, offer=replace(crew.offer, options=options), platform=platform)


def served(crew: Prepared) -> list[tuple[str, float]]:
    return [(share.option.artifact.engine, share.rate_per_s) for share in with_everyone(crew).shares_of("tag")]


def test_who_is_left_without_is_served_at_rate_0_by_its_fastest_option(crew: Prepared) -> None:
    assert served(crew) == [("openvino", 0.0)]


def test_a_model_that_is_resident_already_needs_no_room(crew: Prepared) -> None:
    assert served(only(crew, "openvino", 1000)) == [("openvino", 0.0)]


def test_without_room_for_its_model_a_tenant_is_refused_unless_the_crew_may_overload(crew: Prepared) -> None:
    short = only(crew, "onnxruntime", 1999)
    with pytest.raises(InfeasibleError, match=r"ram: 1 bytes too few for the smallest models of who is promised nothing \(tag\)"):
        served(short)
    assert served(replace(short, allow_overload=True)) == [("onnxruntime", 0.0)]
    assert served(only(crew, "onnxruntime", 2000)) == [("onnxruntime", 0.0)]


def test_two_who_fit_only_by_their_smaller_models_are_served_by_them(crew: Prepared) -> None:
    """Of 2000 bytes the plan takes 1000: the fast model of `tag` takes 900, its slow one 300, that of a third tenant 500."""
    (eye,) = (option for option in crew.offer.options if option.tenant == "eye")
    step = eye.chain[0]

    def option(tenant: str, engine: str, resident_bytes: int, duration_ns: int) -> Option:
        artifact = replace(eye.artifact, engine=engine, resident_bytes=resident_bytes)
        return replace(eye, tenant=tenant, artifact=artifact, chain=(replace(step, duration_ns=duration_ns),))

    options = (eye, option("tag", "fast", 900, 1), option("tag", "slow", 300, 9), option("third", "other", 500, 1))
    third = replace(crew.tenants[1], name="third")
    workload = replace(crew.crew.workload, tenants=(*crew.tenants, third))
    platform = replace(PLATFORM, memories=(Memory(name="ram", capacity_bytes=2000),))
    crew = replace(crew, crew=replace(crew.crew, workload=workload), offer=replace(crew.offer, options=options), platform=platform)
    assert [s.option.artifact.engine for s in with_everyone(crew).shares if s.rate_per_s == 0.0] == ["slow", "other"]
