"""The DAGs and functions of this repository, packed with their real dependencies."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.dags.packaged import PackagedCode
from infra.packaging.bundle import Bundle, bundle
from infra.packaging.profile import Architecture, Profile, local_profile
from infra.packaging.runners import runners
from infra.packaging.size import LAMBDA_MAX_UNZIPPED_BYTES
from infra.settings import parse
from stepweave.authoring.dags import Dag
from stepweave.compiler import compile_graph
from stepweave.loading import all_dags, load

ROOT = Path(__file__).resolve().parents[3]
TASK_RUNNER = "functions.task_runner.handler"

RUN = """
import json, sys
from importlib.machinery import SourceFileLoader
compiling = SourceFileLoader.source_to_code
def refused(self, data, path, **options):
    if path.startswith(sys.argv[1]):
        raise SystemExit(f"{path} is compiled at a cold start")
    return compiling(self, data, path, **options)
SourceFileLoader.source_to_code = refused
sys.path.insert(0, sys.argv[1])
from functions.task_runner.handler import handler
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"
    def get_remaining_time_in_millis(self):
        return 60_000
answer = handler(json.loads(sys.argv[2]), Context())
print(json.dumps({"answer": answer, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def chain() -> Bundle:
    """A bundle for this machine."""
    return bundle(TASK_RUNNER, ("statemachines.examples.e01_chain",), local_profile("lambda"), ROOT)


def run_greet(chain: Bundle, store: Path) -> dict[str, object]:
    """What a process says that sees nothing but the bundle and Python's own library."""
    event = {
        "task": "greet",
        "call": "statemachines.examples.e01_chain:greet",
        "run": {"dag": "chain", "id": "r1", "execution": "r1", "params": {"name": "Ada"}},
        "attempt": 0,
        "args": '{"name":{"r":"name"}}',
        "inline": 16384,
    }
    command = [sys.executable, "-I", "-S", "-B", "-c", RUN, str(chain.path), json.dumps(event)]
    environment = {"STEPWEAVE_STORE": str(store), "POWERTOOLS_SERVICE_NAME": "tests"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_a_task_runs_in_a_process_that_sees_only_the_bundle_and_compiles_nothing(
    chain: Bundle, tmp_path: Path
) -> None:
    said = run_greet(chain, tmp_path)
    assert "Hello, Ada" in json.dumps(said["answer"])
    loaded = {name for name in said["modules"] if name.startswith("stepweave.")}  # type: ignore[attr-defined]
    assert loaded < {*chain.modules}


def test_a_light_function_carries_little() -> None:
    rendezvous = bundle("functions.rendezvous.handler", (), local_profile("lambda"), ROOT)
    names = {name for name, _ in rendezvous.largest}
    assert names.isdisjoint({"pydantic", "obstore", "numpy", "boto3", "botocore"})
    assert rendezvous.unzipped_bytes < 8 * 2**20


@pytest.mark.parametrize("tracing", [False, True])
def test_functions_carry_the_tracer_where_they_are_traced_and_never_what_lambda_has(tracing: bool) -> None:
    settings = parse("traced", {"tracing": tracing}, "traced.toml")
    made = PackagedCode(ROOT, settings).shared("rendezvous")
    with zipfile.ZipFile(made.path) as archive:
        packages = {name.partition("/")[0] for name in archive.namelist()}
    assert ("aws_xray_sdk" in packages) is tracing
    assert packages.isdisjoint({"boto3", "botocore"})


def sizes_of(flow: Dag, architecture: Architecture) -> dict[str, int]:
    """Bytes of each function of a DAG that runs tasks; raises where one is too large or lacks an import."""
    sizes = {}
    for runner in runners(compile_graph(flow.graph())).values():
        profile = Profile(kind="lambda", architecture=architecture, requirements=runner.requirements)
        made = bundle(TASK_RUNNER, (flow.module,), profile, ROOT, calls=runner.calls)
        sizes[runner.name] = made.unzipped_bytes
    return sizes


def test_the_digits_pipeline_fits_lambda_because_each_task_brings_only_what_it_needs() -> None:
    sizes = sizes_of(load(str(ROOT / "statemachines" / "digits.py")), "arm64")
    assert len(sizes) == 5
    assert max(sizes.values()) <= LAMBDA_MAX_UNZIPPED_BYTES < sum(sizes.values())


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_every_dag_of_the_repository_fits_lambda_and_lacks_nothing(architecture: Architecture) -> None:
    flows = all_dags(str(ROOT / "statemachines"))
    sizes = {(flow.id, name): size for flow in flows for name, size in sizes_of(flow, architecture).items()}
    assert len(sizes) > 40
    assert max(sizes.values()) <= LAMBDA_MAX_UNZIPPED_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("library", ["pyarrow", "scikit-learn"])
def test_frames_fit_lambda_beside_what_keeps_them_or_what_learns_from_them(
    architecture: Architecture, library: str
) -> None:
    profile = Profile(kind="lambda", architecture=architecture, requirements=("pandas", library))
    made = bundle(TASK_RUNNER, ("statemachines.examples.e01_chain",), profile, ROOT)
    assert made.unzipped_bytes <= LAMBDA_MAX_UNZIPPED_BYTES
