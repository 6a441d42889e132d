"""Crew files: what is read, and what is refused in one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from cotenant.describe import (
    Arrival,
    Bursty,
    Closed,
    Crew,
    Discipline,
    External,
    Measure,
    Objective,
    Periodic,
    Poisson,
    Precision,
    Replay,
    Request,
    Source,
    Tenant,
    Work,
    Workload,
)
from cotenant.describe.files import read_crew
from cotenant.errors import InputError

ROOT = Path(__file__).parents[2]
MS = 1_000_000
HEAD = "tenants:\n- name: a\n  model: zoo:alexnet\n"


@pytest.fixture
def crew(tmp_path: Path) -> Path:
    for name in ("net.onnx", "in.npz", "labels.npy"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "arrivals.csv").write_text("arrival_ms\n0\n1.5\n1.5\n\n30\n")
    return tmp_path / "crew.yaml"


def read(crew: Path, text: str) -> Crew:
    crew.write_text(text)
    return read_crew(crew)


def refusal(crew: Path, text: str | bytes) -> str:
    crew.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as refused:
        read_crew(crew)
    line = str(refused.value)
    assert line.isprintable()
    return line


def test_the_robot_example_is_read_as_it_says() -> None:
    closed = [("classifier", "zoo:resnet50"), ("text", "zoo:encoder"), ("tagger", "zoo:mobilenetv2")]
    detector = Tenant(name="detector", source=Source(model="zoo:yolov8n"), arrival=Periodic(every_ns=100 * MS), deadline_ns=100 * MS)
    others = [Tenant(name=name, source=Source(model=model), arrival=Closed(), rank=1, floor=0.05) for name, model in closed]
    assert read_crew(ROOT / "examples" / "robot.yaml") == Crew(workload=Workload(tenants=(detector, *others), horizon_ns=20_000 * MS))


def test_every_key_is_read(crew: Path) -> None:
    text = """
platform: orin
seconds: 2min
seed: 7
policy: {name: dysta, eta: 0.02, beta: 1}
objective: maxmin
tenants:
  - name: all
    model: net.onnx
    samples: in.npz
    labels: labels.npy
    shapes: {images: [1, 3, 64, 64], scale: []}
    rank: 3
    weight: 2
    arrival: {every: 100ms, jitter: 5ms, offset: 1s}
    deadline: 50ms
    floor: 0.25
    fidelity: {floor: 0.5, measure: top1}
    accuracy: 0.7
    allow: [int8, fp32, int8]
    discipline: drop-late
    queue: 12
    work: {spread: 0.3}
    exits: {2: 0.1, 0: 0.25}
"""
    at = crew.parent
    source = Source(
        model=str(at / "net.onnx"), samples=str(at / "in.npz"), labels=str(at / "labels.npy"),
        shapes=(("images", (1, 3, 64, 64)), ("scale", ())),
    )  # fmt: skip
    tenant = Tenant(
        name="all", source=source, arrival=Periodic(every_ns=100 * MS, jitter_ns=5 * MS, offset_ns=1000 * MS), rank=3, weight=2.0,
        deadline_ns=50 * MS, floor=0.25, fidelity_floor=0.5, fidelity_measure=Measure.TOP1, accuracy_floor=0.7,
        allow=(Precision.INT8, Precision.FP32), discipline=Discipline.DROP_LATE, queue=12,
        work=Work(spread=0.3, exits=((0, 0.25), (2, 0.1))),
    )  # fmt: skip
    assert read(crew, text) == Crew(
        workload=Workload(tenants=(tenant,), horizon_ns=120_000 * MS, seed=7), platform="orin", policy="dysta",
        params=(("beta", 1.0), ("eta", 0.02)), objective=Objective.MAXMIN,
    )  # fmt: skip


def test_what_is_left_out_is_the_default(crew: Path) -> None:
    expected = Tenant(name="a", source=Source(model="zoo:alexnet"), arrival=External())
    assert read(crew, HEAD) == Crew(workload=Workload(tenants=(expected,)))


@pytest.mark.parametrize(
    ("text", "arrival"),
    [
        ("flat-out", Closed()),
        ("{closed: 2}", Closed(outstanding=2)),
        ("external", External()),
        ("{external: 30/s}", External(rate_per_s=30.0)),
        ("{poisson: 1.5/ms}", Poisson(rate_per_s=1500.0)),
        ("{bursty: 30/s}", Bursty(rate_per_s=30.0, peak=4.0, share=0.2, burst_ns=500 * MS)),
        ("{bursty: 30/min, peak: 8, share: 0.1, burst: 2s}", Bursty(rate_per_s=0.5, peak=8.0, share=0.1, burst_ns=2000 * MS)),
        ("{bursty: 1e-6/s, burst: 1h}", Bursty(rate_per_s=1e-6, burst_ns=3600 * 1000 * MS)),
        ("{every: 2ms, offset: 1us}", Periodic(every_ns=2 * MS, offset_ns=1000)),
    ],
)
def test_every_form_of_arrival_is_read(crew: Path, text: str, arrival: Arrival) -> None:
    assert read(crew, f"{HEAD}  arrival: {text}").workload.tenants[0].arrival == arrival


def test_every_arrival_and_variation_that_the_page_shows_is_read(crew: Path) -> None:
    page = (ROOT / "docs" / "crew-file.md").read_text()
    table = page.split("| arrival | when requests come |")[1].split("\n\n")[0]
    shown = re.findall(r"`(flat-out|external|\{.*?\})`", table)
    assert len({type(read(crew, f"{HEAD}  arrival: {text}").workload.tenants[0].arrival) for text in shown}) == len(get_args(Arrival))
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    varied = read(crew, HEAD + "".join(f"  {line}\n" for line in block.splitlines())).workload.tenants[0]
    assert varied.work == Work(spread=0.3, exits=((0, 0.2), (3, 0.1)))
    (log,) = re.findall(r"^```\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    (crew.parent / "log.csv").write_text(log)
    text = "requests: log.csv\ntenants: [{name: detector, model: zoo:x}, {name: classifier, model: zoo:x}]"
    assert [request.tenant for request in read(crew, text).workload.requests(10**9)] == ["detector", "classifier"]


def test_recorded_arrivals_are_read_from_their_file(crew: Path) -> None:
    arrival = read(crew, HEAD + "  arrival: {trace: arrivals.csv}").workload.tenants[0].arrival
    assert arrival == Replay(path=str(crew.parent / "arrivals.csv"), times_ns=(0, 1_500_000, 1_500_000, 30_000_000))


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s"])
def test_recorded_arrivals_may_be_in_any_unit(crew: Path, unit: str) -> None:
    (crew.parent / "arrivals.csv").write_text(f"arrival_{unit}\n2\n")
    arrival = read(crew, HEAD + "  arrival: {trace: arrivals.csv}").workload.tenants[0].arrival
    assert isinstance(arrival, Replay)
    assert arrival.times_ns == (2 * {"ns": 1, "us": 10**3, "ms": MS, "s": 10**9}[unit],)


def test_a_log_of_requests_gives_its_tenants_their_arrivals(crew: Path) -> None:
    (crew.parent / "log.csv").write_text("tenant,arrival_ms,work_scale\nb,3,2\na,1,\nb,2,\n")
    text = f"requests: log.csv\n{HEAD}- {{name: b, model: zoo:x, deadline: 5ms}}\n- {{name: c, model: zoo:x, arrival: flat-out}}\n"
    made = read(crew, text).workload
    assert [type(tenant.arrival) for tenant in made.tenants] == [Replay, Replay, Closed]
    assert made.requests(10**9) == (
        Request(id=0, tenant="a", arrival_ns=MS),
        Request(id=1, tenant="b", arrival_ns=2 * MS, due_ns=7 * MS),
        Request(id=2, tenant="b", arrival_ns=3 * MS, due_ns=8 * MS, work_scale=2.0),
    )


def test_a_tenant_asks_by_its_log_or_by_its_arrival_but_not_both(crew: Path) -> None:
    (crew.parent / "log.csv").write_text("tenant,arrival_ms\na,3\n")
    story = "tenants[0].arrival: given; left out: requests lists when a asks"
    assert refusal(crew, f"requests: log.csv\n{HEAD}  arrival: {{poisson: 3/s}}\n") == story


def test_a_log_that_is_missing_or_damaged_is_refused(crew: Path) -> None:
    where = crew.parent / "log.csv"
    assert refusal(crew, f"requests: log.csv\n{HEAD}").startswith(f"requests: {where}; an existing CSV file of requests")
    assert refusal(crew, f"requests: 3\n{HEAD}") == "requests: 3; text"
    where.write_text("tenant,arrival_ms\nz,3\n")
    assert refusal(crew, f"requests: log.csv\n{HEAD}") == f"requests: {where}:2: z; tenant: known: a"


def test_a_parameter_may_stand_below_the_name_of_its_policy(crew: Path) -> None:
    read_one = read(crew, "policy: {dysta: {eta: 0.02}}\n" + HEAD)
    assert (read_one.policy, read_one.params) == ("dysta", (("eta", 0.02),))


def test_relative_paths_start_from_the_folder_of_the_crew(crew: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = crew.parent / "elsewhere"
    elsewhere.mkdir()
    crew.write_text("tenants: [{name: a, model: elsewhere/../net.onnx}]")
    monkeypatch.chdir(elsewhere)
    assert read_crew(Path("../crew.yaml")).workload.tenants[0].source.model == str(crew.parent / "net.onnx")


def test_text_numbers_and_flags_are_told_apart_as_in_yaml_1_2(crew: Path) -> None:
    tenants = "{name: no, model: zoo:x, weight: 1e3}, {name: 2026-01-02, model: zoo:x}, {name: 12:30, model: zoo:x}"
    text = f"seed: 010\nseconds: 1e1\ntenants: [{tenants}]"
    made = read(crew, text)
    assert [t.name for t in made.workload.tenants] == ["no", "2026-01-02", "12:30"]
    assert (made.workload.seed, made.workload.horizon_ns, made.workload.tenants[0].weight) == (10, 10**10, 1000.0)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("rank: -1", "tenants[0].rank: -1; 0 or more"),
        ("rank: 1.5", "tenants[0].rank: 1.5; a whole number"),
        ("rank: true", "tenants[0].rank: true; a whole number"),
        ("rank: null", "tenants[0].rank: null; a whole number"),
        ("rank:", "tenants[0].rank: null; a whole number"),
        ("rank: first", "tenants[0].rank: first; a whole number"),
        (f"rank: {10**30}", f"tenants[0].rank: {10**30}; a whole number within 64 bits"),
        (f"rank: {10**15}", f"tenants[0].rank: {10**15}; at most 1000000"),
        ("weight: 0", "tenants[0].weight: 0.0; more than 0, at most 1000000"),
        ("weight: .nan", "tenants[0].weight: nan; a number"),
        ("weight: .inf", "tenants[0].weight: inf; more than 0, at most 1000000"),
        ("weight: 1e999", "tenants[0].weight: inf; more than 0, at most 1000000"),
        ("weight: [1]", "tenants[0].weight: [1]; a number"),
        ("floor: 5", "tenants[0].floor: 5.0; 0 to 1"),
        ("floor: 5%", "tenants[0].floor: 5%; a number"),
        ("deadline: 100", "tenants[0].deadline: 100; a duration with its unit, such as 100ms; one of ns us ms s min h"),
        ("deadline: 100 Hz", "tenants[0].deadline: 100 Hz; a duration with its unit, such as 100ms; one of ns us ms s min h"),
        ("deadline: null", "tenants[0].deadline: null; a duration with its unit, such as 100ms; one of ns us ms s min h"),
        ("deadline: 0ms", "tenants[0].deadline: 0s; longer than 0"),
        ("deadline: 1e99s", "tenants[0].deadline: 1e99s; at most 876000h"),
        ("fidelity: 2", "tenants[0].fidelity: 2.0; 0 to 1"),
        ("fidelity: high", "tenants[0].fidelity.floor: high; a number"),
        ("fidelity: {floor: 0.9, measure: top2}", "tenants[0].fidelity.measure: top2; did you mean top1? known: centred, top1"),
        ("fidelity: {flor: 0.9}", "tenants[0].fidelity.flor: unknown key; did you mean floor? known: floor, measure"),
        ("accuracy: 0.9", "tenants[0].accuracy: 0.9; needs labels: labels.npy beside the samples"),
        ("allow: []", "tenants[0].allow: []; at least one of fp32, bf16, int8"),
        ("allow: int8", "tenants[0].allow: int8; a list"),
        ("allow: [int4]", "tenants[0].allow[0]: int4; did you mean int8? known: fp32, bf16, int8"),
        ("discipline: drop", "tenants[0].discipline: drop; did you mean drop-late? known: in-order, newest-first, drop-late"),
        ("discipline: newest-first\n  arrival: flat-out", "tenants[0].discipline: newest-first; only for requests that come by themselves"),
        ("queue: 0", "tenants[0].queue: 0; 1 to 1000000 requests"),
        ("queue: 2000000", "tenants[0].queue: 2000000; 1 to 1000000 requests"),
        ("queue: 2.5", "tenants[0].queue: 2.5; a whole number"),
        ("queue: none", "tenants[0].queue: none; a whole number"),
        ("queue: true", "tenants[0].queue: true; a whole number"),
        ("queue: 9\n  arrival: {closed: 2}", "tenants[0].queue: 9; only for requests that come by themselves or are submitted; "),
        ("shapes: [1, 3]", "tenants[0].shapes: [1, 3]; keys with values"),
        ("shapes: {x: 3}", "tenants[0].shapes.x: 3; a list of whole numbers of 1 or more, such as [1, 3, 224, 224]"),
        ("shapes: {x: [1, 0]}", "tenants[0].shapes.x: [1, 0]; a list of whole numbers of 1 or more, such as [1, 3, 224, 224]"),
        ("shapes: {x: [1, n]}", "tenants[0].shapes.x[1]: n; a whole number"),
        ("rnak: 1", "tenants[0].rnak: unknown key; did you mean rank? known: "),
        ("arrival: flatout", "tenants[0].arrival: flatout; did you mean flat-out? known: flat-out, external; or {every: 100ms}"),
        ("arrival: 30", "tenants[0].arrival: 30; {every: 100ms}, {poisson: 30/s}"),
        ("arrival: {}", "tenants[0].arrival: {}; exactly one of every, poisson, bursty, trace, closed, external"),
        ("arrival: {every: 1s, closed: 2}", "tenants[0].arrival: {'closed': 2, 'every': '1s'}; exactly one of every"),
        ("arrival: {evry: 1s}", "tenants[0].arrival.evry: unknown key; did you mean every? known: every"),
        ("arrival: {every: 10/s}", "tenants[0].arrival.every: 10/s; a duration with its unit, such as 100ms"),
        ("arrival: {every: 0ms}", "tenants[0].arrival.every: 0s; 1us or longer"),
        ("arrival: {every: 1ms, jitter: 2ms}", "tenants[0].arrival.jitter: 2ms; 0 up to the period, 1ms"),
        ("arrival: {poisson: 30/s, jitter: 1ms}", "tenants[0].arrival.jitter: 1ms; only beside every"),
        ("arrival: {poisson: 30/s, peak: 4}", "tenants[0].arrival.peak: 4; only beside bursty"),
        ("arrival: {every: 1s, burst: 1s}", "tenants[0].arrival.burst: 1s; only beside bursty"),
        ("arrival: {bursty: 30/s, offset: 1s}", "tenants[0].arrival.offset: 1s; only beside every"),
        ("arrival: {bursty: 30/s, peak: 6}", "tenants[0].arrival.peak: 6.0; at most 5 with a share of 0.2: the rate between bursts"),
        ("arrival: {bursty: 30/s, peak: 1}", "tenants[0].arrival.peak: 1.0; more than 1, times the mean rate"),
        ("arrival: {bursty: 30/s, peak: high}", "tenants[0].arrival.peak: high; a number"),
        ("arrival: {bursty: 30/s, share: 20%}", "tenants[0].arrival.share: 20%; a number"),
        ("arrival: {bursty: 30/s, share: 1}", "tenants[0].arrival.share: 1.0; at least 0.000001, less than 1"),
        ("arrival: {bursty: 30/s, burst: 0ms}", "tenants[0].arrival.burst: 0s; "),
        ("arrival: {bursty: 30/s, burst: 0.5}", "tenants[0].arrival.burst: 0.5; a duration with its unit, such as 100ms"),
        ("arrival: {bursty: 30}", "tenants[0].arrival.bursty: 30; a rate with its unit, such as 30/s"),
        ("arrival: {poisson: 30ms}", "tenants[0].arrival.poisson: 30ms; a rate with its unit, such as 30/s"),
        ("arrival: {closed: 0}", "tenants[0].arrival.closed: 0; 1 to 1000000"),
        ("arrival: {closed: true}", "tenants[0].arrival.closed: true; a whole number"),
        ("arrival: {external: null}", "tenants[0].arrival.external: null; a rate with its unit, such as 30/s"),
        ("arrival: {trace: 3}", "tenants[0].arrival.trace: 3; text"),
        ("work: 0.3", "tenants[0].work: 0.3; keys with values"),
        ("work: {spraed: 0.3}", "tenants[0].work.spraed: unknown key; did you mean spread? known: spread"),
        ("work: {spread: -1}", "tenants[0].work.spread: -1.0; 0 to 10"),
        ("work: {spread: .inf}", "tenants[0].work.spread: inf; 0 to 10"),
        ("work: {spread: .nan}", "tenants[0].work.spread: nan; a number"),
        ("exits: 0.3", "tenants[0].exits: 0.3; probabilities by the index of a segment, such as {0: 0.2, 3: 0.1}"),
        ("exits: {first: 0.3}", "tenants[0].exits: {'first': 0.3}; probabilities by the index"),
        ("exits: {true: 0.3}", "tenants[0].exits: {True: 0.3}; probabilities by the index"),
        ("exits: {-1: 0.3}", "tenants[0].exits: {-1: 0.3}; probabilities by the index"),
        ("exits: {1000001: 0.3}", "tenants[0].exits: 1000001; the index of a segment, 0 to 1000000"),
        ("exits: {2: 0.3, '2': 0.3}", "tenants[0].exits: 2; each segment once"),
        ("exits: {0: often}", "tenants[0].exits.0: often; a number"),
        ("exits: {0: 0}", "tenants[0].exits.0: 0.0; probabilities in (0, 1] that add up to at most 1"),
        ("exits: {0: 1.5}", "tenants[0].exits.0: 1.5; probabilities in (0, 1]"),
        ("exits: {0: 0.6, 1: 0.5}", "tenants[0].exits: 1.1 in all; probabilities in (0, 1] that add up to at most 1"),
    ],
)
def test_a_tenant_that_cannot_be_is_refused_with_path_value_and_what_would_do(crew: Path, key: str, line: str) -> None:
    assert refusal(crew, f"{HEAD}  {key}\n").startswith(line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tenants: []", "tenants: none; at least one tenant"),
        ("tenants:", "tenants: null; a list"),
        ("tenants: {a: 1}", "tenants: {'a': 1}; a list"),
        ("tenants: [3]", "tenants[0]: 3; keys with values"),
        ("tenants: [{model: zoo:x}]", "tenants[0].name: missing; this key is needed"),
        ("tenants: [{naem: a, model: zoo:x}]", "tenants[0].naem: unknown key; did you mean name? known: name, model"),
        ("tenants: [{name: a}]", "tenants[0].model: missing; this key is needed"),
        ("tenants: [{name: '', model: zoo:x}]", "tenants[0].name: ''; a name in printable characters, on one line"),
        ('tenants: [{name: "a\\nb", model: zoo:x}]', "tenants[0].name: 'a\\nb'; a name in printable characters, on one line"),
        ("tenants: [{name: 3, model: zoo:x}]", "tenants[0].name: 3; text"),
        ("seconds: 20", "tenants: missing; this key is needed"),
        ("tenant: [{name: a, model: zoo:x}]", "tenant: unknown key; did you mean tenants? known: tenants, platform"),
        ("1: 2", "1: unknown key; known: tenants"),
        (HEAD + "seconds: -1", "seconds: -1; a number of seconds or a duration such as 20s; more than 0"),
        (HEAD + "seconds: 0ms", "seconds: 0.0; more than 0"),
        (HEAD + "seconds: true", "seconds: true; a number of seconds"),
        (HEAD + "seconds: .inf", "seconds: inf; a number of seconds"),
        (HEAD + "seconds: .nan", "seconds: nan; a number"),
        (HEAD + "seconds: 20 seconds", "seconds: 20 seconds; a duration with its unit"),
        (HEAD + "seed: -1", "seed: -1; 0 to 9223372036854775807"),
        (HEAD + "platform: ''", "platform: ''; auto, the name of a board, or an existing YAML file"),
        (HEAD + "objective: fair", "objective: fair; "),
        (HEAD + "policy: 3", "policy: 3; a name, or a name with parameters"),
        (HEAD + "policy: {name: edf, x: fast}", "policy.edf.x: fast; a number"),
        (HEAD + "policy: {name: edf, x: .inf}", "policy.edf.x: inf; a number"),
        (HEAD + "policy: {edf: {x: true}}", "policy.edf.x: true; a number"),
        (HEAD + f"policy: {{name: edf, x: {10**400}}}", "policy.edf.x: 1000"),
        (HEAD + "policy: {edf: 3}", "policy: {'edf': 3}; a name, or a name with parameters"),
    ],
)
def test_a_crew_that_cannot_be_is_refused_with_path_value_and_what_would_do(crew: Path, text: str, line: str) -> None:
    assert refusal(crew, text).startswith(line)


def test_two_tenants_of_one_name_are_refused_at_the_second(crew: Path) -> None:
    assert refusal(crew, HEAD + "- {name: a, model: zoo:y}") == "tenants[1].name: a; a name of its own; it is taken"


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("model", "an existing ONNX file, zoo:NAME or board:NAME"),
        ("samples", "an existing .npz file with one array per input"),
        ("labels", "an existing .npy file of class indices"),
    ],
)
def test_a_missing_file_is_refused_by_its_absolute_path(crew: Path, key: str, allowed: str) -> None:
    tenant = {"name": "a", "model": "net.onnx"} | {key: "gone/file"}
    text = "tenants: [{" + ", ".join(f"{k}: {v}" for k, v in tenant.items()) + "}]"
    assert refusal(crew, text) == f"tenants[0].{key}: {crew.parent / 'gone/file'}; {allowed}"


@pytest.mark.parametrize("model", ["''", ".", '"a\\0b"', "'zoo:'", "'zoo: '", "x" * 5000])
def test_a_model_that_can_be_no_file_is_refused(crew: Path, model: str) -> None:
    assert refusal(crew, f"tenants: [{{name: a, model: {model}}}]").startswith("tenants[0].model: ")


@pytest.mark.parametrize(
    ("content", "story"),
    [
        ("", ":1: empty; known: arrival_ns, arrival_us, arrival_ms, arrival_s"),
        ("0\n1\n", ":1: 0; known: arrival_ns"),
        ("arrival\n1", ":1: arrival; did you mean arrival_"),
        ("arrival_min\n1", ":1: arrival_min; did you mean arrival_"),
        ("arrival_ms,size\n1,2", ":1: arrival_ms,size; did you mean arrival_ms?"),
        ("arrival_ms\n", ":1: arrival_ms; at least one arrival below it"),
        ("arrival_ms\n3\n\n-5", ":4: -5; an instant of 0 or more"),
        ("arrival_ms\n3\n2.5", ":3: 2.5; instants in order; the one before is later"),
        ("arrival_ms\n3\nsoon", ":3: soon; a number"),
        ("arrival_ms\nnan", ":2: nan; an instant of 0 or more"),
        ("arrival_ms\nsNaN", ":2: sNaN; an instant of 0 or more"),
        ("arrival_s\n1e30", ":2: 1e30; an instant of 0 or more"),
        ("arrival_s\n1e999999999999", ":2: 1e999999999999; an instant of 0 or more"),
        ("arrival_ms\n1,2", ":2: 1,2; a number"),
        ('arrival_ms\n"' + "1" * 200_000, ":2: field larger than field limit (131072); comma-separated values"),
    ],
)
def test_damaged_arrivals_are_refused_with_file_and_line(crew: Path, content: str, story: str) -> None:
    trace = crew.parent / "arrivals.csv"
    trace.write_text(content)
    assert refusal(crew, HEAD + "  arrival: {trace: arrivals.csv}").startswith(f"tenants[0].arrival.trace: {trace}{story}")


def test_arrivals_that_are_missing_or_no_text_are_refused(crew: Path) -> None:
    where = f"{crew.parent / 'arrivals.csv'}"
    (crew.parent / "arrivals.csv").write_bytes(b"arrival_ms\n\xff\n")
    story = f"tenants[0].arrival.trace: {where}:2: byte 0xff; text in UTF-8"
    assert refusal(crew, HEAD + "  arrival: {trace: arrivals.csv}") == story
    (crew.parent / "arrivals.csv").unlink()
    assert refusal(crew, HEAD + "  arrival: {trace: arrivals.csv}").startswith(f"tenants[0].arrival.trace: {where}; an existing CSV file")


@pytest.mark.parametrize(
    ("text", "story"),
    [
        ("", ": empty; a mapping with tenants"),
        ("# nothing\n", ": empty; a mapping with tenants"),
        ("- a\n- b\n", ": ['a', 'b']; a mapping with tenants"),
        ("detector", ": detector; a mapping with tenants"),
        ("tenants:\n\t- name: a\n", ":2: found character '\\t' that cannot start any token; YAML"),
        ("tenants: [\n", ":2: "),
        ("seed: 1\nseed: 2\n", ":2: key seed comes twice; YAML"),
        ("tenants:\n- {name: a, name: b}", ":2: key name comes twice; YAML"),
        ("tenants: &x\n- *x\n", ":2: an alias is not read: write it out; YAML"),
        ("seed: !!python/object:os.system x", ":1: could not determine a constructor"),
        ("seed: !!int x", ":1: x is no int; YAML"),
        ('policy: "\\ud800"', ":1: '\\ud800 holds half a character'; YAML"),
        ("{[1]: 2}", ":1: found unhashable key; YAML"),
        ("a: 1\n---\nb: 2", ":2: but found another document; YAML"),
        ("seed: " + "9" * 5000, ":1: 999"),
        ("a: " + "[" * 3000, ": nested too deeply; YAML"),
        (b"seed: 1\nname: \xff", ":2: byte 0xff; text in UTF-8"),
        ("seed: 1\nname: \x07", ":2: character 0x7; printable characters"),
    ],
)
def test_a_damaged_file_is_refused_with_its_path_and_line(crew: Path, text: str | bytes, story: str) -> None:
    assert refusal(crew, text).startswith(f"{crew}{story}")


def test_a_missing_crew_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, story in ((tmp_path / "gone.yaml", "no such file or directory"), (tmp_path, "is a directory")):
        with pytest.raises(InputError) as refused:
            read_crew(path)
        assert str(refused.value) == f"{path}: {story}; a file that can be read"


def test_a_byte_order_mark_and_carriage_returns_are_read(crew: Path) -> None:
    crew.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert read_crew(crew).workload.tenants[0].name == "a"


def test_cores_are_a_number_of_them_or_which(crew: Path) -> None:
    for text, cores in (("2", 2), ("[0]", (0,)), ("[3, 1]", (3, 1))):
        assert read(crew, f"{HEAD}  cores: {text}\n").workload.tenants[0].cores == cores
    assert read(crew, HEAD).workload.tenants[0].cores is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "tenants[0].cores: 0; 1 to 65536 cores, or a list of their numbers"),
        ("-1", "tenants[0].cores: -1; 1 to 65536 cores, or a list of their numbers"),
        ("true", "tenants[0].cores: true; how many cores, such as 1, or which, such as [0]"),
        ("1.5", "tenants[0].cores: 1.5; how many cores, such as 1, or which, such as [0]"),
        ("[]", "tenants[0].cores: []; at least one core"),
        ("[1, 1]", "tenants[0].cores: [1, 1]; each core once, by its number, 0 or more"),
        ("[-1]", "tenants[0].cores: [-1]; each core once, by its number, 0 or more"),
        ("[a]", "tenants[0].cores[0]: a; a whole number"),
    ],
)
def test_cores_that_cannot_be_are_refused(crew: Path, text: str, said: str) -> None:
    assert refusal(crew, f"{HEAD}  cores: {text}\n") == said
