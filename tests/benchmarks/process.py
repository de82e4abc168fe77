"""How long does a whole ``stepweave run`` take, and how much memory? And the imports?

    python -m tests.benchmarks.process [--json] [--repeat 7] [--chain 1000]

Times are of a process from its start to its end, with Python's bytecode files in place as after the first run of an
installation; memory is measured in a run of its own, so that looking costs no time. It is read from Linux's
/proc (null elsewhere): the maximum resident set that ``wait4`` gives is at least the parent's.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.dag_files import write_dag
from tests.benchmarks.process_memory import Peaks
from tests.benchmarks.reporting import parser, rounded, show, spread

ROOT = Path(__file__).parents[2]
_COMMAND = Path(sys.executable).with_name("stepweave")
_IMPORTS = {
    "stepweave": "import stepweave",
    "runtime": "import stepweave.runtime.invoke, stepweave.stores.objects",
    "task_runner": "import functions.task_runner.handler",
}
_LOOK_SECONDS = 0.002


def measure(repeat: int, chain: int) -> dict[str, Any]:
    """The figures of one no-op, of a chain, and of the imports."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        one, long = write_dag(folder, "one"), write_dag(folder, "chain", chain)
        commands = {
            "one_task": [str(one)],
            "one_task_inline": [str(one), "--inline"],
            f"chain_{chain}_inline": [str(long), "--inline"],
        }
        runs = {name: _measured(arguments, folder, repeat) for name, arguments in commands.items()}
        imports = {name: _import_figures(code, folder, repeat) for name, code in _IMPORTS.items()}
    return {"benchmark": "process", "runs": runs, "imports": imports}


def _measured(arguments: list[str], folder: Path, repeat: int) -> dict[str, Any]:
    wall, cpu = [], []
    _run(arguments, folder)  # writes the bytecode files
    for _ in range(repeat):
        before, start = _children_seconds(), time.perf_counter()
        _run(arguments, folder)
        wall.append(time.perf_counter() - start)
        cpu.append(_children_seconds() - before)
    return {
        "wall_seconds": spread(wall),
        "cpu_seconds": spread(cpu),
        "memory_mib": _memory(arguments, folder),
    }


def _command(arguments: list[str]) -> list[str]:
    return [str(_COMMAND), "run", *arguments, "--json"]


def _run(arguments: list[str], folder: Path) -> None:
    command = _command(arguments)
    subprocess.run(command, cwd=folder, env=_environment(folder), check=True, capture_output=True)


def _memory(arguments: list[str], folder: Path) -> dict[str, float] | None:
    command = _command(arguments)
    with subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdout=subprocess.DEVNULL
    ) as process:
        peaks = Peaks(process.pid)
        while process.poll() is None:
            peaks.look()
            time.sleep(_LOOK_SECONDS)
    return peaks.to_json()


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _environment(folder: Path) -> dict[str, str]:
    """The environment of what is measured; bytecode files are written, and not into the repository."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["AWS_DEFAULT_REGION"] = "eu-central-1"  # a deployed function always has one
    return environment


def _import_figures(statement: str, folder: Path, repeat: int) -> dict[str, float]:
    code = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter()\n"
        f"{statement}\n"
        "print(time.perf_counter() - start, len(set(sys.modules) - before))"
    )
    measured = [_fresh_interpreter(code, folder) for _ in range(repeat + 1)][1:]
    seconds = [seconds for seconds, _ in measured]
    return {
        "median_ms": rounded(statistics.median(seconds) * 1000),
        "min_ms": rounded(min(seconds) * 1000),
        "modules": measured[0][1],
    }


def _fresh_interpreter(code: str, folder: Path) -> tuple[float, int]:
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(folder), check=True, capture_output=True, text=True
    )
    seconds, modules = done.stdout.split()
    return float(seconds), int(modules)


def main(arguments: Sequence[str]) -> None:
    options_of = parser(__doc__ or "", repeat=7)
    options_of.add_argument("--chain", type=int, default=1_000, help="tasks of the chain (1000)")
    options = options_of.parse_args(arguments)
    show(measure(options.repeat, options.chain), one_line=options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
