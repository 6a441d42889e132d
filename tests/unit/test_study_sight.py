"""A crew file is looked at while somebody writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cotenant.describe.files import read_crew
from cotenant.errors import InputError
from cotenant.study.sight import Sight

ONE = "tenants:\n  - {name: a, model: zoo:shufflenet_v2}\n"
TWO = ONE + "  - {name: b, model: zoo:shufflenet_v2, rank: 1}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "crew.yaml"
    file.write_text(ONE, encoding="utf-8")
    return file


@pytest.fixture
def sight(file: Path) -> Sight:
    return Sight(path=file, crew=read_crew(file), read=read_crew)


def names(sight: Sight, now_s: float) -> list[str]:
    crew = sight.look(now_s)
    return [] if crew is None else [t.name for t in crew.workload.tenants]


def test_another_crew_is_taken_once_it_has_stood_for_a_look(file: Path, sight: Sight) -> None:
    assert names(sight, 0.0) == []
    file.write_text(TWO, encoding="utf-8")
    assert [names(sight, now_s) for now_s in (0.5, 1.0, 1.5)] == [[], ["a", "b"], []]


def test_a_file_half_written_is_no_error_until_it_has_not_changed_for_a_second(file: Path, sight: Sight) -> None:
    for step, end in enumerate(range(len(ONE) + 1, len(ONE) + 21, 4)):
        file.write_text(TWO[:end], encoding="utf-8")
        assert names(sight, 0.5 * step) == []
    assert names(sight, 2.9) == []
    with pytest.raises(InputError):
        sight.look(3.0)
    assert names(sight, 3.5) == [], "it is said once"
    file.write_text(TWO, encoding="utf-8")
    assert [names(sight, now_s) for now_s in (4.0, 4.5)] == [[], ["a", "b"]]


def test_a_file_that_is_replaced_by_another_is_seen_and_one_that_is_touched_is_not_taken(file: Path, sight: Sight) -> None:
    other = file.with_name("other.yaml")
    other.write_text(TWO, encoding="utf-8")
    other.rename(file)
    assert [names(sight, now_s) for now_s in (0.5, 1.0)] == [[], ["a", "b"]]
    file.write_text(TWO, encoding="utf-8")
    assert [names(sight, now_s) for now_s in (1.5, 2.0)] == [[], []]


def test_a_file_that_is_gone_is_an_error_after_a_second_and_one_that_comes_back_is_not(file: Path, sight: Sight) -> None:
    file.unlink()
    assert names(sight, 0.5) == names(sight, 1.0) == []
    with pytest.raises(InputError):
        sight.look(1.5)
    file.write_text(ONE, encoding="utf-8")
    assert [names(sight, now_s) for now_s in (2.0, 2.5)] == [[], []], "it is the crew that is served"


def test_a_model_that_is_written_anew_is_seen_though_the_crew_file_stays(tmp_path: Path) -> None:
    model, file = tmp_path / "m.onnx", tmp_path / "crew.yaml"
    model.write_bytes(b"one")
    file.write_text(f"tenants:\n  - {{name: a, model: {model}}}\n", encoding="utf-8")
    sight = Sight(path=file, crew=read_crew(file), read=read_crew)
    model.write_bytes(b"another")
    assert [names(sight, now_s) for now_s in (0.5, 1.0, 1.5)] == [[], ["a"], []]


def test_what_was_written_before_the_first_look_is_seen_too(file: Path) -> None:
    crew = read_crew(file)
    file.write_text(TWO, encoding="utf-8")
    sight = Sight(path=file, crew=crew, read=read_crew)
    assert [names(sight, now_s) for now_s in (0.0, 0.5, 1.0)] == [[], ["a", "b"], []]
