"""What an estimator sees and says."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Objective
from cotenant.errors import InputError
from cotenant.search import Budget, Estimator, Judge, Menu, menu_of, named, run, searches
from cotenant.search import estimator as estimating
from cotenant.search.estimator import LAYERS, PLACE_FEATURES, TENANT_FEATURES, Array, features, forward, load
from tests.plan_cases import closed, option, platform
from tests.unit.test_search_menu import chain

WIDE = 5


def some_weights(seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    inputs = dict(zip(LAYERS, (PLACE_FEATURES, WIDE, 2 * WIDE + TENANT_FEATURES, WIDE), strict=True))
    outputs = dict(zip(LAYERS, (WIDE, WIDE, WIDE, 1), strict=True))
    weights = {f"{layer}.w": rng.normal(size=(inputs[layer], outputs[layer])) for layer in LAYERS}
    return {**weights, **{f"{layer}.b": rng.normal(size=outputs[layer]) for layer in LAYERS}}


def mix(names: str, lanes: tuple[int, ...] = (1, 2, 1)) -> Menu:
    """Tenants a, b, c by name, in the order of `names`, each with one chain of its own."""
    options = {
        "a": chain("a", ("cpu0", 0, 10), ("cpu1", 1, 30)),
        "b": chain("b", ("cpu1", 0, 5), ("cpu2", 1, 8)),
        "c": chain("c", ("cpu2", 0, 40)),
    }
    tenants = {"a": closed("a", weight=2.0), "b": closed("b", floor=0.1), "c": closed("c")}
    return menu_of([tenants[n] for n in names], [options[n] for n in names], platform(*lanes))


def test_a_load_is_a_share_of_a_processor_at_the_solo_rate_and_others_are_summed() -> None:
    options = [option("a", 10.0), option("b", 20.0), option("c", 40.0, "cpu1")]
    places, tenants = features(menu_of([closed(n) for n in "abc"], options, platform(1, 2)), (0, 1, 2))
    own, others, greatest, count, weighted, is_there = places[0].T
    assert own == pytest.approx([1.0, 0.0])
    assert others == pytest.approx([1.0, 1.0])
    assert greatest == pytest.approx([1.0, 1.0])
    assert count == pytest.approx([0.25, 0.25])
    assert weighted == pytest.approx([1.0, 1.0])
    assert is_there.tolist() == [1.0, 0.0]
    assert tenants[0, 0] == pytest.approx(0.01 * 100 / 3)
    assert places.shape == (3, 2, PLACE_FEATURES)
    assert tenants.shape == (3, TENANT_FEATURES)


@given(st.permutations("abc"), st.integers(0, 100))
def test_the_order_of_tenants_does_not_matter(names: list[str], seed: int) -> None:
    judge = Estimator(weights=some_weights(seed))
    straight = dict(zip("abc", judge.predict(mix("abc"), (0, 1, 2)), strict=True))
    assert dict(zip(names, judge.predict(mix("".join(names)), (0, 1, 2)), strict=True)) == pytest.approx(straight)


@given(st.permutations(range(3)), st.integers(0, 100))
def test_nor_does_that_of_the_processors(order: list[int], seed: int) -> None:
    offered, weights = mix("abc"), some_weights(seed)
    places, tenants = features(offered, (0, 1, 2))
    assert forward(weights, places[:, order], tenants, offered.most) == pytest.approx(forward(weights, places, tenants, offered.most))


def test_several_mixes_are_foreseen_at_once() -> None:
    offered, weights = mix("abc"), some_weights()
    places, tenants = features(offered, (0, 1, 2))
    both = forward(weights, np.stack([places, places]), np.stack([tenants, tenants]), np.stack([offered.most, offered.most / 2]))
    alone = forward(weights, places, tenants, offered.most)
    assert both == pytest.approx(np.stack([alone, alone / 2]))


@given(st.integers(0, 1000))
def test_p_is_between_nothing_and_what_an_option_reaches_alone(seed: int) -> None:
    offered = mix("abc")
    p = Estimator(weights=some_weights(seed)).predict(offered, (0, 1, 2))
    assert all(0 <= share <= most for share, most in zip(p, offered.most.tolist(), strict=True))


def test_the_greatest_other_is_another() -> None:
    """On the two lanes of cpu1 a would keep all busy, b 5 / 16: cpu2 limits it to 125 per second, of 5 ms each there."""
    places, _ = features(mix("abc"), (0, 1, 2))
    assert places[:, 1, 0] == pytest.approx([1.0, 0.3125, 0.0])
    assert places[:, 1, 2] == pytest.approx([0.3125, 1.0, 1.0])


def test_another_who_is_alike_counts_as_the_greatest_other() -> None:
    options = [option("a", 10.0), option("b", 10.0)]
    places, _ = features(menu_of([closed("a"), closed("b")], options, platform(1)), (0, 1))
    assert places[:, 0, 2].tolist() == [1.0, 1.0]
    alone, _ = features(menu_of([closed("a")], options[:1], platform(1)), (0,))
    assert alone[0, 0, 1:4].tolist() == [0.0, 0.0, 0.0]


def test_written_weights_are_read_again(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", **some_weights())  # type: ignore[arg-type]
    offered = mix("abc")
    assert load(tmp_path / "weights.npz").predict(offered, (0, 1, 2)) == Estimator(weights=some_weights()).predict(offered, (0, 1, 2))


def test_a_search_that_needs_weights_says_so_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "WEIGHTS", tmp_path / "none.npz")
    offered = mix("abc")
    with pytest.raises(InputError, match=r"^estimator: no weights at .*none.npz; NAME/exact searches without an estimator") as refusal:
        run(named(searches, "rankmap"), offered, Judge(offered, Objective.MAXMIN), Budget(evaluations=1), seed=0)
    assert "\n" not in str(refusal.value)


def one_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", one_array()], ids=["empty", "text", "broken", "one array"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"an \.npz of numbers"):
        load(tmp_path / "weights.npz")


@pytest.mark.parametrize("layer", LAYERS)
def test_weights_of_another_network_are_refused(layer: str) -> None:
    weights = some_weights()
    with pytest.raises(InputError, match=rf"no {layer}\.b"):
        Estimator(weights={name: value for name, value in weights.items() if name != f"{layer}.b"})
    with pytest.raises(InputError, match="a matrix with"):
        Estimator(weights={**weights, f"{layer}.w": np.zeros((3, WIDE))})


def test_weights_take_two_megabytes_at_most_where_they_are_shipped() -> None:
    path = estimating.WEIGHTS
    assert not path.exists() or path.stat().st_size <= 2_000_000
