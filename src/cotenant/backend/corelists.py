"""Which cores there are, and which are kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cotenant.backend.kernel_file import numbers, read

_NOBODY = frozenset({"", "(null)"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreLists:
    """Hold the kernel's own lists of cores; None for one that it does not show.

    `offline` are there but switched off; `isolated` ones serve only who asks for them by number; on those in `tickless`
    the timer is silent while one thread runs.
    """

    online: tuple[int, ...] | None
    offline: tuple[int, ...] | None
    isolated: tuple[int, ...] | None
    tickless: tuple[int, ...] | None


def core_lists(root: Path) -> CoreLists:
    """Read the lists of cores."""
    folder = root / "sys/devices/system/cpu"
    offline, present = _list(folder / "offline"), _list(folder / "present")
    return CoreLists(
        online=_list(folder / "online"),
        offline=offline if offline is None or present is None else tuple(core for core in offline if core in set(present)),
        isolated=_list(folder / "isolated"),
        tickless=_list(folder / "nohz_full"),
    )


def _list(file: Path) -> tuple[int, ...] | None:
    text = read(file)
    if not file.is_file():
        return None
    return numbers(text) or (() if text in _NOBODY else None)
