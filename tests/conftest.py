"""What every test shares: examples drawn, and a cache of one's own."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from cotenant.study import rehearsal

settings.register_profile("dev", max_examples=25, deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("dev")

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
"""For tests that import ONNX Runtime themselves."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep made models between runs, apart from the user's own cache, unless COTENANT_CACHE says where."""
    if "COTENANT_CACHE" not in os.environ and config.cache is not None:
        os.environ["COTENANT_CACHE"] = str(config.cache.mkdir("cotenant"))


@pytest.fixture(autouse=True)
def short_rehearsals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rehearse plans no longer than it takes to see that they are."""
    monkeypatch.setattr(rehearsal, "LEAST_S", 0.1)
    monkeypatch.setattr(rehearsal, "MOST_S", 0.2)
