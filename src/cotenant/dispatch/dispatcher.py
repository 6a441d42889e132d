"""The dispatcher: events in, decisions out."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol

from cotenant.describe import Platform, Share, Tenant
from cotenant.dispatch.ask import asks_of
from cotenant.dispatch.change import Change, change
from cotenant.dispatch.choose import list_running
from cotenant.dispatch.decide import BAD, FIELDS, decide, room, wake_ns
from cotenant.dispatch.events import arrive, fail, finish, flush
from cotenant.dispatch.laws import broken_laws
from cotenant.dispatch.lineup import Lineup, grow, lay_out
from cotenant.dispatch.onward import pass_on, stays_ns, steady_ns
from cotenant.dispatch.rest import rest
from cotenant.dispatch.state import NONE, SOUND, State
from cotenant.dispatch.story import describe, story
from cotenant.errors import DecisionError
from cotenant.policy import NEVER_NS, Params, Policy, values

SLOTS = 64
"""Outstanding requests that a new dispatcher has room for; it doubles when full."""


RAISED = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)
"""What a policy of plain arithmetic may raise; an interrupt and a full memory are none of its doing."""


class Decision(NamedTuple):
    """START, RESUME, SUSPEND, DROP or EVICT a slot's request; on a lane counted over all processors, NONE for what is dropped.

    Work several lanes wide is started once on each of them.
    """

    kind: int
    slot: int
    lane: int
    request: int


class Steps(Protocol):
    """Do as `Dispatcher` does: another that decides alike may take its place."""

    @property
    def lineup(self) -> Lineup: ...

    @property
    def state(self) -> State: ...

    def arrive(self, request: int, tenant: int, arrival_ns: int, due_ns: int | None) -> int: ...

    def finish(self, slot: int, now_ns: int) -> bool: ...

    def fail(self, slot: int) -> None: ...

    def flush(self) -> list[int]: ...

    def decide(self, now_ns: int) -> list[Decision]: ...

    def wake_ns(self, now_ns: int) -> int | None: ...

    def pass_on(self, slot: int, now_ns: int) -> None: ...

    def steady_ns(self, now_ns: int) -> int: ...

    def stays_ns(self, slot: int, now_ns: int) -> int: ...

    def stage(self, slot: int) -> int: ...

    def outstanding(self, tenant: int) -> int: ...

    def has_free_lane(self) -> bool: ...

    def rest(self, tenant: int, until_ns: int, *, paced: bool) -> None: ...

    def shares(self, now_ns: int) -> None: ...

    def apply(self, shares: tuple[Share, ...], tenants: tuple[Tenant, ...] | None = None, renewed: Collection[str] = ()) -> list[int]: ...


class Dispatcher:
    """Hold the state for a driver: no clock, no thread, no file.

    A driver reports what happened with the instant, then asks `decide` and does as told.
    """

    __slots__ = ("_asks", "_lanes", "_lineup", "_name", "_out", "_policy", "_state", "_tenants")

    def __init__(
        self,
        tenants: tuple[Tenant, ...],
        shares: tuple[Share, ...],
        platform: Platform,
        policy: Policy,
        *,
        name: str = "policy",
        params: Params = (),
    ) -> None:
        self._lineup = Lineup(tenants=tenants, shares=shares, platform=platform)
        self._tenants = tenants
        self._policy = policy
        self._name = name
        self._asks = asks_of(policy)
        self._state = lay_out(self._lineup, SLOTS, policy, values(policy, name, params))
        self._lanes = [0] * platform.lanes
        self._out = [0] * room(platform.lanes, SLOTS)

    @property
    def lineup(self) -> Lineup:
        """Return the numbering of tenants, options and lanes."""
        return self._lineup

    @property
    def state(self) -> State:
        """Return the arrays themselves: to look at, not to change."""
        return self._state

    def arrive(self, request: int, tenant: int, arrival_ns: int, due_ns: int | None) -> int:
        """Queue a request of a tenant (by index); return its slot, which is the request's until it ends."""
        if self._state.desk[0].free_slot == NONE:
            self.grow()
        return arrive(self._state, request, tenant, arrival_ns, NEVER_NS if due_ns is None else due_ns)

    def grow(self) -> None:
        """Make room for twice as many outstanding requests; no slot may be free."""
        self._state = grow(self._state)
        self._out = [0] * room(len(self._lanes), len(self._state.slots))

    def finish(self, slot: int, now_ns: int) -> bool:
        """Report a finished segment; say whether the request ended with it."""
        return finish(self._state, slot, now_ns, 0) == 0

    def fail(self, slot: int) -> None:
        """Report a failed segment: its request has ended."""
        fail(self._state, slot)

    def flush(self) -> list[int]:
        """End every request that is queued; return the slots that they had."""
        return flush(self._state)

    def decide(self, now_ns: int) -> list[Decision]:
        """Decide at an instant; DecisionError if the policy raises or gives no number."""
        try:
            count = decide(self._state, self._asks, now_ns, self._out, self._lanes)
        except RAISED as cause:
            raise DecisionError(self._name, now_ns, f"it raised {cause!r}; {describe(self._state)}") from cause
        if count == BAD:
            raise DecisionError(self._name, now_ns, story(self._state))
        out = self._out
        return [Decision(*out[i : i + FIELDS]) for i in range(0, count * FIELDS, FIELDS)]

    def wake_ns(self, now_ns: int) -> int | None:
        """Return when to decide again though nothing happens; None for never."""
        wake = wake_ns(self._state, now_ns)
        return None if wake >= NEVER_NS else wake

    def pass_on(self, slot: int, now_ns: int) -> None:
        """Report a finished segment whose successor, on the same lanes, has begun: as told by `steady_ns`."""
        pass_on(self._state, slot, now_ns)

    def steady_ns(self, now_ns: int) -> int:
        """Return until when what the decision at `now_ns` started need not ask at its boundaries, if nothing else happens meanwhile."""
        return steady_ns(self._state, now_ns)

    def stays_ns(self, slot: int, now_ns: int) -> int:
        """Return until when what runs need not ask, after the decision at `now_ns` was about others; DecisionError if the policy raises."""
        try:
            return stays_ns(self._state, self._asks, slot, now_ns)
        except RAISED as cause:
            raise DecisionError(self._name, now_ns, f"it raised {cause!r}; {describe(self._state)}") from cause

    def stage(self, slot: int) -> int:
        """Return the stage that a slot is at, as an index into `lineup.steps`."""
        return self._state.slots[slot].position

    def outstanding(self, tenant: int) -> int:
        """Count a tenant's requests that have not ended."""
        return self._state.tenants[tenant].outstanding

    def has_free_lane(self) -> bool:
        """Say whether a lane runs nothing."""
        return any(p.free for p in self._state.processors)

    def rest(self, tenant: int, until_ns: int, *, paced: bool) -> None:
        """Let none of a tenant's segments start before an instant, 0 for at once; a paced one rests after each start until told anew.

        Rank 0 never rests.
        """
        rest(self._state, tenant, until_ns, int(paced))

    def shares(self, now_ns: int) -> None:
        """Have the policy write how much bandwidth each running slot is granted first (`share`); DecisionError as `decide`."""
        list_running(self._state)
        try:
            self._asks.shares(self._state, now_ns)
        except RAISED as cause:
            raise DecisionError(self._name, now_ns, f"it raised {cause!r}; {describe(self._state)}") from cause
        if self._state.desk[0].bad != SOUND:
            raise DecisionError(self._name, now_ns, story(self._state))

    def apply(self, shares: tuple[Share, ...], tenants: tuple[Tenant, ...] | None = None, renewed: Collection[str] = ()) -> list[int]:
        """Serve other shares, and other tenants if any are given, from now on; what has begun ends by the option that it was given.

        What waits keeps its option, too, unless its tenant is `renewed`, or ends if its tenant is gone: return the slots of those that
        ended so. Who is gone and has begun requests stands behind the others in `lineup` until a later call. Tenants are known by their
        names. InputError for a tenant without an option.
        """
        asked = Change(tenants=self._tenants if tenants is None else tenants, shares=shares, renewed=renewed)
        self._lineup, self._state, ended = change(self._lineup, self._state, asked, self._policy)
        self._tenants = asked.tenants
        return ended

    def validate(self, now_ns: int) -> None:
        """Check every law of the state; DecisionError tells the story of what is broken."""
        if broken := broken_laws(self._state):
            raise DecisionError(self._name, now_ns, "; ".join(broken))
