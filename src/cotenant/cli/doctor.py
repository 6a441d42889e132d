"""`doctor`: what this machine allows, and what it would gain."""

from __future__ import annotations

from cotenant.cli.options import AsJson
from cotenant.cli.screen import show_json, show_table


def doctor(*, as_json: AsJson = False) -> None:
    """Say what this machine allows and what it would gain, with the command that gives it; nothing is changed."""
    from cotenant.study.doctor import diagnose

    found = diagnose()
    if as_json:
        show_json(found.tree)
        return
    columns = ("what", "now", "verdict", "what it gives")
    rows = ((f.what, f.now, f.verdict.value, f.gains) for f in found.findings)
    show_table(columns, rows, words=len(columns))
    print(f"\n{found.machine}. {found.preemption}")
    for command, whats in found.commands.items():
        print(f"\n# {', '.join(whats)}\n{command}")
    print(f"\n{found.tally}")
