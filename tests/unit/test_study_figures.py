"""How the figures of an option are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cotenant.describe import Cost, Handover, Network, Provenance, Segment, Step
from cotenant.study.estimated import Estimates
from cotenant.study.figures import Figures, figures_of
from tests.plan_cases import option

MEASURED, SCALED, ASSUMED = Provenance.MEASURED, Provenance.SCALED, Provenance.ASSUMED


def network(handover_ns: int = 10) -> Network:
    """Two segments, each known on two processors: of 600 and 400 ns on cpu0."""

    def segment(name: str, duration_ns: int, how: Provenance) -> Segment:
        costs = (
            Cost(processor="cpu0", width=1, duration_ns=duration_ns, provenance=how),
            Cost(processor="cpu1", width=2, duration_ns=duration_ns, provenance=ASSUMED),
        )
        return Segment(
            name=name, costs=costs, handovers=(Handover(source="cpu0", target="cpu1", duration_ns=handover_ns, provenance=SCALED),)
        )

    return Network(name="n", segments=(segment("s0", 600, MEASURED), segment("s1", 400, SCALED)))


def figures(*steps: tuple[str, int, int, int], handover_ns: int = 10, found: Estimates | None = None) -> Figures:
    chain = tuple(Step(processor=name, width=width, segment=at, segments=count, duration_ns=1) for name, width, at, count in steps)
    return figures_of(replace(option("a", 1), chain=chain), found or Estimates(networks=(("a", network(handover_ns)),)))


def test_most_of_the_time_is_named_first() -> None:
    assert figures(("cpu0", 1, 0, 2)).known == ("measured", "scaled")
    assert figures(("cpu1", 2, 0, 2)).known == ("assumed",)
    assert str(figures(("cpu0", 1, 0, 2))) == "measured, scaled"


@pytest.mark.parametrize(("handover_ns", "known"), [(10, ("measured", "assumed")), (11, ("measured", "assumed", "scaled"))])
def test_a_handover_counts_from_a_hundredth_of_the_time_on(handover_ns: int, known: tuple[str, ...]) -> None:
    assert figures(("cpu0", 1, 0, 1), ("cpu1", 2, 1, 1), handover_ns=handover_ns).known == known


def test_an_estimate_is_off_as_at_the_worst_place_of_its_chain() -> None:
    found = Estimates(networks=(("a", network()),), estimated=("a",), off=((("cpu0", 1), 0.1), (("cpu1", 2), 0.25), (("cpu1", 1), 0.5)))
    both = figures(("cpu0", 1, 0, 1), ("cpu1", 2, 1, 1), found=found)
    assert (both.known, both.off) == (("estimated",), 0.25)
    assert str(both) == "estimated, 25% off"
    assert figures(("cpu0", 1, 0, 2), found=found).off == 0.1
