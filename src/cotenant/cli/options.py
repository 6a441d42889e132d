"""Arguments that several commands share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cotenant.describe import Crew, Objective
from cotenant.errors import InputError
from cotenant.registry import nearest
from cotenant.units import MAX_NS, NS_PER_S, duration_ns

if TYPE_CHECKING:
    from cotenant.plan.priority import Priority

AUTO = "auto"
"""The platform that is this machine."""

CrewFile = Annotated[Path, typer.Argument(metavar="CREW", help="A crew file, in YAML.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]
Overload = Annotated[bool, typer.Option("--allow-overload", help="Serve the best there is where the crew does not fit.")]
Precisions = Annotated[
    list[str] | None, typer.Option("--precision", metavar="NAME", help="Permit only fp32, bf16 or int8; again for more.")
]
Seconds = Annotated[str | None, typer.Option("--seconds", metavar="S", help="Last this long, in place of what is usual: 20, or 100ms.")]

_SECONDS = f"a number of seconds or a duration such as 100ms; at least 1 ns, at most {MAX_NS // NS_PER_S} s"


def precision_names(given: Sequence[str] | None) -> tuple[str, ...] | None:
    """Split what was given at commas; None where nothing was."""
    return tuple(part.strip() for text in given for part in text.split(",")) if given else None


def seconds_of(text: str | None) -> float | None:
    """Read a number of seconds, or a duration with its unit, or None as it came; InputError for less than a nanosecond."""
    if text is None:
        return None
    try:
        given = float(text)
    except ValueError:
        given = duration_ns(text, "--seconds") / NS_PER_S
    if not 1 <= given * NS_PER_S <= MAX_NS:
        raise InputError("--seconds", given, _SECONDS)
    return given


def rounds_of(given: int | None) -> int | None:
    """Return a number of rounds, or None as it came; InputError for none at all."""
    if given is not None and given < 1:
        raise InputError("--rounds", given, "1 or more")
    return given


def writable(file: Path | None, option: str) -> Path | None:
    """Return a file that could be written, or None as it came; InputError for another, before any work is done."""
    if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
        raise InputError(option, file, "a file in a folder that is there")
    return file


def inputs_of(file: Path, crew: Crew) -> dict[str, Path]:
    """Return what a crew is read from, by what it is: its own file, that of a board, and what its tenants name."""
    sources = [(f"tenants[{index}]", tenant.source) for index, tenant in enumerate(crew.workload.tenants)]
    named = {f"{path}.model": source.model for path, source in sources if not source.is_zoo and not source.is_board}
    judged = {
        f"{path}.{key}": text for path, source in sources for key, text in (("samples", source.samples), ("labels", source.labels)) if text
    }
    board = {"the board": crew.platform} if crew.platform.endswith((".yaml", ".yml")) else {}
    return {"the crew": file} | {what: Path(text) for what, text in (board | named | judged).items()}


def refuse_overwriting(outputs: Mapping[str, Path | None], inputs: Mapping[str, Path | None]) -> None:
    """Refuse to write a file that is read, and one file twice; InputError names the option and the other."""
    taken = {file.resolve(): what for what, file in inputs.items() if file is not None}
    for option, file in outputs.items():
        if file is not None and file.resolve() in taken:
            raise InputError(option, file, f"another file than that of {taken[file.resolve()]}")
        if file is not None:
            taken[file.resolve()] = option


MOST_LOADS, MOST_SEEDS, MOST_VISITS = 100, 10_000, 4


def seeds_of(given: int) -> int:
    """Return a number of seeds; InputError for none, and for more than anybody waits for."""
    if not 1 <= given <= MOST_SEEDS:
        raise InputError("--seeds", given, f"1 to {MOST_SEEDS}")
    return given


def loads_of(text: str) -> tuple[float, ...]:
    """Read loads: a number, several by comma, or FROM:TO:STEP, with TO if a step meets it; each more than 0, printed as no other.

    InputError says what is allowed.
    """
    try:
        loads = _range(text) if ":" in text else tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError("--load", text, "a number, several by comma, or FROM:TO:STEP such as 0.5:1.2:0.1") from error
    if not all(0 < load < math.inf for load in loads):
        raise InputError("--load", text, "more than 0")
    if not 0 < len(loads) <= MOST_LOADS:
        raise InputError("--load", text, f"1 to {MOST_LOADS} loads")
    if len({f"{load:g}" for load in loads}) < len(set(loads)):
        raise InputError("--load", text, "loads that differ in their first six digits")
    return tuple(dict.fromkeys(loads))


def _range(text: str) -> tuple[float, ...]:
    first, last, step = (float(part) for part in text.split(":"))
    if not (0 < step < math.inf and first <= last < math.inf):
        raise ValueError(text)
    count = min(int((last - first) / step + 1e-9) + 1, MOST_LOADS + 1)
    return tuple(round(first + index * step, 9) for index in range(count))


def name_of(given: str | None, option: str) -> str | None:
    """Return a name, or None as it came; InputError for an empty one, which is no wish to leave it out."""
    if given is not None and not given.strip():
        raise InputError(option, given or "''", "a name")
    return given


def objective_of(name: str | None) -> Objective | None:
    """Return the objective of a name, or None as it came; InputError names the nearest."""
    known = tuple(one.value for one in Objective)
    if name is not None and name not in known:
        raise InputError("--objective", name or "''", nearest(name, known))
    return None if name is None else Objective(name)


def priority_of(name: str | None, where: str = "--priority") -> Priority | None:
    """Return where weights come from, or None as it came; InputError names the nearest."""
    from cotenant.plan.priority import Priority

    known = tuple(one.value for one in Priority)
    if name is not None and name not in known:
        raise InputError(where, name or "''", nearest(name, known))
    return None if name is None else Priority(name)


def visits_of(given: int | None, where: str = "--visits") -> int | None:
    """Return a number of visits, or None as it came; InputError for none, and for more than anybody waits for."""
    if given is not None and not 1 <= given <= MOST_VISITS:
        raise InputError(where, given, f"1 to {MOST_VISITS}")
    return given


def number_of(text: str | None, option: str) -> float | None:
    """Read a number, or None as it came; InputError for one that is not more than 0."""
    try:
        number = None if text is None else float(text)
    except ValueError as error:
        raise InputError(option, text or "''", "a number") from error
    if number is not None and not 0 < number < math.inf:
        raise InputError(option, number, "more than 0")
    return number


def budget_of(text: str | None) -> float | None:
    """Read a budget in seconds, or None as it came; InputError for none of it."""
    try:
        return seconds_of(text)
    except InputError as error:
        raise InputError("--budget", text or "''", error.allowed) from error
