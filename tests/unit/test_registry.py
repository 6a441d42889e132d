"""Plug-ins are found by the name of their file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cotenant.policy
from cotenant.cli.app import _end
from cotenant.errors import InputError
from cotenant.registry import Registry, nearest


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[int]:
    package = tmp_path / "registry_of_tests"
    package.mkdir()
    for name, content in {"__init__": "", "saw": "saw = 1", "hammer": "hammer = 2", "_glue": "", "shelf": ""}.items():
        (package / f"{name}.py").write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    found: Registry[int] = Registry(what="tool", package="registry_of_tests", group="cotenant.no_such_group", besides=("shelf",))
    return found


def test_modules_are_names_but_for_private_ones_and_those_listed_besides(tools: Registry[int]) -> None:
    assert tools.names() == ("hammer", "saw")


def test_a_plug_in_is_the_attribute_named_like_its_module(tools: Registry[int]) -> None:
    assert [tools.get(name) for name in tools.names()] == [2, 1]


def test_a_stranger_is_refused_with_the_nearest_name_at_the_path_given(tools: Registry[int]) -> None:
    with pytest.raises(InputError) as refusal:
        tools.get("hamer", "crew.tool")
    assert str(refusal.value) == "crew.tool: hamer; did you mean hammer? known: hammer, saw"


@pytest.mark.parametrize("name", ["_glue", "shelf", "", "saw.saw", "os"])
def test_what_is_no_plug_in_is_not_imported_by_its_name(tools: Registry[int], name: str) -> None:
    with pytest.raises(InputError, match=r"^tool: "):
        tools.get(name)


def test_nothing_near_lists_what_is_known() -> None:
    assert nearest("zzz", ("fifo", "edf")) == "known: fifo, edf"
    assert nearest("zzz", ()) == "known: none"


@pytest.mark.parametrize("name", ["EDF", "Edf", "edg"])
def test_the_nearest_name_is_found_in_whatever_case(name: str) -> None:
    assert nearest(name, ("fifo", "edf")) == "did you mean edf? known: fifo, edf"
    assert nearest(name.lower(), ("FIFO", "EDF")) == "did you mean EDF? known: FIFO, EDF"


BROKEN = {
    "nameless": ("saw = 1", "AttributeError: module '{module}' has no attribute 'nameless'"),
    "torn": ("torn = (", "SyntaxError: '(' was never closed (torn.py, line 1)"),
    "lacking": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "number": ("number = 7", "number is of type int"),
    "raising": ("raising = 1 / 0", "ZeroDivisionError: division by zero"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Write the broken modules, and forget afterwards what of them was imported."""
    for name, (content, _) in BROKEN.items():
        (tmp_path / f"{name}.py").write_text(content)
    (tmp_path / "saw.py").write_text("saw = 1")
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "broken_tools" or name.rpartition(".")[2] in BROKEN]:
        del sys.modules[name]


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - {"number"}))
def test_a_broken_module_is_named_with_what_is_wrong_and_what_it_should_have(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    package = folder / "broken_tools"
    package.mkdir()
    for file in folder.glob("*.py"):
        file.rename(package / file.name)
    monkeypatch.syspath_prepend(str(folder))
    broken: Registry[int] = Registry(what="tool", package="broken_tools", group="cotenant.no_such_group")
    with pytest.raises(InputError) as refusal:
        broken.get(name)
    wrong = BROKEN[name][1].format(module=f"broken_tools.{name}")
    assert str(refusal.value) == f"tool: broken_tools.{name}: {wrong}; a module with the tool named {name}"
    assert broken.get("saw") == 1


def test_a_plug_in_of_another_kind_is_refused(tools: Registry[int]) -> None:
    kinds: Registry[str] = Registry(what=tools.what, package=tools.package, group=tools.group, kind=str)
    with pytest.raises(InputError) as refusal:
        kinds.get("saw", "crew.tool")
    assert str(refusal.value) == "crew.tool: registry_of_tests.saw: saw is of type int; a module with the str named saw"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_policy_is_listed_as_such_beside_the_others_and_refused_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setattr(cotenant.policy, "__path__", [*cotenant.policy.__path__, str(folder)])
    (folder / "saw.py").unlink()
    assert _end(["list", "policies", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["policies"]
    wrong = BROKEN[name][1].format(module=f"cotenant.policy.{name}")
    assert listed[name]["about"].startswith(f"broken: cotenant.policy.{name}: {wrong}; a module with the ")
    assert listed["edf"]["about"].startswith("Earliest deadline first")
    crew = folder / "crew.yaml"
    crew.write_text("platform: moca_soc\ntenants: [{name: a, model: 'board:alexnet', arrival: {poisson: 9/s}}]\n")
    assert _end(["simulate", str(crew), "--policy", name]) == 2
    assert f"--policy: cotenant.policy.{name}: {wrong}" in capsys.readouterr().err
