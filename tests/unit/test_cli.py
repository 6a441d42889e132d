from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from cotenant.cli.app import _end
from cotenant.cli.measure import permitted
from cotenant.cli.run import MOMENT_S, stopping
from cotenant.cli.screen import show_json
from cotenant.describe import Precision
from cotenant.describe.files import boards, read_crew
from cotenant.errors import BackendError, InfeasibleError, InputError

COMMANDS = ("init", "run", "compare", "profile", "plan", "simulate", "list", "doctor")
CREW = "tenants: [{name: a, model: zoo:squeezenet, rank: 0, arrival: flat-out}]\n"

Captured = pytest.CaptureFixture[str]
Stream = int | IO[bytes]
Left = subprocess.CompletedProcess[str]


MAIN = "from cotenant.cli import main; main()"

# At an orderly shutdown the interpreter takes modules down, and what they hold.
LEAVING = """
import atexit, os, sys
from cotenant.cli import app
from cotenant.errors import BackendError, InputError
class Held:
    def __del__(self, write=os.write):
        write(2, b"torn down")
sys.held = Held()
atexit.register(print, "cleared up")
def invoke(_):
    print("done")
    {then}
app._invoke = invoke
app.main()
"""


def ended(*arguments: str) -> int:
    return _end(arguments)


def left(program: str, *arguments: str, stdout: Stream = subprocess.PIPE, stderr: Stream = subprocess.PIPE) -> Left:
    """Run a program in a process of its own that buffers what it prints, as they do unless told otherwise."""
    env = {**os.environ, "PYTHONUNBUFFERED": ""}
    return subprocess.run([sys.executable, "-c", program, *arguments], stdout=stdout, stderr=stderr, env=env, text=True, check=False)


@contextmanager
def unread() -> Iterator[int]:
    """Open a pipe whose reader has left."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


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


def test_a_trace_never_overwrites_its_crew(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "crew.yaml"
    file.write_text(CREW)
    assert "another file than that of the crew" in refused(capsys, "run", str(file), "--trace", str(file))
    assert file.read_text() == CREW


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
    [
        ("zoo", {"zoo:squeezenet"}),
        ("policies", {"edf"}),
        ("searches", {"exact", "rankmap/exact"}),
        ("engines", {"onnxruntime"}),
        ("platforms", {"auto", *boards()}),
    ],
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


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_costs_no_traceback(closed: str) -> None:
    command = ["sh", "-c", f'exec "$0" -c "$1" list zoo {closed}>&-', sys.executable, MAIN]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_that_the_terminal_cannot_write_is_written_another_way() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    program = 'from cotenant.cli.app import _make_ready; _make_ready(); print("caméra \u2192")'
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, env=env, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"cam\\xe9ra \\u2192\n")


@pytest.mark.parametrize("arguments", [("list", "zoo", "--json"), ("list", "zoo"), ("--help",)])
def test_a_reader_who_leaves_gets_no_traceback(arguments: tuple[str, ...]) -> None:
    with unread() as pipe:
        done = left(MAIN, *arguments, stdout=pipe)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(("arguments", "code"), [(("list", "zoos"), 2), (("list", "zoo", "--json"), 0)])
def test_whoever_does_not_read_errors_gets_the_code_all_the_same(arguments: tuple[str, ...], code: int) -> None:
    with unread() as pipe:
        assert left(MAIN, *arguments, stderr=pipe).returncode == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no disk that is always full")
def test_a_full_disk_is_told_once() -> None:
    with Path("/dev/full").open("wb") as full:
        done = left(MAIN, "list", "zoo", "--json", stdout=full)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No space left" in done.stderr


@pytest.mark.parametrize(
    ("then", "code", "told"),
    [
        ("return 0", 0, ""),
        ("raise InputError('a', 1, '2')", 2, "a: 1; 2"),
        ("raise BackendError('x', 'broke')", 1, "engine x: broke"),
        ("raise KeyboardInterrupt", 130, "interrupted; what was measured is kept"),
        ("raise KeyError('a defect')", 1, "KeyError: 'a defect'"),
    ],
)
def test_whatever_the_code_the_interpreter_is_not_taken_down_but_nothing_is_lost(then: str, code: int, told: str) -> None:
    done = left(LEAVING.format(then=then))
    assert (done.returncode, done.stdout) == (code, "done\ncleared up\n")
    assert done.stderr.strip().endswith(told)
    assert "torn down" not in done.stderr


def test_a_period_that_fell_silent_is_noted_on_stderr(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def fall_silent(*_: object, noted: Callable[[str], None], **__: object) -> None:
        noted("round 1, tuned: silent; measured again")
        raise BackendError("child", "silent")

    measured = SimpleNamespace(notes=())
    monkeypatch.setattr("cotenant.cli.measure.measure", lambda *_: None)
    monkeypatch.setattr("cotenant.cli.measure.plan_of", lambda *_, **__: measured)
    monkeypatch.setattr("cotenant.study.compare.compare", fall_silent)
    assert ended("compare", "crew.yaml", "--json") == 1
    assert capsys.readouterr().err == "note: round 1, tuned: silent; measured again\nengine child: silent\n"
