"""What all pages share."""

from __future__ import annotations

import errno
import hashlib
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import NoReturn

import pytest

from cotenant.errors import InputError
from cotenant.trace.frame import file, framed, plain, save
from tests.pages import Tags

ECHARTS_SHA256 = "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"  # of echarts@6.1.0, see vendor/README.md


def page() -> str:
    return framed("cotenant.trace.report", "page", title="a test", told={})


def test_the_browser_is_told_to_run_our_two_scripts_and_to_load_nothing() -> None:
    policy = next(a["content"] or "" for tag, a in Tags(page()).found if tag == "meta" and a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.count("'sha256-") == 2
    assert "unsafe" not in policy.split(";")[1]


def test_the_charts_come_from_the_release_that_the_readme_names() -> None:
    script = files("cotenant.trace").joinpath("vendor", "echarts.min.js").read_bytes()
    assert hashlib.sha256(script).hexdigest() == ECHARTS_SHA256
    assert page().encode().count(script) == 1
    assert b"Licensed to the Apache Software Foundation" in script
    assert b'version="6.1.0"' in script


def test_an_infinite_number_is_made_none_wherever_it_is() -> None:
    assert plain({"a": (1, inf), "b": {"c": -inf}, "d": "inf"}) == {"a": [1, None], "b": {"c": None}, "d": "inf"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_refused_in_one_line_with_the_path() -> None:
    with pytest.raises(InputError) as caught:
        save(Path("/dev/full"), page())
    assert str(caught.value).startswith("/dev/full: ")
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none/out\.html"):
        save(tmp_path / "none" / "out.html", page())


class Full:
    """Stand for a file on a disk that fills up."""

    def write(self, _: str) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_half_a_page_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = file._write
    monkeypatch.setattr(file, "_write", lambda text, _, path: write(text, Full(), path))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="No space left"):
        save(tmp_path / "out.html", page())
    assert not list(tmp_path.iterdir())
