"""Flop, counted by hand on small operators: a multiply-add is 2."""

from __future__ import annotations

import pytest

from cotenant.graph.count import Operator, Shape, flop


def count(op: str, inputs: list[Shape | None], outputs: list[Shape | None], **attributes: object) -> int:
    return flop(Operator(op=op, inputs=tuple(inputs), outputs=tuple(outputs), attributes=attributes))


def test_a_convolution_multiplies_each_output_by_its_window() -> None:
    assert count("Conv", [(1, 3, 8, 8), (4, 3, 3, 3)], [(1, 4, 6, 6)]) == 2 * 4 * 36 * 27


def test_a_bias_adds_one_for_each_output() -> None:
    assert count("Conv", [(1, 3, 8, 8), (4, 3, 3, 3), (4,)], [(1, 4, 6, 6)]) == 2 * 4 * 36 * 27 + 4 * 36


def test_a_grouped_convolution_sees_its_group_alone() -> None:
    assert count("Conv", [(1, 6, 5, 5), (6, 1, 3, 3)], [(1, 6, 3, 3)], group=6) == 2 * 6 * 9 * 9


def test_a_transposed_convolution_spreads_each_input_over_its_window() -> None:
    assert count("ConvTranspose", [(1, 3, 4, 4), (3, 5, 2, 2)], [(1, 5, 8, 8)]) == 2 * 3 * 16 * 5 * 4


@pytest.mark.parametrize(("shape", "attributes"), [((2, 7), {}), ((7, 2), {"transA": 1})])
def test_gemm_multiplies_rows_by_columns(shape: Shape, attributes: dict[str, int]) -> None:
    assert count("Gemm", [shape, (7, 3), (3,)], [(2, 3)], **attributes) == 2 * 2 * 7 * 3 + 2 * 3


def test_a_batched_product_counts_every_batch() -> None:
    assert count("MatMul", [(4, 2, 7), (4, 7, 3)], [(4, 2, 3)]) == 4 * 2 * 2 * 7 * 3


def test_einsum_multiplies_over_all_axes() -> None:
    assert count("Einsum", [(2, 3), (3, 5)], [(2, 5)], equation="ij, jk -> ik") == 2 * 2 * 3 * 5
    assert count("Einsum", [(2, 3), None], [None], equation="ij,jk->ik") == 0


def test_pooling_looks_at_its_window_and_global_pooling_at_everything() -> None:
    assert count("MaxPool", [(1, 2, 6, 6)], [(1, 2, 3, 3)], kernel_shape=[2, 2]) == 18 * 4
    assert count("GlobalAveragePool", [(1, 2, 6, 6)], [(1, 2, 1, 1)]) == 72


def test_elementwise_operators_take_one_for_each_element_written() -> None:
    assert count("Add", [(2, 3), (3,)], [(2, 3)]) == 6
    assert count("Relu", [(2, 3)], [(2, 3)]) == 6


def test_an_operator_that_is_not_listed_counts_what_it_writes() -> None:
    assert count("TreeEnsembleClassifier", [(2, 4)], [(2,), (2, 3)]) == 8


def test_softmax_and_normalisation_take_several_passes() -> None:
    assert count("Softmax", [(2, 3)], [(2, 3)]) == 5 * 6
    assert count("BatchNormalization", [(1, 3, 2, 2)], [(1, 3, 2, 2)]) == 2 * 12
    assert count("LayerNormalization", [(2, 3)], [(2, 3)]) == 7 * 6


def test_resizing_to_the_nearest_computes_nothing_and_linear_blends_four() -> None:
    shapes: tuple[list[Shape | None], list[Shape | None]] = [(1, 1, 2, 2)], [(1, 1, 4, 4)]
    assert count("Resize", *shapes, mode="nearest") == 0
    assert count("Resize", *shapes, mode="linear") == 2 * 16 * 4


def test_a_recurrent_layer_multiplies_inputs_and_state_at_each_step() -> None:
    steps, batch, inputs, hidden = 5, 2, 3, 4
    shapes: list[Shape | None] = [(steps, batch, inputs), (1, 4 * hidden, inputs), (1, 4 * hidden, hidden)]
    assert count("LSTM", shapes, [(steps, 1, batch, hidden)]) == 2 * steps * batch * 4 * hidden * (inputs + hidden)


def test_moving_data_computes_nothing() -> None:
    assert all(count(op, [(2, 3)], [(6,)]) == 0 for op in ("Reshape", "Transpose", "Concat", "Gather"))


def test_unknown_shapes_count_nothing_and_do_not_fail() -> None:
    for op in ("Conv", "ConvTranspose", "Gemm", "MatMul", "MaxPool", "Resize", "LSTM", "Softmax", "Add", "LinearRegressor"):
        assert count(op, [None, None, None], [None]) == 0, op
