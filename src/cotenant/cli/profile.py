"""`profile`: what a crew's models cost here."""

from __future__ import annotations

from cotenant.cli.options import AsJson, CrewFile, Precisions
from cotenant.cli.screen import show_json


def profile(*, crew: CrewFile, precision: Precisions = None, as_json: AsJson = False) -> None:
    """Judge and time a crew's models on this machine, but for what is known already."""
    from cotenant.cli import measure, offered

    found = measure.measure(crew, measure.permitted(precision))
    if as_json:
        show_json(offered.profile_tree(found))
    else:
        offered.show_profile(found)
