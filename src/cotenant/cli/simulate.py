"""`simulate`: a crew under policies and loads, without hardware."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cotenant.cli.options import AUTO, AsJson, CrewFile, Seconds, inputs_of, loads_of, refuse_overwriting, seconds_of, seeds_of, writable
from cotenant.cli.screen import show_json

OnPlatform = Annotated[str | None, typer.Option("--platform", metavar="NAME", help="A board, its file, or auto for this machine.")]
Policies = Annotated[
    str | None, typer.Option("--policy", metavar="NAMES", help="By comma, as edf or moca:as_published=1; all for every one.")
]
Loads = Annotated[str, typer.Option("--load", metavar="LOADS", help="Factors of every open rate: 1, or 0.5,1, or 0.5:1.2:0.1.")]
Seeds = Annotated[int, typer.Option("--seeds", metavar="N", help="Runs of each policy at each load, all with the same requests.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page with charts that needs no network.")]


def simulate(
    *,
    crew: CrewFile,
    platform: OnPlatform = None,
    policy: Policies = None,
    load: Loads = "1",
    seeds: Seeds = 10,
    seconds: Seconds = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a crew under policies and loads; this board need not be at hand."""
    from cotenant.describe.files import read_crew

    page, lasting, loads, runs = writable(html, "--html"), seconds_of(seconds), loads_of(load), seeds_of(seeds)
    read = read_crew(crew)
    read = read if platform is None else replace(read, platform=platform)
    refuse_overwriting({"--html": page}, inputs_of(crew, read))
    with nullcontext() if read.platform == AUTO else _nothing_kept():
        from cotenant.cli import simulated

        ask = simulated.ask(read, policy, loads, runs, lasting)
        swept = simulated.sweep(crew, read, ask)
        if page is not None:
            simulated.save_page(page, crew, read, ask, swept)
        if as_json:
            show_json(simulated.tree(swept, crew, ask))
        else:
            simulated.show(swept, ask)
        if simulated.show_failed(swept):
            raise typer.Exit(1)


@contextmanager
def _nothing_kept() -> Iterator[None]:
    """Say of an interruption no more than that: nothing is measured on a board."""
    try:
        yield
    except KeyboardInterrupt as end:
        raise KeyboardInterrupt("interrupted") from end
