"""The page of a plan; heavy to import."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cotenant.cli.asked import Wanted
from cotenant.cli.offered import notes
from cotenant.plan.front import front
from cotenant.plan.newcomer import newcomers
from cotenant.study.boardplan import Boarded
from cotenant.study.planpage import write_plan_page
from cotenant.study.prepared import Prepared
from cotenant.trace.frame import save

MEASURED = "measured on this machine"


def save_plan_page(found: Prepared | Boarded, asked: Wanted, file: Path) -> None:
    """Write a plan as a page, with what else there could be; InputError for a file that cannot be written."""
    plan, tenants, options, platform = found.plan, found.tenants, found.options, found.platform
    text = write_plan_page(
        title=f"{asked.file.stem} on {platform.name}",
        tenants=tenants,
        plan=plan,
        platform=platform,
        options=options,
        source=found.offered.board.source if isinstance(found, Boarded) else MEASURED,
        made_on=datetime.now().astimezone().date(),
        front=front(plan, tenants, options, platform),
        newcomers=newcomers(plan, tenants, options, platform, allow_overload=asked.wish.allow_overload),
        notes=notes(found),
        provenance=found.offered.board.provenance if isinstance(found, Boarded) else {},
    )
    save(file, text)
