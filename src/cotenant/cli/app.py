"""The commands, and how they end."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn, cast

import typer
from typer.main import get_command

from cotenant.cli.compare import compare
from cotenant.cli.doctor import doctor
from cotenant.cli.init import init
from cotenant.cli.list import list_
from cotenant.cli.plan import plan
from cotenant.cli.profile import profile
from cotenant.cli.run import run
from cotenant.cli.simulate import simulate
from cotenant.errors import CotenantError, InfeasibleError, InputError

DONE, FAILED, REFUSED, INTERRUPTED, UNREAD = 0, 1, 2, 130, 141  # the last two are what a shell calls SIGINT and SIGPIPE
_USAGE = cast("type[Exception]", typer.BadParameter.__mro__[2])  # ClickException: releases of Typer keep it in different places

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command("init")(init)
app.command("run")(run)
app.command("compare")(compare)
app.command("profile")(profile)
app.command("plan")(plan)
app.command("simulate")(simulate)
app.command("list")(list_)
app.command("doctor")(doctor)


@app.callback()
def about() -> None:
    """Run many neural networks at once on one edge device, in order of rank.

    Exit codes: 0 done, 2 bad input, 130 interrupted, 141 nobody reads on, 1 anything else.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit: 0 done, 2 bad input, 130 interrupted, 141 nobody reads on, 1 anything else.

    One line on stderr says what was wrong.
    """
    _make_ready()
    code = INTERRUPTED  # should a second Ctrl-C come while the first is told
    try:
        code = _end(sys.argv[1:] if arguments is None else arguments)
    except Exception:  # noqa: BLE001  # a defect: told in full, and the exit code is still ours
        code = FAILED
        traceback.print_exc()
    finally:
        _leave_at_once(code)


def _make_ready() -> None:
    """End at SIGTERM as at Ctrl-C, and print to whatever there is: a closed stream, or one that cannot write every name."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # for as long as the process
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end(arguments: Sequence[str]) -> int:
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
    except _USAGE as error:
        return _refuse(_usage(cast("typer.BadParameter", error)), REFUSED)
    except (InputError, InfeasibleError) as error:
        return _refuse(str(error), REFUSED)
    except CotenantError as error:
        return _refuse(str(error), FAILED)
    except KeyboardInterrupt as end:
        return _refuse(str(end) or "interrupted; what was measured is kept", INTERRUPTED)
    except (BrokenPipeError, SystemExit):
        return UNREAD  # whoever read has left, on which Rich would exit: there is nobody to tell
    except OSError as error:
        return _refuse(str(error if error.filename else _on_stdout() or error), FAILED)
    except MemoryError as error:
        return _refuse(f"memory: {error or 'there is not enough'}", FAILED)
    return code


def _invoke(arguments: Sequence[str]) -> int:
    """Do what Typer does, without its own way of catching what is raised; return the exit code that a command asked for."""
    command = get_command(app)
    try:
        with command.make_context("cotenant", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return DONE


def _usage(error: typer.BadParameter) -> str:
    where = error.ctx.command_path if error.ctx else "cotenant"
    return f"{where}: {error.format_message().rstrip('.')}; see {where} --help"


def _on_stdout() -> str:
    """Say what is wrong with standard output, whose errors name no file; nothing where it takes one more line."""
    try:
        print(flush=True)  # a flush alone may have nothing left to try
    except OSError as error:
        return f"standard output: {error.strerror}"
    return ""


def _refuse(story: str, code: int) -> int:
    with suppress(OSError):  # nobody reads it: the code still tells
        print(" ".join(story.split()), file=sys.stderr)
    return code


def _leave_at_once(code: int) -> NoReturn:
    """Exit without taking the interpreter down: threads that are still inside an engine would come back to nothing, and abort.

    What was registered to run at exit does run: temporary folders go, logs are closed.
    """
    try:
        atexit._run_exitfuncs()  # noqa: SLF001  # os._exit would leave them out
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
