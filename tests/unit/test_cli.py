from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cotenant.cli import main
from cotenant.cli.app import _end
from cotenant.cli.measure import permitted
from cotenant.cli.run import MOMENT_S, stopping
from cotenant.cli.screen import show_json
from cotenant.describe import Precision
from cotenant.describe.files import boards, read_crew
from cotenant.errors import BackendError, InfeasibleError, InputError

COMMANDS = ("init", "run", "compare", "profile", "plan", "list")
CREW = "tenants: [{name: a, model: zoo:squeezenet, rank: 0, arrival: flat-out}]\n"

Captured = pytest.CaptureFixture[str]


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def refused(capsys: Captured, *arguments: str) -> str:
    """Return the one line of a refusal."""
    assert ended(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_help_names_every_command(capsys: Captured) -> None:
    assert ended("--help") == 0
    words = capsys.readouterr().out.split()
    assert set(COMMANDS) <= set(words)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_prints_json_when_asked(capsys: Captured, command: str) -> None:
    assert ended(command, "--help") == 0
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "Missing command"),
        (("runn",), "run"),
        (("run",), "CREW"),
        (("run", "--foo", "x.yaml"), "--foo"),
        (("run", "x.yaml", "--seconds", "soon"), "--seconds"),
        (("run", "x.yaml", "--seconds", "0"), "--seconds: 0.0"),
        (("run", "x.yaml", "--seconds", "inf"), "--seconds: inf"),
        (("run", "x.yaml", "--trace", "no/such/folder.json"), "--trace"),
        (("run", "x.yaml", "--precision", "fp23"), "did you mean fp32?"),
        (("compare", "x.yaml", "--rounds", "0"), "--rounds: 0"),
        (("profile", "x.yaml"), "x.yaml"),
        (("plan", "x.yaml"), "x.yaml"),
        (("plan", "x.yaml", "--check", "no.json"), "no.json"),
        (("init", "no.onnx"), "no.onnx"),
        (("list", "zoos"), "did you mean zoo?"),
    ],
)
def test_bad_input_ends_with_2_and_one_line_that_names_it(capsys: Captured, arguments: tuple[str, ...], named: str) -> None:
    assert named in refused(capsys, *arguments)


def test_an_unknown_key_of_a_crew_is_refused_by_every_command_that_reads_one(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "crew.yaml"
    file.write_text(CREW + "secnds: 3\n")
    for command in ("run", "compare", "profile", "plan"):
        assert "secnds: unknown key; did you mean seconds?" in refused(capsys, command, str(file))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("a", 1, "2"), 2),
        (InfeasibleError("cpu", "1 lane short", "2 would fit"), 2),
        (BackendError("openvino", "first line\nsecond line"), 1),
        (OSError(28, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_is_one_line_and_its_code(monkeypatch: pytest.MonkeyPatch, capsys: Captured, error: BaseException, code: int) -> None:
    def fail(arguments: object) -> None:
        raise error

    monkeypatch.setattr("cotenant.cli.app._invoke", fail)
    assert _end(()) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_what_init_prints_is_a_crew_that_reads(tmp_path: Path, capsys: Captured) -> None:
    assert ended("init", "zoo:squeezenet", "zoo:unet") == 0
    file = tmp_path / "crew.yaml"
    file.write_text(capsys.readouterr().out)
    assert [t.source.model for t in read_crew(file).workload.tenants] == ["zoo:squeezenet", "zoo:unet"]


def test_init_prints_the_same_crew_as_json(capsys: Captured) -> None:
    ended("init", "zoo:squeezenet")
    text = capsys.readouterr().out
    ended("init", "zoo:squeezenet", "--json")
    assert json.loads(capsys.readouterr().out) == {"crew": text}


@pytest.mark.parametrize(
    ("what", "among"),
    [("zoo", {"zoo:squeezenet"}), ("policies", {"edf"}), ("engines", {"onnxruntime"}), ("platforms", {"auto", *boards()})],
)
def test_list_prints_the_same_names_as_a_table_and_as_json(capsys: Captured, what: str, among: set[str]) -> None:
    assert ended("list", what, "--json") == 0
    entries = json.loads(capsys.readouterr().out)[what]
    assert among <= set(entries)
    assert ended("list", what) == 0
    words = capsys.readouterr().out.split()
    assert set(entries) <= set(words)


def test_the_fake_engine_is_not_listed(capsys: Captured) -> None:
    ended("list", "engines", "--json")
    assert "fake" not in json.loads(capsys.readouterr().out)["engines"]


def test_precisions_come_one_by_one_or_with_commas() -> None:
    assert permitted(None) is None
    assert permitted(["fp32,int8"]) == permitted(["int8", "fp32"]) == (Precision.FP32, Precision.INT8)


def test_a_number_that_json_lacks_is_null(capsys: Captured) -> None:
    show_json({"bound": math.inf, "rates": (1.5, -math.inf, math.nan)})
    assert json.loads(capsys.readouterr().out) == {"bound": None, "rates": [1.5, None, None]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_a_run_and_one_more_a_moment_later_ends_it(number: signal.Signals) -> None:
    before, now_s = signal.getsignal(number), 7.0
    with stopping(lambda: now_s) as stop:
        signal.raise_signal(number)
        assert stop.is_set()
        signal.raise_signal(number)
        now_s += MOMENT_S
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_reader_who_leaves_gets_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, "-c", "from cotenant.cli import main; main()", "list", "zoo", "--json"]
    done = subprocess.run(program, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
