"""The command line as a process: a crew served, planned, refused, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from cotenant.describe.files import read_crew

CREW = """
platform: auto
seconds: 1
tenants:
  - {name: first, model: a.onnx, rank: 0, arrival: {every: 20ms}, deadline: 20ms}
  - {name: rest, model: a.onnx, rank: 1, arrival: flat-out, floor: 0.05}
"""


def cotenant(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from cotenant.cli import main; main()", *arguments]
    env = {**os.environ, "COTENANT_CACHE": str(cwd / "cache")}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    weight = onnx.numpy_helper.from_array(np.eye(64, dtype=np.float32), "w")
    shape = [1, 64]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Relu", ["m"], ["y"])],
        "a",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, shape)],
        [weight],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "a.onnx")
    (tmp_path / "crew.yaml").write_text(CREW)
    return tmp_path


def test_a_crew_is_served_and_nothing_is_lost(here: Path) -> None:
    ended = cotenant("run", "crew.yaml", "--json", "--trace", "out.json", cwd=here)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert set(found) == {"platform", "seconds", "stp", "least_p", "tenants"}
    assert found["tenants"]["first"]["asked"] == 50
    for row in found["tenants"].values():
        assert row["lost"] == 0
        assert row["asked"] == row["done"] + row["dropped"] + row["failed"]
    assert json.loads((here / "out.json").read_text())["traceEvents"]


def test_a_plan_is_saved_and_proved_again_but_not_when_altered(here: Path) -> None:
    assert cotenant("plan", "crew.yaml", "--save", "plan.json", cwd=here).returncode == 0
    assert cotenant("plan", "crew.yaml", "--check", "plan.json", cwd=here).returncode == 0
    text = (here / "plan.json").read_text()
    plan = json.loads(text)
    plan["plan"]["promises"][0]["rate_per_s"] *= 1.5
    (here / "plan.json").write_text(json.dumps(plan))
    assert cotenant("plan", "crew.yaml", "--check", "plan.json", cwd=here).returncode == 1


def test_plan_says_what_it_reached_and_what_none_can_exceed(here: Path) -> None:
    found = json.loads(cotenant("plan", "crew.yaml", "--json", cwd=here).stdout)
    assert {"objective", "bound", "gap", "seconds", "prices", "tenants"} <= set(found)
    assert found["objective"] <= found["bound"] + 1e-6
    assert "first (rank 0)" in cotenant("plan", "crew.yaml", "--explain", cwd=here).stdout


def test_a_crew_that_cannot_fit_is_refused_unless_overload_is_allowed(here: Path) -> None:
    (here / "crew.yaml").write_text(CREW.replace("{every: 20ms}, deadline: 20ms", "{every: 2us}"))
    refused = cotenant("plan", "crew.yaml", cwd=here)
    assert refused.returncode == 2
    said = [line for line in refused.stderr.splitlines() if not line.startswith("note: ")]
    assert len(said) == 1
    assert said[0].startswith("cpu")
    assert cotenant("plan", "crew.yaml", "--allow-overload", cwd=here).returncode == 0


def test_a_first_crew_can_be_read_back(here: Path) -> None:
    (here / "first.yaml").write_text(cotenant("init", "a.onnx", cwd=here).stdout)
    assert read_crew(here / "first.yaml").workload.tenants[0].rank == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_everything_counted(here: Path, number: signal.Signals) -> None:
    (here / "crew.yaml").write_text(CREW.replace("seconds: 1\n", ""))
    assert cotenant("profile", "crew.yaml", cwd=here).returncode == 0
    command = [sys.executable, "-c", "from cotenant.cli import main; main()", "run", "crew.yaml"]
    env = {**os.environ, "COTENANT_CACHE": str(here / "cache")}
    with subprocess.Popen(command, cwd=here, env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().split()[1] == "s", "the table of the first seconds"
        child.send_signal(number)
        out, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    assert "sum of P" in out
