"""The one reader and writer of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cotenant.describe.boardfile import board, boards, read_board
from cotenant.describe.crew import Crew
from cotenant.describe.crewfile import crew_at
from cotenant.describe.digest import digest_of
from cotenant.describe.draft import draft_of
from cotenant.describe.plain import yaml_text, yaml_tree
from cotenant.describe.plan import Plan
from cotenant.describe.planfile import Filed, filed_tree, read_filed, write_plan
from cotenant.describe.platform import Platform
from cotenant.describe.requestlog import read_requests
from cotenant.describe.tree import decode, shown
from cotenant.errors import InputError

T = TypeVar("T")

__all__ = [
    "Filed", "board", "boards", "digest_of", "filed_tree", "read_board", "read_crew", "read_filed", "read_plan", "read_platform",
    "read_requests", "write_crew", "write_plan", "write_platform",
]  # fmt: skip


def read_crew(path: Path) -> Crew:
    """Read a crew file; relative paths in it start from its own folder. InputError names the path, value and what would do."""
    return crew_at(path)


def write_crew(models: Sequence[Path]) -> str:
    """Write a first crew file for these models, paths as given; InputError for a model that is not there."""
    return draft_of(models)


def read_plan(path: Path) -> Plan:
    """Read a plan that `write_plan` wrote, or the one in what `plan --json` printed; InputError for a damaged one."""
    return read_filed(path).plan


def _decoded(tree: dict[str, Any], into: type[T], path: Path) -> T:
    try:
        return decode(tree, into)
    except InputError as error:
        raise InputError(f"{shown(path)}: {error.path}", shown(error.value), error.allowed) from error


def read_platform(path: Path) -> Platform:
    """Read a bare platform: a YAML file whose keys are the fields of a Platform; InputError for what does not fit."""
    tree = yaml_tree(path)
    if not isinstance(tree, dict):
        raise InputError(shown(path), "empty" if tree is None else shown(tree), "a board: a mapping with processors and memories")
    return _decoded(tree, Platform, path)


def write_platform(platform: Platform) -> str:
    """Write a platform as YAML that `read_platform` reads back."""
    return yaml_text(msgspec.to_builtins(platform))
