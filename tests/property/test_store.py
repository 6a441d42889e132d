"""Whatever lies where the store should be, the store opens."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from cotenant.cost import Timing
from cotenant.cost.opening import open_store
from cotenant.cost.store import Subject, Verdict
from cotenant.describe import Measure, Precision

SUBJECT = Subject(model="m", precision=Precision.FP32, engine="e", engine_version="1", machine="here")


def filled(path: Path) -> bytes:
    with open_store(path, print) as store:
        numbers = {"wall_ns": 1000, "cpu_ns": 900, "spread": 0.5, "runs": 15, "resident_bytes": 1}
        place = {"model": "m", "precision": Precision.FP32, "engine": "e", "engine_version": "1", "kind": "core", "width": 1}
        store.put_timing(SUBJECT, Timing(**place, **numbers))  # type: ignore[arg-type]
        store.put_verdict(SUBJECT, "s", Measure.CENTRED, Verdict(fidelity=1.0))
        store.put_fact("name", b"content")
    return path.read_bytes()


def use(path: Path) -> int:
    """Open, read all, write and read back; return the number of warnings."""
    said: list[str] = []
    with open_store(path, said.append) as store:
        store.timing(SUBJECT, "core", 1)
        store.verdict(SUBJECT, "s", Measure.CENTRED)
        store.fact("name")
        store.put_fact("new", b"kept")
        assert store.fact("new") == b"kept"
    return len(said)


@given(content=st.binary(max_size=600))
def test_any_bytes_are_replaced_by_a_store(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "s.sqlite")
        path.write_bytes(content)
        assert use(path) <= 1
        assert use(path) == 0


@given(data=st.data())
def test_a_store_with_bytes_changed_opens(data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "s.sqlite")
        content = bytearray(filled(path))
        for _ in range(data.draw(st.integers(1, 8))):
            place = data.draw(st.one_of(st.integers(0, 120), st.integers(0, len(content) - 1)))
            content[place] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        assert use(path) <= 1
        assert use(path) == 0


@given(share=st.floats(0, 1))
def test_a_store_cut_short_opens(share: float) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "s.sqlite")
        content = filled(path)
        path.write_bytes(content[: int(share * len(content))])
        assert use(path) <= 1
        assert use(path) == 0
