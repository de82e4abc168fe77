"""What does the task runner's function cost: a cold start, an invocation, memory?

    python -m tests.benchmarks.functions [--json] [--repeat 9] [--calls 300]

``cold`` is the time from a bare interpreter to a function that can answer: the handler imported, and the client of S3
made. ``with_bytecode`` is as Lambda finds it where the package holds compiled files, ``without_bytecode`` where it does
not and Python compiles whatever is not its own. ``warm`` is an invocation of a task that does nothing, less the time in
the object store and in the task itself; ``memory_mib`` is the largest resident memory of the process after all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.reporting import parser, rounded, show, spread

ROOT = Path(__file__).parents[2]

_COLD = """
import time
start = time.perf_counter()
import functions.task_runner.handler as function
imported = time.perf_counter()
function.open_store("s3://bucket/prefix")
print(json.dumps([(imported - start) * 1000, (time.perf_counter() - start) * 1000]))
"""

_LOADED = """
import sys, sysconfig
import functions.task_runner.handler as function
function.open_store("s3://bucket/prefix")
own = sysconfig.get_paths()["stdlib"]
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
print(json.dumps([name for name in files if name and ("site-packages" in name or not name.startswith(own))]))
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


def measure(repeat: int, calls: int) -> dict[str, Any]:
    """The figures of cold starts, of invocations and of memory."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        package = _package(folder / "package")
        bare = {"PYTHONDONTWRITEBYTECODE": "1"}
        without = _cold(repeat, package, bare)
        _run(_COLD, package)  # writes the bytecode files
        cold = {"with_bytecode": _cold(repeat, package, {}), "without_bytecode": without}
        taken, peak = _run(f"folder, calls = {text!r}, {calls}\n{_WARM}", ROOT)
    first, rest = taken[0], sorted(taken[1:])
    return {
        "benchmark": "functions",
        "cold": cold,
        "warm": {
            "first_ms": rounded(first),
            "median_ms": rounded(statistics.median(rest)),
            "p99_ms": rounded(rest[int(len(rest) * 0.99)]),
            "calls": calls,
        },
        "memory_mib": rounded(peak),
    }


def _package(folder: Path) -> Path:
    """A folder with everything that the function loads besides Python's own library, not compiled."""
    roots = sorted(map(Path, (str(ROOT), *sys.path[1:])), key=lambda root: -len(str(root)))
    for name in _run(_LOADED, ROOT):
        root = next((root for root in roots if Path(name).is_relative_to(root)), None)
        if root is not None:
            target = folder / Path(name).relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, target)
    return folder


def _cold(repeat: int, package: Path, environment: dict[str, str]) -> dict[str, Any]:
    measured = [_run(_COLD, package, environment) for _ in range(repeat)]
    return {
        "import_ms": spread([imported for imported, _ in measured]),
        "ready_ms": spread([ready for _, ready in measured]),
    }


def _run(code: str, folder: Path, environment: Mapping[str, str] | None = None) -> Any:
    """What ``code`` prints, as JSON; modules are looked for in ``folder`` first."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    given = {**kept, "AWS_REGION": "eu-central-1", "STEPWEAVE_ENV": "bench", **(environment or {})}
    given["PYTHONPATH"] = str(folder)
    command = [sys.executable, "-c", f"import json\n{code}"]
    done = subprocess.run(command, cwd=folder, env=given, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(arguments: Sequence[str]) -> None:
    options_of = parser(__doc__ or "", repeat=9)
    options_of.add_argument("--calls", type=int, default=300, help="invocations (300)")
    options = options_of.parse_args(arguments)
    show(measure(options.repeat, options.calls), one_line=options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
