"""A run without hardware: arrivals in, a trace out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cotenant.describe import Platform, Request, Share, Step, Tenant
from cotenant.dispatch import Lineup
from cotenant.dispatch.dispatcher import RAISED
from cotenant.dispatch.state import State
from cotenant.dispatch.story import describe, story
from cotenant.errors import DecisionError
from cotenant.policy import Params, Policy, values
from cotenant.sim.case import Case
from cotenant.sim.compiled import Compiler, Loop, plain
from cotenant.sim.layout import Layout, with_more_room
from cotenant.sim.loop import BAD_DECISION, OVER
from cotenant.sim.rows import array_of
from cotenant.sim.state import EndingRow, SpanRow, World
from cotenant.trace.columns import Columns, Stop

_EVENTS_A_CALL = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """Hold the open requests before a horizon, in order of arrival, and the seed that they were drawn from."""

    requests: Sequence[Request]
    horizon_ns: int
    seed: int = 0


class Rig:
    """Simulate one crew on one platform, run after run; with a compiler by compiled code, else by plain Python with the same trace.

    The shares give each tenant its options; their rates route requests and are promised where the policy keeps promises.
    """

    def __init__(
        self, tenants: tuple[Tenant, ...], shares: tuple[Share, ...], platform: Platform, compiler: Compiler | _Given | None = None
    ) -> None:
        self._lineup = Lineup(tenants=tenants, shares=shares, platform=platform)
        self._layout = Layout(lineup=self._lineup, compiled=compiler is not None)
        self._loop = plain if compiler is None else compiler.loop
        self._stops = tuple(_stop(step) for _, step in self._lineup.steps)
        self._lanes = tuple((platform.processors[p].name, lane) for p, lane in self._lineup.lanes)

    @property
    def lineup(self) -> Lineup:
        """Return the numbering of tenants, options and lanes."""
        return self._lineup

    def run(self, seeded: Seeded, policy: Policy, *, name: str, params: Params = ()) -> Columns:
        """Simulate until the horizon, then all that is left; the same requests give the same trace.

        Raises DecisionError where the policy raises, gives NaN, decides the impossible, or leaves requests waiting for ever.
        """
        state = self._layout.state(policy, values(policy, name, params))
        world = self._layout.world(seeded.requests, seeded.horizon_ns, policy)
        state, world = _run(state, world, self._loop(policy), name)
        clock = world.clock[0]
        return Columns(
            spans=array_of(world.spans, SpanRow, clock.spans),
            endings=array_of(world.endings, EndingRow, clock.requests),
            tenants=tuple(t.name for t in self._lineup.tenants),
            options=tuple(o.name for o in self._lineup.options),
            stops=self._stops,
            lanes=self._lanes,
            stop_ns=seeded.horizon_ns,
            platform=self._lineup.platform.name,
            policy=name,
            seed=seeded.seed,
            segments=int(clock.events),
        )


def simulate(case: Case, policy: Policy, *, name: str, params: Params = (), loop: Loop | None = None) -> Columns:
    """Simulate one case once, by a compiled loop (`Compiler.loop`) or the plain one; as `Rig.run`."""
    rig = Rig(case.tenants, case.shares, case.platform, None if loop is None else _Given(loop))
    return rig.run(Seeded(requests=case.requests, horizon_ns=case.horizon_ns, seed=case.seed), policy, name=name, params=params)


def _stop(step: Step) -> Stop:
    per_ns = step.memory_bytes / step.duration_ns if step.duration_ns > 0 else 0.0
    return Stop(segment=step.segment, processor=step.processor, width=step.width, bytes_per_ns=per_ns)


@dataclass(frozen=True, slots=True)
class _Given:
    """Give the loop that a compiler has made."""

    made: Loop

    def loop(self, policy: Policy) -> Loop:
        return self.made


def _run(state: State, world: World, loop: Loop, name: str) -> tuple[State, World]:
    """Call the loop until it is over, making lists longer where they are full."""
    while True:
        try:
            why = loop(state, world, _EVENTS_A_CALL)
        except RAISED as cause:
            raise DecisionError(name, int(world.clock[0].now_ns), f"it raised {cause!r}; {describe(state)}") from cause
        if why == OVER:
            _refuse_waiting(state, world, name)
            return state, world
        if why == BAD_DECISION:
            raise DecisionError(name, int(world.clock[0].now_ns), story(state))
        state, world = with_more_room(state, world, why)


def _refuse_waiting(state: State, world: World, name: str) -> None:
    """Refuse a run in which requests are left for ever: never started, or granted no bandwidth."""
    left = sum(int(t.outstanding) for t in state.tenants)
    if left:
        raise DecisionError(name, int(world.clock[0].now_ns), f"it leaves {left} requests for ever; {describe(state)}")
