"""First crews, plans, boards and digests: what is written, and what damage is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cotenant.describe import (
    Artifact,
    Closed,
    Memory,
    Objective,
    Option,
    Periodic,
    Plan,
    Platform,
    Precision,
    Processor,
    Promise,
    Share,
    Step,
)
from cotenant.describe.files import (
    board,
    boards,
    digest_of,
    read_crew,
    read_plan,
    read_platform,
    write_crew,
    write_plan,
    write_platform,
)
from cotenant.errors import InputError

ARTIFACT = Artifact(model="abc", precision=Precision.INT8, engine="openvino", memory="ram", resident_bytes=10**6)
OPTION = Option(
    tenant="a",
    artifact=ARTIFACT,
    chain=(Step(segment=0, processor="cpu", width=2, duration_ns=10**6),),
    demand=(("cpu", 0.002),),
    latency_ns=10**6,
)
PLAN = Plan(
    shares=(Share(option=OPTION, rate_per_s=3.5),),
    promises=(Promise(tenant="a", rate_per_s=3.5, solo_rate_per_s=7.0),),
    prices=(),
    objective=Objective.PROPORTIONAL,
    value=-0.7,
    bound=-0.6,
)
PLATFORM = Platform(
    name="one", processors=(Processor(name="cpu", kind="x86", lanes=2, memory="ram"),), memories=(Memory(name="ram", capacity_bytes=2**30),)
)


def edited(**edits: object) -> Any:
    """Return the plan's tree with edits at paths such as `shares.0.rate_per_s`."""
    tree = json.loads(write_plan(PLAN))
    for path, value in edits.items():
        *above, last = path.split(".")
        at = tree
        for key in above:
            at = at[int(key)] if key.isdigit() else at[key]
        at[last] = value
    return tree


def refusal(path: Path, text: str | bytes) -> str:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as refused:
        read_plan(path)
    line = str(refused.value)
    assert line.isprintable()
    return line.removeprefix(str(path))


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    for plan in (PLAN, replace(PLAN, value=float("-inf"))):
        path.write_text(write_plan(plan))
        assert read_plan(path) == plan


@pytest.mark.parametrize(
    ("path", "value", "story"),
    [
        ("bund", 1.0, ": bund: unknown key; did you mean bound? known: "),
        ("bound", "high", ": bound: high; a number"),
        ("bound", None, ": bound: null; a number"),
        ("bound", float("nan"), ": bound: nan; a number"),
        ("objective", "fair", ": objective: fair; "),
        ("slowdowns", [["m", 0.0]], ": slowdowns[m]: 0.0; a positive number"),
        ("shares", {}, ": shares: {}; a list"),
        ("shares.0.rate_per_s", True, ": shares[0].rate_per_s: true; a number"),
        ("shares.0.option.latncy_ns", 1, ": shares[0].option.latncy_ns: unknown key; did you mean latency_ns?"),
        ("shares.0.option.artifact.precision", "int4", ": shares[0].option.artifact.precision: int4; did you mean int8?"),
        ("shares.0.option.chain", [{}], ": shares[0].option.chain[0].segment: missing; this key is needed"),
        ("shares.0.option.demand", [["cpu"]], ": shares[0].option.demand[0]: ['cpu']; a list of 2"),
        ("shares.0.option.latency_ns", 2**63, f": shares[0].option.latency_ns: {2**63}; a whole number within 64 bits"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_with_file_path_and_value(tmp_path: Path, path: str, value: object, story: str) -> None:
    assert refusal(tmp_path / "plan.json", json.dumps(edited(**{path: value}))).startswith(story)


@pytest.mark.parametrize(
    ("keys", "story"),
    [
        ({"vists": 2}, ": vists: unknown key; did you mean visits?"),
        ({"maximized": "maxmin"}, ": maximized: unknown key; did you mean maximised?"),
        ({"tenants": {"a": {"rate": 1}}}, ": tenants.a.rate: unknown key; known: rank, rate_per_s, "),
        ({"tenants": {"a": {"options": [{"latency": 1}]}}}, ": tenants.a.options[0].latency: unknown key; did you mean latency_ms?"),
        ({"prices": {"cpu": {"cost": 1}}}, ": prices.cpu.cost: unknown key; "),
        ({"tenants": []}, ": tenants: []; keys with values"),
        ({"plan": {}}, ": plan.shares: missing"),
    ],
)
def test_what_is_beside_a_plan_takes_no_key_that_is_never_printed(tmp_path: Path, keys: dict[str, Any], story: str) -> None:
    assert refusal(tmp_path / "plan.json", json.dumps({"plan": edited()} | keys)).startswith(story)


def test_what_is_printed_beside_a_plan_is_left_aside(tmp_path: Path) -> None:
    beside = {
        "objective": None,
        "bound": 1,
        "prices": {"cpu": {"used": 1}},
        "tenants": {"a": {"options": [{"off": None}]}},
        "changes": ["b"],
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"plan": edited(), "visits": 2} | beside))
    assert read_plan(path) == PLAN


@pytest.mark.parametrize(
    ("text", "story"),
    [
        ("", ": empty; JSON as cotenant wrote it"),
        ("[]", ": []; a plan as"),
        ('{\n"shares": [', ":2: expecting value; JSON"),
        ('{"a": 1, "a": 2}', ": key a comes twice; JSON"),
        ('{"policy": "\\ud800"}', ": 'utf-8' codec can't encode"),
        ("[" * 200_000, ": nested too deeply; JSON"),
        ('{"value": ' + "9" * 5000 + "}", ": "),
        (b"\x93NUMPY", ":1: byte 0x93; text in UTF-8"),
    ],
)
def test_a_damaged_plan_is_refused_with_its_file(tmp_path: Path, text: str | bytes, story: str) -> None:
    assert refusal(tmp_path / "plan.json", text).startswith(story)


def test_every_truncation_of_a_plan_is_refused(tmp_path: Path) -> None:
    text = write_plan(PLAN).strip()
    for length in range(0, len(text), 37):
        assert refusal(tmp_path / "plan.json", text[:length])


def test_a_first_crew_is_read_back_with_its_models_in_order(tmp_path: Path) -> None:
    for name in ("det.onnx", "cls v2.onnx"):
        (tmp_path / name).write_bytes(b"x")
    models = [tmp_path / "det.onnx", tmp_path / "cls v2.onnx", Path("zoo:alexnet")]
    crew = tmp_path / "crew.yaml"
    crew.write_text(write_crew(models))
    first, second, third = read_crew(crew).workload.tenants
    assert [t.source.model for t in (first, second, third)] == [str(model) for model in models]
    assert [t.name for t in (first, second, third)] == ["det", "cls-v2", "alexnet"]
    assert [t.rank for t in (first, second, third)] == [0, 1, 1]
    assert isinstance(first.arrival, Periodic)
    assert first.deadline_ns is not None
    assert second.arrival == third.arrival == Closed()
    assert second.floor > 0


def test_a_first_crew_tells_how_to_fix_dynamic_dimensions(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"x")
    assert any(line.strip().startswith("# shapes:") for line in write_crew([tmp_path / "a.onnx"]).splitlines())


def test_models_of_one_name_get_names_of_their_own(tmp_path: Path) -> None:
    models = [
        tmp_path / folder / name
        for folder, name in (("x", "a.onnx"), ("y", "a.onnx"), ("z", "a-2.onnx"), ("z", "null.onnx"), ("z", "7é.onnx"))
    ]
    for model in models:
        model.parent.mkdir(exist_ok=True)
        model.write_bytes(b"x")
    (tmp_path / "crew.yaml").write_text(write_crew(models))
    tenants = read_crew(tmp_path / "crew.yaml").workload.tenants
    assert [t.name for t in tenants] == ["a", "a-2", "a-2-2", "null", "model-7"]


def test_the_floors_of_a_first_crew_leave_half_of_the_machine() -> None:
    text = write_crew([Path("zoo:alexnet")] * 40)
    assert sum(float(line.split()[1]) for line in text.splitlines() if line.strip().startswith("floor:")) <= 0.51


def test_a_first_crew_of_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^models\[0\]: .*gone.onnx; an existing ONNX file or zoo:NAME$"):
        write_crew([tmp_path / "gone.onnx"])
    with pytest.raises(InputError, match=r"^models: none; "):
        write_crew([])


def test_a_platform_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(write_platform(PLATFORM))
    assert read_platform(path) == PLATFORM


@pytest.mark.parametrize(
    ("text", "story"),
    [
        ("", ": empty; a board"),
        ("name: x\nmemories: []", ": processors: missing; this key is needed"),
        ("name: x\nmemory: []", ": memory: unknown key; did you mean memories? known: name, processors"),
        ("name: x\nmemories: []\nprocessors: [{name: c, kind: k, lanes: 1, memory: ram}]", ": processors[c].memory: ram; one of []"),
        ("name: x\nmemories: []\nprocessors: [{name: c, kind: k, lanes: 0, memory: ram}]", ": processors[c].lanes: 0; 1 or more"),
    ],
)
def test_a_board_that_cannot_be_is_refused(tmp_path: Path, text: str, story: str) -> None:
    path = tmp_path / "board.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read_platform(path)
    assert str(refused.value).startswith(f"{path}{story}")


def test_every_shipped_board_is_read_and_a_stranger_refused() -> None:
    assert all(board(name).platform.processors for name in boards())
    with pytest.raises(InputError, match=r"^platform: no-such-board; "):
        board("no-such-board")


def test_a_digest_is_that_of_the_content() -> None:
    assert digest_of(PLAN) == digest_of(replace(PLAN))
    changed = [replace(PLAN, bound=0.0), replace(PLAN, objective=Objective.MAXMIN), replace(PLAN, shares=())]
    assert len({digest_of(plan) for plan in (PLAN, *changed)}) == 4


def test_a_digest_tells_types_and_nesting_apart() -> None:
    values = (1, 1.0, True, "1", None, "None", (1,), ((1,),), (1, 1), Closed(outstanding=1))
    assert len({digest_of(value) for value in values}) == len(values)


def test_a_digest_is_the_same_in_every_process() -> None:
    empty_list = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"  # printf '[]' | sha256sum
    assert digest_of(()) == empty_list


def test_what_has_no_content_has_no_digest() -> None:
    with pytest.raises(TypeError, match="object"):
        digest_of(object())
