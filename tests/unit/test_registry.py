"""Plug-ins are found by the name of their file."""

from __future__ import annotations

from pathlib import Path

import pytest

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
