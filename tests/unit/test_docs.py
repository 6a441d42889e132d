"""What the pages show is what the code does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cotenant.describe.boardfile import read_board
from cotenant.describe.files import read_crew
from cotenant.policy import Policy, as_planned, nothing, policies, unlimited
from cotenant.sim import Rig, Seeded, is_there
from cotenant.study.boarded import shares_for
from cotenant.trace.columns import Columns
from tests.sim_cases import compiler

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "benchmarks").glob("*/*.md")))
SHIPPED = sorted(name for name in policies.names() if policies.get(name).order.__module__ == f"cotenant.policy.{name}")
INDEX = ROOT / "docs/policies/README.md"

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


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Policy:
    """Install the longer policy that is shown as the page says: a package of its own, with an entry point."""
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package/mine.py").write_text(blocks("docs/adding-a-policy.md", "python")[1])
    (tmp_path / "my_package-1.dist-info").mkdir()
    (tmp_path / "my_package-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: my_package\nVersion: 1\n")
    entry = blocks("docs/adding-a-policy.md", "toml")[0].replace("project.entry-points.", "").replace('"', "")
    (tmp_path / "my_package-1.dist-info/entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(tmp_path)
    return policies.get("mine")


def served(policy: Policy, *, compiled: bool) -> Columns:
    """Simulate a twentieth of a second of MoCA's set A."""
    workload = read_crew(ROOT / "examples/moca_a.yaml").workload
    board = read_board(ROOT / "src/cotenant/describe/boards/moca_soc.yaml")
    rig = Rig(workload.tenants, shares_for(workload.tenants, board), board.platform, compiler() if compiled else None)
    return rig.run(Seeded(requests=workload.requests(50_000_000), horizon_ns=50_000_000), policy, name="mine")


def test_the_longer_policy_that_is_shown_goes_from_two_lanes_to_one(mine: Policy) -> None:
    run = served(mine, compiled=False)
    lanes = Counter(run.spans[["request", "start_ns"]].tolist())
    assert set(lanes.values()) == {1, 2}


@pytest.mark.skipif(not is_there(), reason="numba is not installed: pip install cotenant[sim]")
def test_the_longer_policy_that_is_shown_compiles(mine: Policy) -> None:
    assert served(mine, compiled=True).spans.tobytes() == served(mine, compiled=False).spans.tobytes()


def test_the_test_that_is_shown_passes() -> None:
    names: dict[str, object] = {}
    exec(compile(blocks("docs/adding-a-policy.md", "python")[2], "adding-a-policy.md", "exec"), names)
    test = names["test_the_earlier_deadline_goes_first"]
    assert callable(test)
    test()


def answers(policy: Policy) -> Iterator[str]:
    """Name the questions that a policy answers itself, in the order of the index."""
    yield "order"
    if policy.width is not as_planned:
        yield "width"
    if policy.place is not as_planned:
        yield "place"
    if policy.share is not unlimited:
        yield "share"
    if policy.prepare is not nothing:
        yield "prepare"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_policy_has_a_page(name: str) -> None:
    assert (ROOT / f"docs/policies/{name}.md").read_text().startswith(f"# {name}\n")


def test_the_index_of_policies_has_a_row_for_each_with_what_it_answers() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) .* \| ([a-z, ]+) \|$", INDEX.read_text(), flags=re.MULTILINE)
    assert rows == [(name, name, ", ".join(answers(policies.get(name)))) for name in SHIPPED]


def test_the_board_that_is_shown_serves_the_crew_that_is_shown(tmp_path: Path) -> None:
    board, crew = blocks("docs/simulating.md", "yaml")
    (tmp_path / "board.yaml").write_text(board)
    (tmp_path / "crew.yaml").write_text(crew)
    read = read_crew(tmp_path / "crew.yaml")
    shares = shares_for(read.workload.tenants, read_board(Path(read.platform)))
    assert {share.option.tenant for share in shares} == {tenant.name for tenant in read.workload.tenants}


def test_the_table_of_the_readme_is_of_policies_that_are_there() -> None:
    shown = re.search(r"cotenant simulate examples/moca_a.yaml --policy (\S+)", (ROOT / "README.md").read_text())
    assert shown is not None
    assert set(shown[1].split(",")) <= set(SHIPPED)


def test_the_design_names_every_floor_of_the_import_contract() -> None:
    listed = re.findall(r"^layers = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), flags=re.DOTALL | re.MULTILINE)
    floors = set(re.findall(r"\w+", listed[0]))
    assert len(floors) > 10
    assert floors <= set(re.findall(r"`(\w+)`", (ROOT / "docs/design.md").read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
