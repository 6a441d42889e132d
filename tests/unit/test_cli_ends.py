"""How a command ends where what it prints goes nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cotenant.cli.app import _end

MAIN = "from cotenant.cli import main; main()"
LONG = "from cotenant.cli import app; app._invoke = lambda _: print('x' * 100_000); app.main()"


def left(*program: str, stdout: int, unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program in a process that buffers what it prints, as they do unless told otherwise."""
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    return subprocess.run([sys.executable, "-c", *program], stdout=stdout, stderr=subprocess.PIPE, env=env, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no disk that is always full")
@pytest.mark.parametrize("program", [(MAIN, "list", "policies"), (MAIN, "list", "policies", "--json"), (LONG,)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_told_of_standard_output(program: tuple[str, ...], unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = left(*program, stdout=full.fileno(), unbuffered=unbuffered)
    assert (done.returncode, done.stderr) == (1, "standard output: No space left on device\n")


@pytest.mark.parametrize("program", [(MAIN, "list", "policies"), (MAIN, "list", "policies", "--json"), (LONG,)])
def test_whoever_reads_no_further_ends_a_command_as_a_shell_expects(program: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = left(*program, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_error_of_another_file_is_not_laid_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise OSError(28, "No space left on device", "page.html")

    monkeypatch.setattr("cotenant.cli.app._invoke", fail)
    assert _end(()) == 1
    assert capsys.readouterr() == ("", "[Errno 28] No space left on device: 'page.html'\n")
