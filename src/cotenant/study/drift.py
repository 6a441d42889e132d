"""Drift: models that take another time at work than the plan reckons with, and stay so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from cotenant.study.at_work import Taken, slowdown
from cotenant.study.kept import Slowdowns

FAR = 0.2
"""Of what is reckoned: nearer, a model takes what it should."""

STEADY = 3
"""So many looks in a row must find a model far off, on the same side."""

FEWEST = 10
"""By fewer inferences no model is judged: they are kept for the next look."""


@dataclass(slots=True, kw_only=True)
class Drift:
    """Look again and again at what models take at work over what they take alone, beside what is `reckoned`."""

    reckoned: Slowdowns
    _few: dict[str, list[Taken]] = field(default_factory=dict)
    _off: dict[str, list[float]] = field(default_factory=dict)

    def look(self, seen: Mapping[str, Sequence[Taken]]) -> tuple[str, ...]:
        """Take what inferences took since the last look; name the models that have drifted.

        Those are reckoned as they were found from now on.
        """
        for model, some in seen.items():
            if model not in self.reckoned:
                continue
            enough = [*self._few.pop(model, []), *some]
            if len(enough) < FEWEST:
                self._few[model] = enough
            else:
                self._judge(model, slowdown(enough))
        drifted = {model: fmean(factors) for model, factors in self._off.items() if len(factors) >= STEADY}
        self.reckon({**self.reckoned, **drifted})
        return tuple(sorted(drifted))

    def reckon(self, slowdowns: Slowdowns) -> None:
        """Reckon with these from now on; what was found of a model that is reckoned as before still counts."""
        same = {model for model, factor in slowdowns.items() if self.reckoned.get(model) == factor}
        self.reckoned = dict(slowdowns)
        self._few = {model: some for model, some in self._few.items() if model in same}
        self._off = {model: factors for model, factors in self._off.items() if model in same}

    def _judge(self, model: str, factor: float) -> None:
        """Count how often in a row a model was far off on one side."""
        reckoned, before = self.reckoned[model], self._off.get(model, [])
        if abs(factor - reckoned) <= FAR * reckoned:
            self._off[model] = []
        elif before and (before[-1] > reckoned) != (factor > reckoned):
            self._off[model] = [factor]
        else:
            self._off[model] = [*before, factor]
