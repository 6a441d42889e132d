"""The dispatcher as machine code, stepped one event at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, cast

from cotenant.describe import Platform, Share, Tenant
from cotenant.dispatch import Decision, Dispatcher, Lineup
from cotenant.dispatch.decide import BAD, FIELDS, room
from cotenant.dispatch.dispatcher import RAISED
from cotenant.dispatch.events import flush
from cotenant.dispatch.rest import rest
from cotenant.dispatch.state import NONE, SOUND, State
from cotenant.dispatch.story import describe, story
from cotenant.errors import DecisionError
from cotenant.policy import NEVER_NS, Params, Policy
from cotenant.sim.act import ARRIVE, DECIDE, FAIL, FINISH, PASS_ON, SHARES, STAYS, WAKE
from cotenant.sim.compiled import Compiler
from cotenant.sim.rows import Packed, packed, packed_all

Act = Callable[..., int]


class Stepped:
    """Do as `Dispatcher` does, decision for decision, in a tenth of the time; TypeError for a policy that does not compile."""

    __slots__ = (
        "_act", "_at", "_compiler", "_decided_ns", "_lanes", "_name", "_out", "_plain", "_policy", "_positions", "_state", "_table",
    )  # fmt: skip

    def __init__(
        self,
        tenants: tuple[Tenant, ...],
        shares: tuple[Share, ...],
        platform: Platform,
        policy: Policy,
        *,
        name: str = "policy",
        params: Params = (),
        compiler: Compiler | None = None,
    ) -> None:
        self._name = name
        self._plain = Dispatcher(tenants, shares, platform, policy, name=name, params=params)
        self._lanes = packed([0] * platform.lanes)
        self._compiler = compiler or Compiler()
        self._policy = policy
        self._pack()

    @property
    def lineup(self) -> Lineup:
        """Return the numbering of tenants, options and lanes."""
        return self._plain.lineup

    @property
    def state(self) -> State:
        """Return the packed rows themselves: to look at, not to change."""
        return self._state

    def arrive(self, request: int, tenant: int, arrival_ns: int, due_ns: int | None) -> int:
        """Queue a request of a tenant (by index); return its slot, which is the request's until it ends."""
        if self._state.desk[0].free_slot == NONE:
            self._unpack()
            self._plain.grow()
            self._pack()
        return self._tell(ARRIVE, request, tenant, arrival_ns, NEVER_NS if due_ns is None else due_ns)

    def finish(self, slot: int, now_ns: int) -> bool:
        """Report a finished segment; say whether the request ended with it."""
        return self._tell(FINISH, slot, now_ns) == 0

    def fail(self, slot: int) -> None:
        """Report a failed segment: its request has ended."""
        self._tell(FAIL, slot)

    def flush(self) -> list[int]:
        """End every request that is queued; return the slots that they had."""
        self._decided_ns = NONE
        return flush(self._state)

    def decide(self, now_ns: int) -> list[Decision]:
        """Decide at an instant; DecisionError if the policy raises or gives no number."""
        try:
            count = self._tell(DECIDE, now_ns)
            self._decided_ns = now_ns
        except RAISED as cause:
            raise DecisionError(self._name, now_ns, f"it raised {cause!r}; {describe(self._state)}") from cause
        if count == BAD:
            raise DecisionError(self._name, now_ns, story(self._state))
        out = cast("Packed", self._out).array[: count * FIELDS].tolist()
        return [Decision(*out[i : i + FIELDS]) for i in range(0, count * FIELDS, FIELDS)]

    def wake_ns(self, now_ns: int) -> int | None:
        """Return when to decide again though nothing happens; None for never."""
        decided = self._decided_ns == now_ns
        wake = int(cast("Packed", self._out).array[-1]) if decided else self._tell(WAKE, now_ns)
        return None if wake >= NEVER_NS else wake

    def pass_on(self, slot: int, now_ns: int) -> None:
        """Report a finished segment whose successor, on the same lanes, has begun."""
        self._tell(PASS_ON, slot, now_ns)

    def steady_ns(self, now_ns: int) -> int:
        """Return until when what the last decision started need not ask; `now_ns` where that was not the last event, at that instant."""
        return int(cast("Packed", self._out).array[-2]) if self._decided_ns == now_ns else now_ns

    def stays_ns(self, slot: int, now_ns: int) -> int:
        """Return until when what runs need not ask, as `Dispatcher.stays_ns`."""
        decided_ns = self._decided_ns
        try:
            until_ns = self._tell(STAYS, slot, now_ns)
        except RAISED as cause:
            raise DecisionError(self._name, now_ns, f"it raised {cause!r}; {describe(self._state)}") from cause
        self._decided_ns = decided_ns  # nothing has changed
        return until_ns

    def stage(self, slot: int) -> int:
        """Return the stage that a slot is at, as an index into `lineup.steps`."""
        return int(self._positions[slot])

    def outstanding(self, tenant: int) -> int:
        """Count a tenant's requests that have not ended."""
        return int(self._state.tenants[tenant].outstanding)

    def has_free_lane(self) -> bool:
        """Say whether a lane runs nothing."""
        return any(cast("Packed", self._state.processors).array["free"].tolist())

    def rest(self, tenant: int, until_ns: int, *, paced: bool) -> None:
        """Let none of a tenant's segments start before an instant, as `Dispatcher.rest`."""
        self._decided_ns = NONE
        rest(self._state, tenant, until_ns, int(paced))

    def shares(self, now_ns: int) -> None:
        """Have the policy write how much bandwidth each running slot is granted first (`share`); DecisionError as `decide`."""
        try:
            self._tell(SHARES, now_ns)
        except RAISED as cause:
            raise DecisionError(self._name, now_ns, f"it raised {cause!r}; {describe(self._state)}") from cause
        if self._state.desk[0].bad != SOUND:
            raise DecisionError(self._name, now_ns, story(self._state))

    def apply(self, shares: tuple[Share, ...], tenants: tuple[Tenant, ...] | None = None, renewed: Collection[str] = ()) -> list[int]:
        """Serve other shares, and other tenants if any are given, from now on: as `Dispatcher.apply`."""
        self._unpack()
        try:
            return self._plain.apply(shares, tenants, renewed)
        finally:
            self._pack()

    def validate(self, now_ns: int) -> None:
        """Check every law of the state; DecisionError tells the story of what is broken."""
        self._unpack()
        self._plain.validate(now_ns)

    def _tell(self, what: int, one: int, two: int = 0, three: int = 0, four: int = 0) -> int:
        self._decided_ns = NONE
        return self._act(self._at, what, one, two, three, four)

    def _pack(self) -> None:
        """Take the plain state over, in rows that compiled code reads."""
        plain: Any = self._plain.state
        rows = packed_all([rows or [0.0] for rows in plain])
        for number, own in zip(rows, plain, strict=True):
            cast("Packed", number).length = len(own)  # else what is there for want of an empty array would be no index too far
        self._state = State(*rows)
        self._out = packed([0] * (room(len(self._lanes), len(plain.slots)) + 2))
        self._act, asks = self._compiler.act(self._policy, self._state)
        lists = cast("tuple[Packed, ...]", (*self._state, self._out, self._lanes))
        self._table = cast("Packed", packed([*(rows.data for rows in lists), *asks]))
        self._at, self._decided_ns = self._table.data, NONE
        self._positions: Any = cast("Packed", self._state.slots).array["position"]

    def _unpack(self) -> None:
        """Give the state back to the plain dispatcher."""
        pairs: Any = zip(self._plain.state, self._state, strict=True)
        for own, rows in pairs:
            found = rows.array.tolist()[: len(rows)]
            own[:] = [type(own[0])(*fields) for fields in found] if found and isinstance(found[0], tuple) else found
