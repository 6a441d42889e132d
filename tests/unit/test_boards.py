"""Boards that are not this machine: their files, their figures, their networks."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from benchmarks.moca import make_board, make_crews
from cotenant.describe import Board, Cost, Memory, Network, Platform, Processor, Provenance, Segment, Source, open_rate_per_s
from cotenant.describe.files import board, boards, read_board, read_crew
from cotenant.errors import InputError
from cotenant.graph.prepare import prepare

ROOT = Path(__file__).parents[2]
WIDTHS = (1, 2, 4, 8)

ALONE_NS = {
    # Cycles at 1 GHz on two tiles and on one: isolated_cycles_2tile and measured_total_cycles_1tile_median of networks.csv, figures
    # of the MoCA artifact (SeahK/gemmini-rocc-tests-moca-ae, BSD-3-Clause).
    "resnet50": (14_187_000, 24_253_709),
    "alexnet": (7_451_000, 12_265_346),
    "googlenet": (6_839_000, 11_364_544),
    "squeezenet": (2_514_000, 3_959_349),
    "kws_res26": (4_940_000, 8_425_480),
    "yolov2": (8_730_000, 14_846_198),
    "yolo_lite": (1_415_000, 2_271_939),
}

PLATFORM = """
platform:
  name: b
  processors: [{name: big, kind: k, lanes: 4, memory: ram}, {name: npu, kind: n, lanes: 1, memory: ram}]
  memories: [{name: ram, capacity_bytes: 1}]
"""
COLUMNS = "columns: [{processor: big, width: 1, provenance: measured}, {processor: npu, width: 1, provenance: scaled}]\n"
NETWORKS = "networks: [{name: n, segments: [{name: a, ns: [5, 2], bytes: 7}, {name: b, ns: [6, null], provenance: assumed}]}]\n"
SMALL = "source: s" + PLATFORM + COLUMNS + NETWORKS


@pytest.fixture
def moca() -> Board:
    return board("moca_soc")


def read(tmp_path: Path, text: str) -> Board:
    path = tmp_path / "board.yaml"
    path.write_text(text)
    return read_board(path)


def cost(processor: str = "big", width: int = 1, duration_ns: int = 1, memory_bytes: int = 0) -> Cost:
    return Cost(processor=processor, width=width, duration_ns=duration_ns, memory_bytes=memory_bytes)


# The reader.


def test_a_board_is_read_line_by_line_and_column_by_column(tmp_path: Path) -> None:
    found = read(tmp_path, SMALL)
    first = Segment(
        name="a",
        costs=(
            Cost(processor="big", width=1, duration_ns=5, memory_bytes=7),
            Cost(processor="npu", width=1, duration_ns=2, memory_bytes=7, provenance=Provenance.SCALED),
        ),
    )
    second = Segment(name="b", costs=(Cost(processor="big", width=1, duration_ns=6, provenance=Provenance.ASSUMED),))
    assert found.networks == (Network(name="n", segments=(first, second)),)
    assert found.source == "s"
    assert found.planned_width == 1


def test_a_network_runs_where_all_of_its_segments_do(tmp_path: Path) -> None:
    found = read(tmp_path, SMALL)
    network = found.network("n")
    assert network.places == (("big", 1),)
    assert network.duration_ns(found.planned(network)) == 5 + 6
    with pytest.raises(KeyError):
        network.duration_ns(("npu", 1))
    with pytest.raises(KeyError):
        found.network("m")


@pytest.mark.parametrize(
    ("before", "after", "story"),
    [
        (SMALL, "", ": empty; a board: a mapping with source, platform, columns and networks"),
        ("source: s", "sauce: s", ": sauce: unknown key; did you mean source? known: "),
        ("source: s", "", ": source: missing; this key is needed"),
        ("memory: ram}, ", "memory: rom}, ", ": platform.processors[big].memory: rom; one of ['ram']"),
        ("capacity_bytes: 1", "capacity_bytes: 1, interference: -0.1", ": platform.memories[ram].interference: -0.1; 0 or more"),
        (
            "capacity_bytes: 1",
            "capacity_bytes: 1, bandwidth_bytes_per_s: 0",
            ": platform.memories[ram].bandwidth_bytes_per_s: 0.0; more than 0; left out where it is not known",
        ),
        (
            "capacity_bytes: 1",
            "capacity_bytes: 1, bandwidth_bytes_per_s: -2.5",
            ": platform.memories[ram].bandwidth_bytes_per_s: -2.5; more than 0",
        ),
        ("capacity_bytes: 1", "capacity: 1", ": platform.memories[0].capacity: unknown key; did you mean capacity_bytes?"),
        ("width: 1", "width: x", ": columns[0].width: x; a whole number"),
        ("provenance: measured", "known: measured", ": columns[0].known: unknown key; known: processor, width, provenance"),
        ("provenance: scaled", "provenance: guessed", ": columns[1].provenance: guessed; known: measured, scaled, assumed"),
        ("columns: [", "columns: [{processor: big, width: 1, provenance: scaled}, ", ": networks[0].segments[0].ns: [5, 2]; 3 durations"),
        ("processor: npu", "processor: gpu", ": columns[1].processor: gpu; did you mean npu? known: big, npu"),
        ("processor: npu, width: 1", "processor: npu, width: 2", ": columns[1].width: 2; 1 to 1, the lanes of npu"),
        ("processor: npu, width: 1", "processor: big, width: 1", ": networks[0].segments[0].columns: ('big', 1); each processor and width"),
        ("processor: big, width: 1", "processor: big, width: 0", ": columns[0].width: 0; 1 to 4, the lanes of big"),
        ("ns: [5, 2]", "ns: [0, 2]", ": networks[0].segments[0].ns: 0; 1 or more"),
        ("ns: [5, 2]", "ns: [5.5, 2]", ": networks[0].segments[0].ns[0]: 5.5; a whole number or null"),
        ("ns: [6, null]", "ns: [null, null]", ": networks[0].segments[1].ns: none; at least one place where it runs"),
        ("ns: [6, null]", "ns: [null, 6]", ""),
        ("ns: [5, 2]", "ns: [null, 2]", ": networks[0].segments: no place runs them all; a processor and width"),
        ("bytes: 7", "bytes: -7", ": networks[0].segments[0].bytes: -7; 0 or more"),
        ("bytes: 7", "byte: 7", ": networks[0].segments[0].byte: unknown key; did you mean bytes?"),
        ("name: b, ns", "name: a, ns", ": networks[0].segments: a; a name of its own for each segment"),
        ("segments: [", "segments: [], rest: [", ": networks[0].rest: unknown key; "),
        ("name: n, ", "name: n, precision: int4, ", ": networks[0].precision: int4; did you mean int8?"),
        ("networks: [", "networks: [{name: n, segments: [{name: a, ns: [5, 2]}]}, ", ": networks: n; a name of its own for each network"),
        ("source: s", "source: s\nplanned_width: 2", ": planned_width: 2; a width at which every network runs; n does not"),
    ],
)
def test_a_board_that_cannot_be_is_refused_with_path_value_and_what_would_do(tmp_path: Path, before: str, after: str, story: str) -> None:
    assert before in SMALL
    text = SMALL.replace(before, after, 1)
    if not story:
        assert read(tmp_path, text).network("n").places == (("npu", 1),)
        return
    with pytest.raises(InputError) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'board.yaml'}{story}")
    assert "\n" not in str(refused.value)


def test_a_board_that_is_not_shipped_is_refused_by_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"^platform: moca_sock; did you mean moca_soc\? known: .*moca_soc"):
        board("moca_sock")


def test_whoever_misspells_a_board_hears_of_this_machine_and_of_files() -> None:
    with pytest.raises(InputError, match=r"^platform: x; known: auto, .*moca_soc.*; or the file of a board, such as board\.yaml$"):
        board("x")


@pytest.mark.parametrize(
    ("at", "story"),
    [(cost("gpu"), "processor: gpu; known: p"), (cost("p", width=3), "width: 3; 1 to 2, the lanes of p")],
)
def test_a_board_made_in_code_has_no_figure_of_what_its_platform_lacks(at: Cost, story: str) -> None:
    platform = Platform(
        name="b", processors=(Processor(name="p", kind="k", lanes=2, memory="m"),), memories=(Memory(name="m", capacity_bytes=1),)
    )
    network = Network(name="n", segments=(Segment(name="a", costs=(cost("p"), at)),))
    with pytest.raises(InputError, match=rf"^networks\[0\]\.{story}"):
        Board(platform=platform, networks=(network,), source="s")


@pytest.mark.parametrize("interference", [-0.01, math.nan, math.inf])
def test_interference_is_a_finite_slowdown(interference: float) -> None:
    with pytest.raises(InputError, match=r"^memories\[m\]\.interference: "):
        Memory(name="m", capacity_bytes=1, interference=interference)


def test_segments_and_networks_without_anything_are_refused() -> None:
    with pytest.raises(InputError, match=r"^segments: none; "):
        Network(name="n", segments=())
    with pytest.raises(InputError, match=r"^segments: no place runs them all; "):
        Network(name="n", segments=(Segment(name="a", costs=(cost(width=1),)), Segment(name="b", costs=(cost(width=2),))))


# What is shipped.


@pytest.mark.parametrize("name", boards())
def test_every_shipped_board_says_who_published_its_figures(name: str) -> None:
    found = board(name)
    assert found.source.strip()
    assert found.platform.name == name
    assert found.networks


@pytest.mark.parametrize("name", boards())
def test_no_segment_moves_more_bytes_than_its_memory_can(name: str) -> None:
    found = board(name)
    memories = {memory.name: memory.bandwidth_bytes_per_s for memory in found.platform.memories}
    for network in found.networks:
        for segment in network.segments:
            for at in segment.costs:
                bandwidth = memories[found.platform.processor(at.processor).memory]
                assert bandwidth is None or at.memory_bytes <= bandwidth * at.duration_ns / 1e9 * (1 + 1e-9), (network.name, segment.name)


def test_the_soc_of_moca_has_the_seven_networks_at_four_widths(moca: Board) -> None:
    assert set(moca.names) == set(ALONE_NS)
    assert all(network.places == tuple(("tiles", width) for width in WIDTHS) for network in moca.networks)
    assert moca.planned_width == 2


@pytest.mark.parametrize("name", ALONE_NS)
def test_alone_on_two_tiles_a_network_takes_what_was_measured_there(moca: Board, name: str) -> None:
    two_ns, one_ns = ALONE_NS[name]
    assert moca.network(name).duration_ns(("tiles", 2)) == pytest.approx(two_ns, rel=0.1)
    assert moca.network(name).duration_ns(("tiles", 2)) == pytest.approx(two_ns, rel=1e-5), "the factor exact_on_2 brings it there"
    assert moca.network(name).duration_ns(("tiles", 1)) == pytest.approx(one_ns, rel=1e-4)


@pytest.mark.parametrize("name", ALONE_NS)
def test_a_wider_network_is_never_slower_nor_of_less_work_than_lanes_give(moca: Board, name: str) -> None:
    one, two, four, eight = (moca.network(name).duration_ns(("tiles", width)) for width in WIDTHS)
    assert one > two > four > eight
    assert one <= 2 * two <= 4 * four <= 8 * eight, "twice the tiles is at most twice as fast"


@pytest.mark.parametrize("name", ALONE_NS)
def test_a_network_moves_the_same_bytes_at_every_width(moca: Board, name: str) -> None:
    moved = {sum(at.memory_bytes for at in moca.network(name).chain_at(("tiles", width))) for width in WIDTHS}
    assert len(moved) == 1
    assert min(moved) > 0


def test_figures_are_measured_on_one_tile_scaled_on_two_and_assumed_beyond(moca: Board) -> None:
    how = [Provenance.MEASURED, Provenance.SCALED, Provenance.ASSUMED, Provenance.ASSUMED]
    assert list(moca.provenance.items()) == [(("tiles", width), known) for width, known in zip(WIDTHS, how, strict=True)]


def test_a_table_says_where_it_comes_from() -> None:
    lines = (ROOT / "src/cotenant/describe/boards/moca_soc.yaml").read_text().splitlines()
    tables = [index for index, line in enumerate(lines) if line.startswith("- name: ")]
    assert len(tables) == len(ALONE_NS)
    assert all("layers.csv" in lines[index + 1] and "networks.csv" in lines[index + 2] for index in tables)
    assert re.search(r"BSD-3-Clause", "\n".join(lines[:10]))


@pytest.mark.skipif(make_board.found(None) is None, reason="MoCA's published figures are not beside this repository")
def test_what_is_shipped_is_what_its_script_makes_of_the_published_figures() -> None:
    folder = make_board.found(None)
    assert folder is not None
    assert make_board.text(folder) == make_board.BOARD.read_text()
    assert all(make_crews.text(folder, letter) == (ROOT / "examples" / f"moca_{letter}.yaml").read_text() for letter in "ab")


# Crews on a board.


@pytest.mark.parametrize("letter", ["a", "b"])
def test_the_crews_of_moca_just_fill_four_servers_of_two_tiles(moca: Board, letter: str) -> None:
    crew = read_crew(ROOT / "examples" / f"moca_{letter}.yaml")
    tenants = crew.workload.tenants
    assert crew.platform in boards()
    assert all(tenant.source.model.removeprefix("board:") in ALONE_NS for tenant in tenants)
    alone_s = {name: two_ns / 1e9 for name, (two_ns, _) in ALONE_NS.items()}
    seconds_a_second = sum((open_rate_per_s(t.arrival) or 0) * alone_s[t.source.model.removeprefix("board:")] for t in tenants)
    assert seconds_a_second == pytest.approx(4, rel=1e-3)


def test_priorities_of_moca_are_ranks_from_the_greatest_down() -> None:
    tenants = read_crew(ROOT / "examples" / "moca_a.yaml").workload.tenants
    assert all(tenant.rank == 11 - int(tenant.name.rpartition("-p")[2]) for tenant in tenants)
    assert {tenant.rank for tenant in tenants} == {0, 2, 3, 5, 7, 9, 10, 11}


def test_a_model_may_be_that_of_a_board(tmp_path: Path) -> None:
    crew = tmp_path / "crew.yaml"
    crew.write_text("platform: moca_soc\ntenants: [{name: a, model: board:alexnet}]")
    source = read_crew(crew).workload.tenants[0].source
    assert source.is_board
    assert not source.is_zoo
    crew.write_text("tenants: [{name: a, model: 'board:'}]")
    with pytest.raises(InputError, match=r"^tenants\[0\]\.model: .*; an existing ONNX file, zoo:NAME or board:NAME$"):
        read_crew(crew)


def test_a_network_that_is_known_on_a_board_alone_is_refused_on_this_machine(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^tenants\[0\]\.model: board:alexnet; an ONNX file or zoo:NAME"):
        prepare(Source(model="board:alexnet"), "a", tmp_path, "tenants[0].model")
