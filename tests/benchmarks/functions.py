"""What does the task runner's function cost: a cold start, an invocation, memory?

    python -m tests.benchmarks.functions [--json] [--repeat 9] [--calls 300] [--libraries 3]

All of it runs in the package that is deployed, made for this machine's Python. ``cold`` is the time from a bare
interpreter to a function that can answer: the handler imported, and the client of S3 made. ``with_bytecode`` is the
package as it is, ``without_bytecode`` the same without its compiled files: Lambda would compile them at every cold
start, since its folder is read-only. ``libraries`` is the same for a package with scikit-learn, and the import of
what a training task uses. ``warm`` is an invocation of a task that does nothing, less the time in the object store
and in the task itself; ``memory_mib`` is the largest resident memory of the process after all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.packaging.bundle import bundle
from infra.packaging.profile import local_profile
from tests.benchmarks.reporting import parser, rounded, show, spread

ROOT = Path(__file__).parents[2]
ENTRY = "functions.task_runner.handler"
MODULES = ("tests.functions.deployed_tasks", "tests.runtime.events")

_COLD = """
import time
start = time.perf_counter()
import functions.task_runner.handler as function
imported = time.perf_counter()
function.open_store("s3://bucket/prefix")
print(json.dumps([(imported - start) * 1000, (time.perf_counter() - start) * 1000]))
"""

_LIBRARIES = """
import time
start = time.perf_counter()
import functions.task_runner.handler as function
import sklearn.ensemble, sklearn.model_selection, sklearn.neural_network
imported = time.perf_counter()
function.open_store("s3://bucket/prefix")
print(json.dumps([(imported - start) * 1000, (time.perf_counter() - start) * 1000]))
"""

_WARM = """
import sys, time, resource
import functions.task_runner.handler as function
from tests.runtime.events import event

class LambdaContext:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "function"
    def get_remaining_time_in_millis(self):
        return 60_000

class Timed:
    def __init__(self, store):
        self.store, self.spent = store, 0.0
    def __getattr__(self, name):
        operation = getattr(self.store, name)
        if not callable(operation):
            return operation
        def call(*arguments, **named):
            start = time.perf_counter()
            try:
                return operation(*arguments, **named)
            finally:
                self.spent += time.perf_counter() - start
        return call

function.open_store("s3://bucket/prefix")  # as it is in the deployed function: its client takes memory
store = Timed(function.open_store(folder))
function._store = lambda url: store
function._write_line = lambda line: None
context, taken = LambdaContext(), []
for number in range(calls):
    asked = event(f"t{number}", "nothing", {"value": {"v": number}}, call="tests.functions.deployed_tasks:nothing")
    store.spent, start = 0.0, time.perf_counter()
    function.handler(asked, context)
    taken.append((time.perf_counter() - start - store.spent) * 1000)
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
print(json.dumps([taken, int(peak) / 1024]))
"""


def measure(repeat: int, calls: int, libraries: int) -> dict[str, Any]:
    """The figures of cold starts, of invocations and of memory; ``libraries``: cold starts with scikit-learn."""
    runner = _packed()
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        cold = _compared(_COLD, repeat, runner, folder / "runner")
        heavy = (
            _compared(_LIBRARIES, libraries, _packed("scikit-learn"), folder / "learning")
            if libraries
            else {}
        )
        taken, peak = _run(f"folder, calls = {text!r}, {calls}\n{_WARM}", runner)
    first, rest = taken[0], sorted(taken[1:])
    return {
        "benchmark": "functions",
        "cold": cold,
        "libraries": heavy,
        "warm": {
            "first_ms": rounded(first),
            "median_ms": rounded(statistics.median(rest)),
            "p99_ms": rounded(rest[int(len(rest) * 0.99)]),
            "calls": calls,
        },
        "memory_mib": rounded(peak),
    }


def _packed(*requirements: str) -> Path:
    """The folder of the package of a task runner."""
    return bundle(ENTRY, MODULES, local_profile("lambda", requirements), ROOT).path


def _compared(code: str, repeat: int, package: Path, copy: Path) -> dict[str, Any]:
    """Cold starts of a package, and of its copy without bytecode, in turn."""
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    measured: dict[str, list[Any]] = {"with_bytecode": [], "without_bytecode": []}
    for folder in (package, copy):
        _run(code, folder)  # both are in the cache of the disk
    for _ in range(repeat):
        measured["with_bytecode"].append(_run(code, package))
        measured["without_bytecode"].append(_run(code, copy))
    return {
        name: {
            "import_ms": spread([imported for imported, _ in times]),
            "ready_ms": spread([ready for _, ready in times]),
        }
        for name, times in measured.items()
    }


def _run(code: str, folder: Path) -> Any:
    """What ``code`` prints, as JSON, in a process that sees ``folder`` and Python's own library."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    given = {**kept, "AWS_REGION": "eu-central-1", "STEPWEAVE_ENV": "bench", "PYTHONPATH": str(folder)}
    command = [sys.executable, "-P", "-s", "-S", "-B", "-c", f"import json\n{code}"]
    done = subprocess.run(command, cwd=folder, env=given, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(arguments: Sequence[str]) -> None:
    options_of = parser(__doc__ or "", repeat=9)
    options_of.add_argument("--calls", type=int, default=300, help="invocations (300)")
    options_of.add_argument("--libraries", type=int, default=3, help="cold starts with scikit-learn (3)")
    options = options_of.parse_args(arguments)
    show(measure(options.repeat, options.calls, options.libraries), one_line=options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
