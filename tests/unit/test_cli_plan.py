"""The command `plan` on boards that need not be at hand."""

from __future__ import annotations

import errno
import json
import math
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cotenant.cli.app import _end
from cotenant.cli.options import inputs_of, refuse_overwriting
from cotenant.describe import Closed, Crew, Plan, Share, Source, Tenant, Workload
from cotenant.describe.files import read_plan
from cotenant.errors import InputError
from cotenant.plan import Effort
from cotenant.trace import frame

CREW = """
platform: rk3588s
tenants:
  - {name: eye, model: "board:squeezenet", rank: 0, arrival: {every: 100ms}, deadline: 100ms}
  - {name: name, model: "board:resnet50", rank: 1, arrival: flat-out, floor: 0.1}
  - {name: tag, model: "board:mobilenet_v1", rank: 1, arrival: flat-out, floor: 0.1, weight: 2}
"""

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def crew(tmp_path: Path) -> Path:
    return written(tmp_path, CREW)


def written(folder: Path, text: str) -> Path:
    file = folder / "crew.yaml"
    file.write_text(text)
    return file


def printed(capsys: Captured, *arguments: object) -> Any:
    capsys.readouterr()
    assert _end(tuple(str(one) for one in arguments)) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: Captured, *arguments: object) -> str:
    capsys.readouterr()
    assert _end(tuple(str(one) for one in arguments)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def saved(tree: Any, folder: Path) -> Path:
    file = folder / "plan.json"
    file.write_text(json.dumps(tree))
    return file


@pytest.mark.parametrize(
    "more",
    [(), ("--single",), ("--objective", "maxmin"), ("--visits", "2"), ("--search", "mosaic"), ("--priority", "dynamic")],
)
def test_what_is_printed_as_json_is_proved_again_by_itself(capsys: Captured, crew: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    tree = printed(capsys, "plan", crew, "--json", *more)
    assert tree["tenants"]["eye"]["p"] == pytest.approx(1)
    assert tree["objective"] <= tree["bound"] + 1e-6
    verdict = printed(capsys, "plan", "--check", saved(tree, tmp_path), "--json")
    assert verdict["ok"], verdict["complaints"]


def test_a_bare_plan_is_proved_for_a_crew_that_is_named(capsys: Captured, crew: Path, tmp_path: Path) -> None:
    bare = printed(capsys, "plan", crew, "--json")["plan"]
    assert printed(capsys, "plan", crew, "--check", saved(bare, tmp_path), "--json")["ok"]


ALTERED: tuple[tuple[tuple[str | int, ...], Any], ...] = (
    (("plan", "shares", -1, "rate_per_s"), 1e3),
    (("plan", "levels", 0, "leaves"), []),
    (("plan", "bound"), -9.0),
    (("tenants", "tag", "rate_per_s"), 1e3),
    (("bound",), 9.0),
    (("plan", "promises"), []),
    (("plan", "shares", 0, "option", "chain", 0, "processor"), "npu"),
    (("plan", "levels", 0, "value"), math.inf),
    (("plan", "slowdowns"), [["resnet50", 1.5]]),
    (("plan", "policy"), "fifo"),
    (("plan", "params"), [["eta", 0.5]]),
)


@pytest.mark.parametrize(("path", "value"), ALTERED)
def test_an_altered_plan_is_refused_by_its_proof(
    capsys: Captured, crew: Path, tmp_path: Path, path: tuple[str | int, ...], value: object
) -> None:
    tree = printed(capsys, "plan", crew, "--json")
    inside: Any = tree
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    assert _end(("plan", "--check", str(saved(tree, tmp_path)))) == 1


def test_a_key_that_is_never_printed_is_refused(capsys: Captured, crew: Path, tmp_path: Path) -> None:
    tree = printed(capsys, "plan", crew, "--json", "--explain")
    assert "explanation" in tree
    assert printed(capsys, "plan", "--check", saved(tree, tmp_path), "--json")["ok"]
    assert "pwer_w: unknown key; did you mean power_w?" in refused(capsys, "plan", "--check", saved(tree | {"pwer_w": 1}, tmp_path))


def test_a_plan_that_states_another_policy_is_refused_with_both(capsys: Captured, crew: Path, tmp_path: Path) -> None:
    tree = printed(capsys, "plan", crew, "--json")
    tree["plan"]["params"] = [["eta", 0.5]]
    assert _end(("plan", "--check", str(saved(tree, tmp_path)))) == 1
    assert capsys.readouterr().out == "params: eta=0.5 in the plan, none by the crew\n"


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (("--save", "crew.yaml"), "--save: crew.yaml; another file than that of the crew"),
        (("--html", "sub/../crew.yaml"), "--html: sub/../crew.yaml; another file than that of the crew"),
        (("--html", "link.yaml"), "--html: link.yaml; another file than that of the crew"),
        (("--save", "before.json", "--after", "before.json"), "--save: before.json; another file than that of --after"),
        (("--save", "board.yaml", "--platform", "board.yaml"), "--save: board.yaml; another file than that of the board"),
        (("--save", "x", "--html", "./x"), "--html: x; another file than that of --save"),
    ],
)
def test_nothing_that_is_read_is_overwritten_and_nothing_twice(
    capsys: Captured, crew: Path, monkeypatch: pytest.MonkeyPatch, outputs: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(crew.parent)
    Path("sub").mkdir()
    Path("link.yaml").symlink_to("crew.yaml")
    Path("board.yaml").write_text((files("cotenant.describe") / "boards" / "rk3588s.yaml").read_text())
    Path("before.json").write_text(json.dumps(printed(capsys, "plan", crew, "--json")))
    before = {path: path.read_text() for path in Path().iterdir() if path.is_file()}
    assert refused(capsys, "plan", "crew.yaml", *outputs) == f"{said}\n"
    assert {path: path.read_text() for path in Path().iterdir() if path.is_file()} == before


def test_what_a_tenant_is_judged_by_is_not_overwritten(tmp_path: Path) -> None:
    source = Source(model=str(tmp_path / "m.onnx"), samples=str(tmp_path / "s.npz"), labels=str(tmp_path / "l.npy"))
    tenants = (Tenant(name="a", source=source, arrival=Closed()), Tenant(name="b", source=Source(model="zoo:alexnet"), arrival=Closed()))
    inputs = inputs_of(tmp_path / "c.yaml", Crew(workload=Workload(tenants=tenants)))
    assert set(inputs) == {"the crew", "tenants[0].model", "tenants[0].samples", "tenants[0].labels"}
    for what, file in inputs.items():
        with pytest.raises(InputError, match=re.escape(what)):
            refuse_overwriting({"--save": file}, inputs)


@pytest.mark.parametrize("option", ["--save", "--html"])
def test_half_a_plan_is_not_left_behind(capsys: Captured, crew: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    class Full:
        def write(self, _: str) -> NoReturn:
            raise OSError(errno.ENOSPC, "No space left on device")

    write = frame.file._write
    monkeypatch.setattr(frame.file, "_write", lambda text, _, path: write(text, Full(), path))  # type: ignore[arg-type]
    assert "No space left on device" in refused(capsys, "plan", crew, option, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [crew]


def test_what_a_board_cannot_keep_to_is_refused_or_noted_once(capsys: Captured, tmp_path: Path) -> None:
    text = CREW.replace("weight: 2}", "weight: 2, allow: [int8, bf16]}")
    said = "tenants[2].allow: int8, bf16; fp32, in which alone rk3588s knows mobilenet_v1\n"
    assert refused(capsys, "plan", written(tmp_path, text)) == said
    text = CREW.replace("weight: 2}", "weight: 2, allow: [int8, fp32], fidelity: {measure: top1}}")
    text = text.replace("rank: 0, ", "rank: 0, fidelity: 1.0, shapes: {x: [1, 3, 8, 8]}, ")
    _, notes = shown(capsys, "plan", written(tmp_path, text))
    why = "its figures judge no answers, and its networks have shapes of their own"
    assert notes == [f"note: left aside on rk3588s: fidelity (eye, tag) and shapes (eye); {why}"]


def test_another_model_is_said_and_is_no_move(capsys: Captured, tmp_path: Path) -> None:
    file = saved(printed(capsys, "plan", written(tmp_path, CREW), "--json"), tmp_path)
    crew = written(tmp_path, CREW.replace("board:mobilenet_v1", "board:alexnet"))
    lines = printed(capsys, "plan", crew, "--json", "--after", file)["changes"]
    assert "tag is alexnet now; it was mobilenet_v1" in lines
    assert not any(line.startswith("tag moves") for line in lines)


def test_a_plan_of_single_options_is_near_its_bound(capsys: Captured, crew: Path) -> None:
    mixed, single = printed(capsys, "plan", crew, "--json"), printed(capsys, "plan", crew, "--json", "--single")
    assert all(len(tenant["options"]) <= 1 for tenant in single["tenants"].values())
    assert single["objective"] <= mixed["objective"] + 1e-6
    assert single["gap"] <= 0.01 * 3 + 1e-6  # the weights add up to 3
    assert Effort().gap == 0


def test_a_search_has_the_bound_of_all_plans(capsys: Captured, crew: Path) -> None:
    mixed, searched = printed(capsys, "plan", crew, "--json"), printed(capsys, "plan", crew, "--json", "--search", "all_on_one")
    assert searched["objective"] < mixed["objective"]
    assert searched["bound"] >= mixed["objective"] - 1e-6
    assert searched["gap"] > 0


def test_the_explanation_lists_few_of_very_many_options(capsys: Captured, crew: Path) -> None:
    assert _end(("plan", str(crew), "--explain")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  nor ") for line in lines)
    assert len(lines) < 100


def test_a_plan_for_another_crew_or_board_is_refused_by_its_hash(capsys: Captured, crew: Path, tmp_path: Path) -> None:
    file = saved(printed(capsys, "plan", crew, "--json"), tmp_path)
    assert "the plan of another platform" in refused(capsys, "plan", "--check", file, "--platform", "kirin970")
    assert "--html" in refused(capsys, "plan", "--check", file, "--html", tmp_path / "page.html")
    assert "--search" in refused(capsys, "plan", "--check", file, "--search", "exact")
    crew.write_text(CREW.replace("weight: 2", "weight: 3"))
    assert "the plan of another crew" in refused(capsys, "plan", "--check", file)
    assert "the plan of another crew" in refused(capsys, "plan", crew, "--check", file)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("board:resnet50", "board:resnet51", "tenants[1].model: board:resnet51; a network of rk3588s; did you mean resnet50?"),
        ("floor: 0.1}", "floor: 1.1}", "floor: 1.1; 0 to 1"),
        ("weight: 2", "weight: 0", "weight: 0.0; more than 0"),
        ("name: tag", "name: eye", "eye"),
        ("rank: 1", "rank: -1", "rank: -1; 0 or more"),
        ("rank: 0, arrival: {every: 100ms}", "rank: 0, arrival: {every: 100us}", "or --allow-overload"),
        ("deadline: 100ms", "deadline: 1ms", "deadline: 1 ms"),
        ("floor: 0.1", "floor: 0.9", "floor"),
        ("rk3588s", "rk3588", "did you mean rk3588s?"),
        ("rk3588s", "no.yaml", "no.yaml"),
    ],
)
def test_a_crew_that_cannot_be_is_refused_with_what_would_do(capsys: Captured, tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in CREW
    assert said in refused(capsys, "plan", written(tmp_path, CREW.replace(old, new)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--objective", "fair"), "--objective: fair; known: proportional"),
        (("--objective", "min"), "--objective"),
        (("--platform", ""), "--platform: ''; a name"),
        (("--search", ""), "--search: ''; a name"),
        (("--visits", "0"), "--visits: 0; 1 to 4"),
        (("--power", "0"), "--power: 0.0; more than 0"),
        (("--power", "much"), "--power: much; a number"),
        (("--single", "--budget", "0"), "--budget: 0"),
        (("--search", "mosaic", "--budget", "soon"), "--budget: soon"),
        (("--search", "mozaic"), "did you mean mosaic?"),
        (("--precision", "int8"), "--precision: int8"),
        (("--platform", "auto", "--visits", "2"), "--visits: 2; a board"),
        (("--platform", "auto", "--single"), "--single: given; a board"),
        (("--save", "no/such/folder.json"), "--save"),
        (("--power", "20"), "--power: 20 W; a board that says what each segment draws"),
        (("--budget", "2"), "--budget: 2.0; --single or --search"),
        (("--single", "--search", "exact"), "--search: exact; left out with --single"),
        (("--after", "no.json"), "no.json"),
        (("--priority", "dyn"), "did you mean dynamic?"),
        (("--platform", "auto", "--priority", "dynamic"), "--priority: dynamic; a board"),
    ],
)
def test_options_that_cannot_be_are_refused(capsys: Captured, crew: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(capsys, "plan", crew, *arguments)


def test_without_a_crew_nothing_is_planned(capsys: Captured, tmp_path: Path, crew: Path) -> None:
    assert "CREW: missing" in refused(capsys, "plan")
    bare = printed(capsys, "plan", crew, "--json")["plan"]
    assert "CREW: missing" in refused(capsys, "plan", "--check", saved(bare, tmp_path))


def test_a_processor_that_no_option_uses_is_named(capsys: Captured, tmp_path: Path) -> None:
    crew = 'platform: rk3399pro\ntenants: [{name: a, model: "board:alexnet", arrival: flat-out}]\n'
    assert _end(("plan", str(written(tmp_path, crew)))) == 0
    assert "npu of rk3399pro stays idle" in capsys.readouterr().err


def test_a_model_is_estimated_or_refused_by_name(capsys: Captured, tmp_path: Path) -> None:
    file = written(tmp_path, CREW.replace('"board:squeezenet"', "zoo:squeezenet"))
    assert _end(("plan", str(file))) == 0
    assert "estimated on rk3588s" in capsys.readouterr().err
    alone = written(tmp_path, "platform: moca_soc\ntenants: [{name: a, model: zoo:squeezenet, arrival: flat-out}]\n")
    assert "zoo:squeezenet cannot be estimated on moca_soc" in refused(capsys, "plan", alone)


def test_a_page_is_written_beside_what_is_printed(capsys: Captured, crew: Path, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    assert "eye" in printed(capsys, "plan", crew, "--json", "--html", page)["tenants"]
    assert page.read_text().startswith("<!doctype html>")
    assert "--html" in refused(capsys, "plan", crew, "--html", tmp_path / "no" / "plan.html")


def test_what_changes_is_said_and_nobody_moves_for_nothing(capsys: Captured, crew: Path, tmp_path: Path) -> None:
    first = printed(capsys, "plan", crew, "--json")
    file = saved(first, tmp_path)
    assert printed(capsys, "plan", crew, "--json", "--after", file)["changes"] == ["nothing changes"]
    crew.write_text(CREW.replace("weight: 2}", "weight: 2.01}"))
    again = printed(capsys, "plan", crew, "--json", "--after", file)
    assert options_of(again) == options_of(first)
    gone = written(tmp_path, "\n".join(line for line in CREW.splitlines() if "name: tag" not in line))
    lines = printed(capsys, "plan", gone, "--json", "--after", file)["changes"]
    assert any(line.startswith("tag goes") for line in lines)
    for more in ((), ("--search", "all_on_one")):
        assert "the plan of another platform" in refused(capsys, "plan", crew, "--after", file, "--platform", "kirin970", *more)


def test_the_plan_so_far_is_read_once(capsys: Captured, crew: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cotenant.cli import asked

    file, read = saved(printed(capsys, "plan", crew, "--json"), tmp_path), list[Path]()

    def reading(path: Path) -> Plan:
        read.append(path)
        return read_plan(path)

    monkeypatch.setattr(asked, "read_plan", reading)
    printed(capsys, "plan", crew, "--json", "--after", file)
    assert read == [file]


def shown(capsys: Captured, *arguments: object) -> tuple[list[str], list[str]]:
    """Return the lines of what a command prints, and of its notes."""
    capsys.readouterr()
    assert _end(tuple(str(one) for one in arguments)) == 0
    said = capsys.readouterr()
    return said.out.splitlines(), said.err.splitlines()


def test_the_table_says_how_figures_are_known(capsys: Captured, crew: Path, tmp_path: Path) -> None:
    """Of the board's own networks none was timed there; two others are estimated, by one rule, which one note tells."""
    table, notes = shown(capsys, "plan", crew)
    assert table[0].endswith("figures")
    assert all(set(re.split(", ?| +", line)) & {"scaled", "assumed"} for line in table if line.startswith(("eye", "name", "tag")))
    assert not any("measured" in line or "estimated" in line for line in table)
    assert notes == []
    text = CREW.replace('"board:squeezenet"', "zoo:squeezenet").replace('"board:resnet50"', "zoo:mobilenetv2")
    table, notes = shown(capsys, "plan", written(tmp_path, text))
    eye, name, tag = (next(line for line in table if line.startswith(f"{tenant} ")) for tenant in ("eye", "name", "tag"))
    assert all(re.search(r"  estimated, \d+% off$", line) for line in (eye, name))
    assert "estimated" not in tag
    assert len(notes) == 1
    assert "squeezenet (eye) and mobilenetv2 (name) are estimated on rk3588s" in notes[0]


RANKED = """
platform: kirin970
tenants:
  - {name: a, model: "board:alexnet", rank: 0, arrival: flat-out, floor: 0.5}
  - {name: b, model: "board:squeezenet", rank: 1, arrival: flat-out, floor: 0.2}
"""


def test_what_rounding_leaves_is_not_shown(crew: Path, capsys: Captured) -> None:
    from cotenant.cli.offered import plan_tree, show_plan
    from cotenant.describe.files import read_crew
    from cotenant.study.boardplan import Ask, offered, planned

    found = planned(offered(read_crew(crew), Ask()), Ask())
    used = {share.option for share in found.plan.shares}
    other = next(option for option in found.options if option.tenant == "eye" and option not in used)
    dust = replace(found, plan=replace(found.plan, shares=(*found.plan.shares, Share(option=other, rate_per_s=1e-6))))
    assert plan_tree(dust) == plan_tree(found)
    tables = []
    for one in (found, dust):
        show_plan(one)
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]


def test_objectives_name_their_ranks_where_there_are_several(capsys: Captured, tmp_path: Path) -> None:
    table, _ = shown(capsys, "plan", written(tmp_path, RANKED))
    assert [line.partition(":")[0] for line in table[-3:]] == [
        "objective proportional of rank 0", "objective proportional of rank 1", "objective proportional in all",
    ]  # fmt: skip
    table, _ = shown(capsys, "plan", written(tmp_path, RANKED.replace("rank: 1", "rank: 0")))
    assert [line.partition(":")[0] for line in table if line.startswith("objective")] == ["objective proportional"]


def test_who_gets_nothing_is_noted_with_the_reason(capsys: Captured, tmp_path: Path) -> None:
    crew = written(tmp_path, re.sub(r", floor: [0-9.]+", "", RANKED))
    table, notes = shown(capsys, "plan", crew)
    assert len(notes) == 1
    assert re.fullmatch(r"note: b gets nothing: all of .*gpu.* goes to a \(rank 0\)", notes[0])
    assert next(line for line in table if line.startswith("b ")).split()[:4] == ["b", "-", "1", "0"]
    told, _ = shown(capsys, "plan", crew, "--explain")
    assert any(line.startswith("b (rank 1): nothing: all of ") for line in told)
    assert printed(capsys, "plan", crew, "--json")["tenants"]["b"]["options"] == []


def options_of(tree: Any) -> dict[str, set[str]]:
    return {name: {share["option"] for share in tenant["options"]} for name, tenant in tree["tenants"].items()}


POWERED = """
platform: rk3399pro
tenants:
  - {name: a, model: "board:alexnet", arrival: flat-out}
  - {name: s, model: "board:squeezenet", arrival: flat-out}
"""


def test_limited_power_is_kept_and_proved(capsys: Captured, tmp_path: Path) -> None:
    crew = written(tmp_path, POWERED)
    tree = printed(capsys, "plan", crew, "--power", "4", "--json")
    assert tree["prices"]["energy"]["used"] == pytest.approx(4)
    assert tree["prices"]["energy"]["price"] > 0
    file = saved(tree, tmp_path)
    assert printed(capsys, "plan", "--check", file, "--json")["ok"]
    assert "the plan of another platform" in refused(capsys, "plan", "--check", file, "--power", "3")


def test_advice_on_floors_works_when_followed(capsys: Captured, tmp_path: Path) -> None:
    text = CREW.replace("floor: 0.1", "floor: 0.9")
    said = refused(capsys, "plan", written(tmp_path, text))
    floors = dict(re.findall(r"tenants\[(\w+)\].floor ([0-9.]+)", said))
    assert floors
    for name, floor in floors.items():
        text = re.sub(rf"(name: {name},.*floor: )[0-9.]+", rf"\g<1>{floor}", text)
    assert _end(("plan", str(written(tmp_path, text)))) == 0


def test_a_plan_is_proved_from_another_folder(capsys: Captured, crew: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tree = printed(capsys, "plan", crew.name, "--json")
    (tmp_path / "elsewhere").mkdir()
    file = saved(tree, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert printed(capsys, "plan", "--check", file.name, "--json")["ok"]
