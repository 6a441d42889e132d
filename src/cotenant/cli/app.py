"""The application: its commands, and how it ends."""

from __future__ import annotations

import os
import sys

import typer

from cotenant.cli import compare, init, listing, plan, profile, run
from cotenant.errors import CotenantError, InfeasibleError, InputError

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(help="Run many networks on one device, in order of rank.", add_completion=False, pretty_exceptions_enable=False)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("compare")(compare.compare)
app.command("profile")(profile.profile)
app.command("plan")(plan.plan)
app.add_typer(listing.app, name="list", help="List what there is: zoo, policies, engines, platforms.")


USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]
"""The parent of all that typer has to say of arguments; newer versions ship a copy of click of their own."""


def main() -> None:
    """Run a command; exit with 0 done, 2 bad input, 130 interrupted, 1 anything else, and one line that says why."""
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False) or DONE
    except (typer.Abort, KeyboardInterrupt):
        code = _say("interrupted; what was measured is kept", INTERRUPTED)
    except USAGE_ERROR as error:
        code = _say(getattr(error, "format_message", error.__str__)(), BAD_INPUT)
    except (InputError, InfeasibleError) as error:
        code = _say(str(error), BAD_INPUT)
    except CotenantError as error:
        code = _say(str(error), FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    sys.exit(code)


def _say(line: str, code: int) -> int:
    sys.stderr.write(" ".join(line.splitlines()) + "\n")
    return code
