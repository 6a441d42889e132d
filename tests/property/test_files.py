"""Laws of files: what is written is read back, and whatever else is read is refused in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cotenant.describe import Crew, Link, Memory, Plan, Platform, Preemption, Processor
from cotenant.describe.files import digest_of, read_crew, read_plan, read_platform, write_crew, write_plan, write_platform
from cotenant.describe.plain import yaml_text, yaml_tree
from cotenant.errors import InputError

files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

FULL: dict[str, Any] = {
    "platform": "auto", "seconds": 20, "seed": 1, "policy": {"name": "edf", "x": 1}, "objective": "maxmin",
    "tenants": [
        {
            "name": "a", "model": "zoo:alexnet", "shapes": {"x": [1, 3]}, "rank": 0, "weight": 1.5, "deadline": "50ms", "floor": 0.1,
            "arrival": {"every": "100ms", "jitter": "5ms", "offset": "0ms"}, "fidelity": {"floor": 0.9, "measure": "top1"},
            "allow": ["fp32"], "discipline": "drop-late", "queue": 12, "work": {"spread": 0.3}, "exits": {0: 0.5, 2: 0.25},
        },
        {"name": "b", "model": "zoo:alexnet", "arrival": {"poisson": "3/s"}},
        {"name": "c", "model": "zoo:alexnet", "arrival": "flat-out"},
        {"name": "d", "model": "zoo:alexnet", "arrival": {"bursty": "3/s", "peak": 3, "share": 0.25, "burst": "1s"}},
    ],
}  # fmt: skip

text = st.text(st.characters(codec="utf-8"), max_size=12)
words = st.sampled_from(
    [
        "flat-out",
        "external",
        "zoo:x",
        "edf",
        "fp32",
        "top1",
        "100ms",
        "3/s",
        "-1ms",
        "1e400s",
        "auto",
        "in-order",
        "x.yaml",
        "/",
        "null",
        "1e3",
        "010",
        ".inf",
        "no",
        "~",
        "<<",
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | text | words
nested = [
    "every",
    "jitter",
    "offset",
    "poisson",
    "bursty",
    "peak",
    "share",
    "burst",
    "spread",
    "requests",
    "trace",
    "closed",
    "external",
    "measure",
]
keys = st.sampled_from([*FULL, *FULL["tenants"][0], *nested]) | text
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12)


def places(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in below:
        yield from places(value, (*at, key))


def put(tree: Any, at: tuple[Any, ...], value: Any) -> Any:
    if not at:
        return value
    tree = deepcopy(tree)
    above = tree
    for key in at[:-1]:
        above = above[key]
    above[at[-1]] = value
    return tree


def found(tree: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        tree = tree[key]
    return tree


def crew_or_refusal(path: Path) -> Crew | str:
    try:
        return read_crew(path)
    except InputError as error:
        line, where = str(error), error.path
        assert where
        assert line.isprintable()
        return line


PLACES = list(places(FULL))
TAKEN = {key for at in PLACES for key in at} | {"samples", "labels", "accuracy", "requests", "trace", "closed", "external"}
FREE = {("policy",), ("tenants", 0, "shapes"), ("tenants", 0, "exits")}
MAPPINGS = [at for at in PLACES if isinstance(found(FULL, at), dict) and at not in FREE]


@pytest.mark.parametrize("at", MAPPINGS, ids=str)
@given(key=(text | words | st.sampled_from(["nam", "Rank", "every ", "seconds_", "<<"])).filter(lambda key: key not in TAKEN))
@files
def test_no_mapping_of_a_crew_takes_a_key_that_nothing_reads(tmp_path: Path, at: tuple[Any, ...], key: str) -> None:
    path = tmp_path / "crew.yaml"
    path.write_text(yaml_text(put(FULL, (*at, key), 1)), encoding="utf-8")
    refused = crew_or_refusal(path)
    assert isinstance(refused, str)
    assert ": unknown key; " in refused


def test_without_a_stranger_the_same_crew_is_read(tmp_path: Path) -> None:
    (tmp_path / "crew.yaml").write_text(yaml_text(FULL))
    assert [t.name for t in read_crew(tmp_path / "crew.yaml").workload.tenants] == ["a", "b", "c", "d"]


@given(at=st.sampled_from(PLACES), value=trees)
@files
def test_a_crew_with_anything_anywhere_is_read_or_refused_in_one_line(tmp_path: Path, at: tuple[Any, ...], value: Any) -> None:
    path = tmp_path / "crew.yaml"
    path.write_text(json.dumps(put(FULL, at, value)), encoding="utf-8")
    crew_or_refusal(path)


@given(tree=trees, tenant=trees)
@files
def test_any_mapping_is_read_or_refused_in_one_line(tmp_path: Path, tree: Any, tenant: Any) -> None:
    path = tmp_path / "crew.yaml"
    content = {"tenants": [tenant]} | (tree if isinstance(tree, dict) else {})
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    crew_or_refusal(path)


@given(
    content=st.text()
    | st.text("{}[]:,-&*!|>%@`'\"#? \n\tab1.~<=")
    | st.lists(st.sampled_from(yaml.safe_dump(FULL).split("\n"))).map("\n".join)
)
@files
def test_any_text_is_read_or_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "crew.yaml"
    path.write_text(content, encoding="utf-8", errors="replace", newline="")
    crew_or_refusal(path)


@given(content=st.binary())
@files
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "crew.yaml"
    path.write_bytes(content)
    crew_or_refusal(path)
    with pytest.raises(InputError):
        read_plan(path)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | text
    | words
    | st.sampled_from(["null", "1e3", "010", ".inf", "no", "~", "<<"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)


@given(tree=plain)
@files
def test_plain_values_written_as_yaml_are_read_back(tmp_path: Path, tree: Any) -> None:
    path = tmp_path / "tree.yaml"
    path.write_bytes(yaml_text(tree).encode())
    assert yaml_tree(path) == tree


POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
LAWFUL: dict[str, st.SearchStrategy[Any]] = {
    "slowdowns": st.lists(st.tuples(text, POSITIVE), max_size=2).map(tuple),
    "stalls": st.lists(st.tuples(text, st.floats(0, 1, exclude_max=True)), max_size=2).map(tuple),
    "interference": st.floats(0, 1000),
}
"""Fields that refuse some values of their type."""


def made(of: Any) -> st.SearchStrategy[Any]:
    """Make any value of a type that is written to files: a dataclass, tuple, union, enumeration or plain value."""
    arguments = get_args(of)
    if is_dataclass(of):
        hints = get_type_hints(of)
        return st.builds(of, **{f.name: LAWFUL[f.name] if f.name in LAWFUL else made(hints[f.name]) for f in fields(of)})  # type: ignore[arg-type]
    if arguments and get_origin(of) is tuple:
        return st.lists(made(arguments[0]), max_size=2).map(tuple) if arguments[-1] is ... else st.tuples(*map(made, arguments))
    if arguments:
        return st.one_of(*map(made, arguments))
    simple = {
        int: st.integers(1 - 2**63, 2**63 - 1),
        float: st.floats(allow_nan=False),
        str: text,
        bool: st.booleans(),
        type(None): st.none(),
    }
    return simple[of] if of in simple else st.sampled_from(list(of))


@given(plan=made(Plan))
@files
def test_a_plan_written_is_the_plan_read(tmp_path: Path, plan: Plan) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(write_plan(plan).encode())
    assert read_plan(path) == plan
    assert digest_of(read_plan(path)) == digest_of(plan)


PLAN: dict[str, Any] = {
    "shares": [
        {
            "rate_per_s": 1.0,
            "option": {
                "tenant": "a", "demand": [["cpu", 1.0]], "latency_ns": 5,
                "artifact": {"model": "x", "precision": "fp32", "engine": "e", "memory": "m", "resident_bytes": 1},
                "chain": [{"segment": 0, "processor": "cpu", "width": 1, "duration_ns": 5}],
            },
        }
    ],
    "promises": [{"tenant": "a", "rate_per_s": 1.0, "solo_rate_per_s": 1.0}],
    "prices": [{"resource": "cpu", "unit": "lane-s/s", "used": 1.0, "capacity": 1.0, "price": 0.0}],
    "objective": "throughput", "value": 1.0, "bound": 1.0,
}  # fmt: skip
MAPPINGS_OF_A_PLAN = ["", "shares.0", "shares.0.option", "shares.0.option.artifact", "shares.0.option.chain.0", "promises.0", "prices.0"]


@pytest.mark.parametrize("at", MAPPINGS_OF_A_PLAN)
@given(key=text.filter(lambda key: not key.isidentifier()))
@files
def test_no_mapping_of_a_plan_takes_a_key_that_nothing_reads(tmp_path: Path, at: str, key: str) -> None:
    path = tmp_path / "plan.json"
    keys = tuple(int(part) if part.isdigit() else part for part in at.split(".") if part)
    path.write_text(json.dumps(put(PLAN, (*keys, key), 1)))
    with pytest.raises(InputError, match="unknown key") as refused:
        read_plan(path)
    assert str(refused.value).isprintable()


@given(
    memories=st.lists(made(Memory), min_size=1, max_size=2),
    preemption=made(Preemption),
    lanes=st.integers(1, 4),
    links=st.lists(made(Link), max_size=1),
    data=st.data(),
)
@files
def test_a_platform_written_is_the_platform_read(
    tmp_path: Path, memories: list[Memory], preemption: Preemption, lanes: int, links: list[Link], data: st.DataObject
) -> None:
    one = Processor(
        name=data.draw(text), kind=data.draw(text), lanes=lanes, memory=memories[0].name, preemption=preemption, cores=tuple(range(lanes))
    )
    platform = Platform(name=data.draw(text), processors=(one,), memories=tuple(memories), links=tuple(links), hosts=(data.draw(text),))
    path = tmp_path / "board.yaml"
    path.write_bytes(write_platform(platform).encode())
    assert read_platform(path) == platform


@given(stems=st.lists(text.filter(lambda stem: stem.isprintable() and "/" not in stem), min_size=1, max_size=5))
@files
def test_a_first_crew_is_accepted_whatever_its_models_are_called(tmp_path: Path, stems: list[str]) -> None:
    models = [tmp_path / f"{stem}.onnx" for stem in stems]
    for model in models:
        model.write_bytes(b"x")
    path = tmp_path / "crew.yaml"
    path.write_text(write_crew(models), encoding="utf-8")
    tenants = read_crew(path).workload.tenants
    assert [t.source.model for t in tenants] == [str(model) for model in models]
    assert all(re.fullmatch(r"\w[\w-]*", t.name, re.ASCII) for t in tenants)
