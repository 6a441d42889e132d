"""Why a policy does not compile, in words that its author can use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature

from cotenant.policy import Policy

_MOST_SAID = 160
"""Characters of numba's reasons that are passed on: its types are long."""


def check_arguments(policy: Policy) -> None:
    """Raise TypeError for a function of a policy that does not take what it is given."""
    for function in (policy.order, policy.width, policy.place, policy.share):
        _bind(function, "candidate", "scene")
    _bind(policy.prepare, "scene")


def _bind(function: Callable[..., object], *given: str) -> None:
    try:
        signature(function).bind(*given)
    except TypeError as error:
        own = ", ".join(signature(function).parameters)
        raise TypeError(f"{function.__name__}({own}) does not take ({', '.join(given)})") from error


@contextmanager
def refusing_plainly() -> Iterator[None]:
    """Turn what numba says of functions that it cannot compile into one line of a TypeError."""
    from numba.core.errors import NumbaError

    try:
        yield
    except KeyError as error:
        raise TypeError(f"it uses a field that rows do not have: {error}") from error
    except (NumbaError, RecursionError) as error:
        raise TypeError(f"it is not in the subset that compiles (docs/adding-a-policy.md): {_reason(str(error))}") from error


def _reason(story: str) -> str:
    """Return the first thing said, and the first line of the policy's own that is named."""
    said = (line.strip() for line in story.splitlines() if line.strip())
    reason = next((line for line in said if not line.startswith("Failed in nopython mode")), story.strip())
    if "NRT required" in reason:
        reason = "it makes a list, a string or another object"
    found = re.findall(r"([^\s\"]+\.py)\"?,? \(?(?:line )?(\d+)", story)
    own = (f"{path}, line {line}" for path, line in found if not re.search(r"site-packages|numba/|dispatch/ask\.py", path))
    where = next(own, "")
    return f"{reason[:_MOST_SAID]}{f' at {where}' if where else ''}"
