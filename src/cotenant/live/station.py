"""Stations: what each stage needs to run on each lane, looked up once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cotenant.backend import Session
from cotenant.dispatch import Lineup
from cotenant.live.loaded import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """Serve one stage of one option: its sessions by lane, counted over all processors.

    `onward`: the sessions by lane of the stages that may follow it there, those of the same processor and width up to the next other one.
    """

    option: str
    segment: int
    processor: str
    last: bool
    critical: bool
    urgent: bool
    in_segments: bool
    sessions: Mapping[int, Session]
    onward: Mapping[int, tuple[Session, ...]] = field(default_factory=dict)


def stations(lineup: Lineup, loaded: Loaded, *, urgent: bool) -> tuple[Station, ...]:
    """List the stations in the order of the dispatcher's stages; the options must be loaded. `urgent` is for those of rank 0."""
    options, lanes = lineup.options, lineup.lanes
    names = [processor.name for processor in lineup.platform.processors]
    ranks = {tenant.name: tenant.rank for tenant in lineup.tenants}
    found = [
        Station(
            option=options[k].name,
            segment=step.segment,
            processor=step.processor,
            last=step is options[k].chain[-1],
            critical=ranks[options[k].tenant] == 0,
            urgent=urgent and ranks[options[k].tenant] == 0,
            in_segments=options[k].artifact.in_segments,
            sessions={
                lane: loaded.session(options[k], step, within) for lane, (p, within) in enumerate(lanes) if names[p] == step.processor
            },
        )
        for k, step in lineup.steps
    ]
    return tuple(_with_those_behind(found, [(k, step.processor, step.width) for k, step in lineup.steps]))


def _with_those_behind(found: list[Station], places: list[tuple[int, str, int]]) -> list[Station]:
    """Tell each station that runs a segment of its own what may follow it on its lanes."""
    for at in range(len(found) - 2, -1, -1):
        if found[at].in_segments and places[at] == places[at + 1]:
            after = found[at + 1]
            onward = {lane: (session, *after.onward.get(lane, ())) for lane, session in after.sessions.items()}
            found[at] = replace(found[at], onward=onward)
    return found
