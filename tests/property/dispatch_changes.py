"""Crews that change while they are served, and a driver that changes them under the books' eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from cotenant.describe import Closed, Platform, Share, Tenant
from cotenant.policy import Policy
from tests.property.dispatch_crews import MS, WAYS, Loop, board, options_of, shares, tenant

NAMES = ("a", "b", "c", "d")


@dataclass(frozen=True)
class Version:
    """A crew from an instant on; what waits of the `renewed` takes their new options."""

    at_ns: int
    tenants: tuple[Tenant, ...]
    plan: tuple[Share, ...]
    renewed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Changing:
    """A crew, what it becomes, where, and what is asked: (instant, name), of whoever is there then."""

    first: Version
    later: tuple[Version, ...]
    platform: Platform
    arrivals: tuple[tuple[int, str], ...]
    fate: dict[int, str]

    def loop(self, policy: Policy, *, foreseen: bool = True) -> ChangingLoop:
        return ChangingLoop(self.first.tenants, self.first.plan, self.platform, policy, self.fate, foreseen=foreseen)


class ChangingLoop(Loop):
    """Drive a dispatcher whose crew changes; closed tenants ask as long as they are there."""

    def __init__(self, *given: Any, foreseen: bool) -> None:
        super().__init__(*given, foreseen=foreseen)
        self.owners: list[str] = []
        self.present = self.books.tenants

    def serve(self, crew: Changing, until_ns: int) -> None:
        """Serve what arrives and changes until an instant, then what is left to its end."""
        coming: list[tuple[int, Version | str]] = [*((v.at_ns, v) for v in crew.later), *crew.arrivals]
        coming.sort(key=lambda event: event[0])
        self._top_up()
        self.decide()
        while self._advance(coming[0][0] if coming else None):
            finish = self._next_finish()
            if finish and finish[0] <= self.now_ns:
                self.finish(finish[1])
                self._top_up() if self.now_ns < until_ns else None
            elif coming and coming[0][0] <= self.now_ns:
                self._take(coming.pop(0)[1])
            self.decide()

    def _advance(self, coming_ns: int | None) -> bool:
        """Go to the next instant at which something happens; say whether there is one."""
        finish, wake_ns = self._next_finish(), self.dispatcher.wake_ns(self.now_ns)
        ahead = [at for at in (finish and finish[0], coming_ns, wake_ns if self.slots else None) if at is not None]
        self.now_ns = max(self.now_ns, min(ahead, default=0))
        return bool(ahead)

    def _take(self, event: Version | str) -> None:
        if isinstance(event, Version):
            self.change(event)
            self._top_up()
        elif event in {t.name for t in self.present if not isinstance(t.arrival, Closed)}:
            self._ask(event)

    def _ask(self, name: str) -> None:
        self.owners.append(name)
        self.arrive([t.name for t in self.books.tenants].index(name))

    def _top_up(self) -> None:
        for one in self.present:
            if isinstance(one.arrival, Closed):
                held = sum(self.owners[request] == one.name for request in self.slots)
                for _ in range((one.arrival.outstanding or 0) - held):
                    self._ask(one.name)

    def change(self, version: Version) -> None:
        """Go over to another version of the crew: whoever is not in it and has not begun ends, nobody else does."""
        slots = self.dispatcher.apply(version.plan, version.tenants, version.renewed)
        self.dispatcher.validate(self.now_ns)
        ended = {request for request, slot in self.slots.items() if slot in slots}
        lineup, state = self.dispatcher.lineup, self.dispatcher.state
        stands = {r: lineup.options[int(state.slots[slot].option)] for r, slot in self.slots.items() if r not in ended}
        assert self.books.change(lineup, {t.name for t in version.tenants}, version.renewed, stands) == ended
        for request in ended:
            self._end(request, "tenant removed")
        self.present = version.tenants
        self.chains.update(stands)


INSTANTS = st.integers(0, 60).map(lambda ms: ms * MS)
RATES = st.sampled_from([0.0, 5.0, 50.0, 500.0])


@st.composite
def versions(draw: st.DrawFn, lanes: tuple[int, ...], known: dict[str, tuple[Tenant, tuple[Any, ...]]], number: int) -> Version:
    """Draw who is there, as before or otherwise; `known` is how each was last, and is kept up to date."""
    tenants, plan, renewed = [], [], []
    for name in draw(st.permutations(NAMES))[: draw(st.integers(1, len(NAMES)))]:
        if name not in known or draw(st.booleans()):
            known[name] = _described(draw, name), known[name][1] if name in known else ()
        own, options = known[name]
        how = draw(st.sampled_from(["same", "same", "moved", "renewed", "exchanged"]))
        if not options or how != "same":
            drawn = draw(options_of(name, lanes))
            model = name if not options else options[0].artifact.model if how == "moved" else f"{name}-{number}"
            options = tuple(replace(o, artifact=replace(o.artifact, model=model)) for o in drawn)
        if how == "renewed":
            renewed.append(name)
        known[name] = own, options
        tenants.append(own)
        plan += [(o, draw(RATES)) for o in options]
    return Version(at_ns=draw(INSTANTS), tenants=tuple(tenants), plan=shares(*plan), renewed=tuple(renewed))


def _described(draw: st.DrawFn, name: str) -> Tenant:
    return tenant(
        name,
        draw(st.integers(0, 2)),
        closed=draw(st.none() | st.integers(1, 3)),
        deadline_ns=draw(st.none() | st.integers(1, 20).map(lambda ms: ms * MS)),
        drop=draw(st.booleans()),
        newest=draw(st.booleans()),
        queue=draw(st.sampled_from([None, 1, 2])),
        weight=draw(st.sampled_from([1.0, 2.5])),
    )


@st.composite
def changing(draw: st.DrawFn) -> Changing:
    """Draw a crew of up to four that changes up to five times."""
    lanes: tuple[int, ...] = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    known: dict[str, tuple[Tenant, tuple[Any, ...]]] = {}
    first, *later = (draw(versions(lanes, known, number)) for number in range(draw(st.integers(2, 6))))
    arrivals = draw(st.lists(st.tuples(INSTANTS, st.sampled_from(NAMES)), max_size=40))
    fates = st.sampled_from(["", "", "", "fails", "hasty", "slow", "quick"])
    return Changing(
        first=first,
        later=_in_order(later),
        platform=board(lanes, *(draw(st.sampled_from(WAYS)) for _ in lanes)),
        arrivals=tuple(arrivals),
        fate=dict(enumerate(draw(st.lists(fates, max_size=30)))),
    )


def _in_order(later: Sequence[Version]) -> tuple[Version, ...]:
    """Give the versions their instants in the order in which they were drawn: each builds on the one before."""
    instants = sorted(version.at_ns for version in later)
    return tuple(replace(version, at_ns=at_ns) for version, at_ns in zip(later, instants, strict=True))
