"""Searches by name, and the page that describes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cotenant.errors import InputError
from cotenant.search import Search, named, searches, variants
from tests.plan_cases import closed, option, platform

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(name for name in searches.names() if searches.get(name).choose.__module__ == f"cotenant.search.{name}")
PAGE = (ROOT / "docs/searches.md").read_text()


def test_every_search_is_found_by_the_name_of_its_file() -> None:
    files = {path.stem for path in (ROOT / "src/cotenant/search").glob("*.py")}
    assert set(SHIPPED) <= files
    assert {"all_on_one", "exact", "genetic", "haxconn", "mosaic", "odmdef", "omniboost", "random_mapping", "rankmap"} <= set(SHIPPED)
    assert all(isinstance(searches.get(name), Search) for name in searches.names())


def test_what_foresees_comes_twice() -> None:
    assert {name for name in variants(searches) if "/" in name} == {"omniboost/exact", "rankmap/exact"}
    assert named(searches, "rankmap").evaluator is not None
    assert named(searches, "rankmap/exact").evaluator is None
    assert named(searches, "rankmap/exact").choose is named(searches, "rankmap").choose


def test_a_stranger_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="did you mean genetic"):
        named(searches, "genetics")
    with pytest.raises(InputError, match="did you mean rankmap"):
        named(searches, "rnakmap/exact")


def test_exact_is_no_variant_of_what_is_exact() -> None:
    with pytest.raises(InputError, match="guided by the exact worth as it is"):
        named(searches, "genetic/exact")


def test_an_about_is_one_line() -> None:
    assert all(searches.get(name).about.strip() and "\n" not in searches.get(name).about for name in searches.names())


def test_the_page_describes_every_search_in_a_row_and_a_section() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\(#(\w+)\) \|", PAGE, flags=re.MULTILINE)
    sections = re.findall(r"^## (\w+)$", PAGE, flags=re.MULTILINE)
    assert sorted(rows) == [(name, name) for name in SHIPPED]
    assert set(SHIPPED) <= set(sections)


def test_the_python_of_the_page_runs_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)[0].replace("seconds=0.5", "evaluations=50")
    options = [option(name, ms, cpu) for name in "ab" for ms, cpu in ((10.0, "cpu0"), (20.0, "cpu1"))]
    exec(shown, {"tenants": [closed("a"), closed("b")], "options": options, "platform": platform(1, 1)})
    assert "cpu1" in capsys.readouterr().out


def test_the_import_contract_lists_every_search() -> None:
    contract = re.search(
        r'^name = "A search knows no other search"\n.*?^\]', (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE
    )
    assert contract is not None
    assert re.findall(r'"cotenant\.search\.(\w+)"', contract[0]) == SHIPPED
