"""What the pages show is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cotenant.describe.files import read_crew

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "benchmarks").glob("*/*.md")))

CREW = """
tenants:
  - {name: detector, model: zoo:yolov8n, arrival: external, allow: [fp32]}
"""


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)


def test_the_crew_of_the_readme_is_the_robot_example(tmp_path: Path) -> None:
    shown = tmp_path / "crew.yaml"
    shown.write_text(blocks("README.md", "yaml")[0])
    assert read_crew(shown) == read_crew(ROOT / "examples" / "robot.yaml")


def test_the_python_of_the_readme_runs_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "crew.yaml").write_text(CREW)
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("README.md", "python")[0], "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["done"] * 10


def test_the_python_of_the_readme_takes_twelve_lines() -> None:
    assert len(blocks("README.md", "python")[0].splitlines()) <= 12


def test_the_policy_that_is_shown_is_the_policy_that_is_shipped() -> None:
    shipped = (ROOT / "src/cotenant/policy/edf.py").read_text()
    assert blocks("docs/adding-a-policy.md", "python")[0] == shipped


def test_the_design_names_every_floor_of_the_import_contract() -> None:
    listed = re.findall(r"^layers = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), flags=re.DOTALL | re.MULTILINE)
    floors = set(re.findall(r"\w+", listed[0]))
    assert len(floors) > 10
    assert floors <= set(re.findall(r"`(\w+)`", (ROOT / "docs/design.md").read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
