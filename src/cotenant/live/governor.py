"""The governor: paces whoever slows a better rank down, while that helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from cotenant.live.pace import OFF
from cotenant.live.slowdown import RECENT, Slowdowns
from cotenant.units import NS_PER_S

RISK, CALM = 1.10, 1.05
"""Of the slowdown that the plan reckons with: beyond the first a promise is at risk, up to the second it is not."""

LATE, EARLY = 0.8, 0.6
"""Of its deadline: a tenant is at risk only where a request took more than the first, and calm where none took more than the second."""

CUT, RAISE = 0.5, 1.25
"""What a step leaves of the culprit's rate, and what a step of its release gives back."""

LEAST = 1 / 64
"""Of what the culprit drew: no pace is less."""

PATIENCE = 3
"""So many steps may pass in vain."""

HELPS = 0.25
"""Of what the victim is slower than it should be, a pace must give back so much to be kept."""

ACCUSED = 0.2
"""Of what the victim is slower than alone, so much must be the culprit's doing; and more than twice its standard error."""

REMEMBERED_NS = 60 * NS_PER_S
"""For so long nobody is paced again who was paced in vain for the same victim."""

QUIET_NS = 2 * NS_PER_S
"""A victim of which nothing has ended for so long needs nobody paced."""

_LONGEST_WAIT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Say what a plan leaves a tenant: `bound` is the slowdown, over its solo time, that the plan reckons with."""

    rank: int
    bound: float = 1.0
    deadline_ns: int | None = None


@dataclass(slots=True, kw_only=True)
class Case:
    """Hold one culprit paced for one victim: `drew` is what it drew before, `before` how slow the victim was, `wait` how many calm looks
    a release takes.
    """

    culprit: int
    drew: float
    before: float
    rate: float
    steps: int = 1
    calm: int = 0
    wait: int = 1
    released: bool = False


@dataclass(slots=True, kw_only=True)
class _Victim:
    segments: int = 0
    worst_ns: int = 0
    seen_ns: int = 0
    cases: list[Case] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Governor:
    """Look at a tenant after every so many of its segments; tenants by index. `drawn` says what one draws at an instant, in bytes per s."""

    terms: Sequence[Terms]
    slowdowns: Slowdowns
    drawn: Callable[[int, int], float]
    _victims: tuple[_Victim, ...] = field(init=False)
    _in_vain: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._victims = tuple(_Victim() for _ in self.terms)

    def rate(self, tenant: int) -> float:
        """Return the most that a tenant may draw, in bytes per s; OFF where it is free to draw what it likes."""
        return min((case.rate for _, case in self._cases() if case.culprit == tenant), default=OFF)

    def blamed_by(self, tenant: int) -> tuple[int, ...]:
        """List the victims for which a tenant is paced."""
        return tuple(victim for victim, case in self._cases() if case.culprit == tenant)

    def ended(self, tenant: int, latency_ns: int, now_ns: int) -> bool:
        """Note that a segment ended, and its request with it unless `latency_ns` is 0; say whether any pace has changed."""
        seen = self._victims[tenant]
        seen.segments, seen.seen_ns, seen.worst_ns = seen.segments + 1, now_ns, max(seen.worst_ns, latency_ns)
        changed = self._let_go(now_ns)
        if seen.segments < RECENT:
            return changed
        changed = self._look(tenant, seen, now_ns) or changed
        seen.segments, seen.worst_ns = 0, 0
        return changed

    def _let_go(self, now_ns: int) -> bool:
        """Release whoever is paced for somebody who asks nothing any more."""
        quiet = [seen for seen in self._victims if seen.cases and now_ns - seen.seen_ns > QUIET_NS]
        for seen in quiet:
            seen.cases.clear()
        return bool(quiet)

    def _look(self, victim: int, seen: _Victim, now_ns: int) -> bool:
        figure = self.slowdowns.figure(victim)
        if figure is None:
            return False
        if self._is_at_risk(victim, figure, seen.worst_ns):
            return self._cut(victim, seen, figure, now_ns)
        if seen.cases and self._is_calm(victim, figure, seen.worst_ns):
            return _release(seen)
        return False

    def _is_at_risk(self, victim: int, figure: float, worst_ns: int) -> bool:
        terms = self.terms[victim]
        return figure > RISK * terms.bound and (terms.deadline_ns is None or worst_ns > LATE * terms.deadline_ns)

    def _is_calm(self, victim: int, figure: float, worst_ns: int) -> bool:
        terms = self.terms[victim]
        return figure <= CALM * terms.bound or (terms.deadline_ns is not None and worst_ns <= EARLY * terms.deadline_ns)

    def _cut(self, victim: int, seen: _Victim, figure: float, now_ns: int) -> bool:
        """Go one step further with the last culprit, take it back if that was in vain, or pace the next one."""
        case = seen.cases[-1] if seen.cases else None
        if case is not None and case.steps >= PATIENCE and not self._has_helped(victim, case, figure):
            seen.cases.pop()
            self._in_vain[victim, case.culprit] = now_ns + REMEMBERED_NS
            return True
        if case is not None and case.rate > LEAST * case.drew:
            _step(case)
            return True
        return self._accuse(victim, seen, figure, now_ns)

    def _has_helped(self, victim: int, case: Case, figure: float) -> bool:
        return case.before - figure >= HELPS * (case.before - self.terms[victim].bound)

    def _accuse(self, victim: int, seen: _Victim, figure: float, now_ns: int) -> bool:
        """Pace whoever of a worse rank has the greatest part in it, if anybody has."""
        effects = self.slowdowns.effects(victim)
        known = {case.culprit for case in seen.cases}
        suspects = [
            (effects[other].part, other)
            for other, terms in enumerate(self.terms)
            if terms.rank > self.terms[victim].rank and other not in known and self._in_vain.get((victim, other), 0) <= now_ns
            and effects[other].added > 2 * effects[other].error and effects[other].part > ACCUSED * (figure - 1.0)
        ]  # fmt: skip
        part, culprit = max(suspects, default=(0.0, -1))
        drew = self.drawn(culprit, now_ns) if part > 0.0 else 0.0
        if drew <= 0.0:
            return False
        seen.cases.append(Case(culprit=culprit, drew=drew, before=figure, rate=CUT * drew))
        return True

    def _cases(self) -> Iterator[tuple[int, Case]]:
        for victim, seen in enumerate(self._victims):
            for case in seen.cases:
                yield victim, case


def _step(case: Case) -> None:
    """Cut a pace; where it had been released too far, wait longer before the next release."""
    if case.released:
        case.wait, case.released = min(2 * case.wait, _LONGEST_WAIT), False
    else:
        case.steps += 1
    case.rate, case.calm = max(LEAST * case.drew, CUT * case.rate), 0


def _release(seen: _Victim) -> bool:
    """Give the last culprit some of its rate back after enough calm looks, in the end all of it."""
    case = seen.cases[-1]
    case.calm += 1
    if case.calm < case.wait:
        return False
    case.rate, case.calm, case.released = RAISE * case.rate, 0, True
    if case.rate >= case.drew:
        seen.cases.pop()
    return True
