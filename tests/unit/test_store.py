"""The store: what lasts, what is refused, what is moved aside."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cotenant.cost import Timing
from cotenant.cost.opening import open_store
from cotenant.cost.store import Store, Subject, Verdict
from cotenant.describe import Measure, Precision
from cotenant.errors import InputError

SUBJECT = Subject(model="ab12", precision=Precision.INT8, engine="onnxruntime", engine_version="1.0", machine="here", recipe="qdq")


def timing(*, wall_ns: int = 1000, width: int = 1) -> Timing:
    return Timing(
        model="ab12", precision=Precision.INT8, engine="onnxruntime", engine_version="1.0", kind="core", width=width,
        wall_ns=wall_ns, cpu_ns=900, spread=0.25, runs=15, resident_bytes=2**20,
    )  # fmt: skip


def opened(path: Path) -> Store:
    return open_store(path, pytest.fail)


def test_what_was_put_is_there_when_opened_again(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite") as store:
        store.put_timing(SUBJECT, timing())
        store.put_verdict(SUBJECT, "cd34", Measure.TOP1, Verdict(fidelity=0.5, accuracy=None))
        store.put_fact("name", b"\x00content")
    with opened(tmp_path / "s.sqlite") as again:
        assert again.timing(SUBJECT, "core", 1) == timing()
        assert again.verdict(SUBJECT, "cd34", Measure.TOP1) == Verdict(fidelity=0.5)
        assert again.fact("name") == b"\x00content"


def test_what_was_not_put_is_none(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite") as store:
        assert store.timing(SUBJECT, "core", 1) is None
        assert store.verdict(SUBJECT, "cd34", Measure.CENTRED) is None
        assert store.fact("name") is None


def test_a_later_measurement_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite") as store:
        store.put_timing(SUBJECT, timing(wall_ns=1000))
        store.put_timing(SUBJECT, timing(wall_ns=2000))
        assert store.timing(SUBJECT, "core", 1) == timing(wall_ns=2000)


@pytest.mark.parametrize("field", ["model", "engine", "engine_version", "machine", "recipe"])
def test_a_subject_that_differs_in_one_field_has_its_own_timing(tmp_path: Path, field: str) -> None:
    values = {name: getattr(SUBJECT, name) for name in ("model", "precision", "engine", "engine_version", "machine", "recipe")}
    with opened(tmp_path / "s.sqlite") as store:
        store.put_timing(SUBJECT, timing())
        assert store.timing(Subject(**{**values, field: "other"}), "core", 1) is None


def test_widths_and_kinds_are_kept_apart(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite") as store:
        store.put_timing(SUBJECT, timing(width=1))
        assert store.timing(SUBJECT, "core", 2) is None
        assert store.timing(SUBJECT, "other", 1) is None


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite") as store:
        store.put_fact("first", b"kept")
        store._connection.execute("PRAGMA max_page_count = 1")  # SQLite raises it to the pages in use: no page can be added
        with pytest.raises(InputError) as caught:
            store.put_fact("second", bytes(100_000))
        assert str(caught.value) == f"{tmp_path / 's.sqlite'}: the disk is full; free some space, or set COTENANT_CACHE to another folder"
        assert store.fact("first") == b"kept"


def test_a_locked_store_is_said_in_one_line(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite") as store, opened(tmp_path / "s.sqlite") as other:
        other._connection.execute("BEGIN EXCLUSIVE")
        store._connection.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(InputError, match="another process holds it"):
            store.put_fact("name", b"")


def test_two_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "s.sqlite") as one, opened(tmp_path / "s.sqlite") as other:
        for number in range(20):
            one.put_fact(f"one {number}", b"1")
            other.put_fact(f"other {number}", b"2")
        assert all(other.fact(f"one {n}") == b"1" and one.fact(f"other {n}") == b"2" for n in range(20))


def test_a_damaged_store_is_moved_aside_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    said: list[str] = []
    for number in (1, 2):
        path.write_bytes(b"not a database" * number)
        open_store(path, said.append).close()
        assert (tmp_path / f"s.sqlite.damaged-{number}").read_bytes() == b"not a database" * number
    assert [line.startswith(f"{path}: damaged") and "\n" not in line for line in said] == [True, True]


def test_a_truncated_store_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with opened(path) as store:
        store.put_fact("name", bytes(50_000))
    path.write_bytes(path.read_bytes()[:-20_000])
    said: list[str] = []
    with open_store(path, said.append) as store:
        assert store.fact("name") is None
    assert len(said) == 1


def test_a_store_with_a_page_of_garbage_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with opened(path) as store:
        store.put_fact("name", bytes(50_000))
        (page_bytes,) = store._connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(path.read_bytes())
    content[2 * page_bytes : 3 * page_bytes] = b"\xff" * page_bytes
    path.write_bytes(content)
    said: list[str] = []
    open_store(path, said.append).close()
    assert len(said) == 1


def test_a_store_with_other_tables_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    stranger = sqlite3.connect(path)
    stranger.execute("CREATE TABLE timing (wall_ns TEXT)")
    stranger.close()
    said: list[str] = []
    open_store(path, said.append).close()
    assert len(said) == 1


def test_a_folder_in_its_place_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite").mkdir()
    with pytest.raises(InputError, match=r"s\.sqlite: "):
        opened(tmp_path / "s.sqlite")


def test_a_file_where_the_folder_should_be_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(InputError, match=r"s\.sqlite: "):
        opened(tmp_path / "cache" / "s.sqlite")


KILLED = """
import os, signal, sys
from pathlib import Path
from cotenant.cost.opening import open_store
store = open_store(Path(sys.argv[1]), print)
for number in range(50):
    store.put_fact(str(number), b"kept")
store._connection.execute("BEGIN")
store.put_fact("under way", bytes(100_000))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_loses_at_most_what_was_under_way(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    with opened(path) as store:
        assert [store.fact(str(number)) for number in range(50)] == [b"kept"] * 50
        assert store.fact("under way") is None
