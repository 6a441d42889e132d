"""Drift: models that take another time at work than the plan reckons with, and stay so."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean

from cotenant.study.kept import Slowdowns

FAR = 0.2
"""Of what is reckoned: nearer, a model takes what it should."""

STEADY = 3
"""So many looks in a row must find a model far off, on the same side."""


@dataclass(slots=True, kw_only=True)
class Drift:
    """Look again and again at what models take at work over what they take alone, beside what is `reckoned`."""

    reckoned: Slowdowns
    _off: dict[str, list[float]] = field(default_factory=dict)

    def look(self, found: Slowdowns) -> tuple[str, ...]:
        """Take what one look found; name the models that have drifted, which are reckoned as they were found from now on.

        A model that was served too little to tell is left as it was.
        """
        for model, factor in found.items():
            before = self._off.get(model, [])
            if not self._is_far(model, factor):
                self._off[model] = []
            elif before and (before[-1] > self.reckoned[model]) != (factor > self.reckoned[model]):
                self._off[model] = [factor]
            else:
                self._off[model] = [*before, factor]
        drifted = {model: fmean(factors) for model, factors in self._off.items() if len(factors) >= STEADY}
        if drifted:
            self.reckoned, self._off = {**self.reckoned, **drifted}, {}
        return tuple(sorted(drifted))

    def _is_far(self, model: str, factor: float) -> bool:
        return model in self.reckoned and abs(factor - self.reckoned[model]) > FAR * self.reckoned[model]
