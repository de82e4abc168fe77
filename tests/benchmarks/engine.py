"""What does the engine itself cost, per state and per item, beside other interpreters of state machines?

    python -m tests.benchmarks.engine [--json] [--repeat 3] [--items 10000] [--others 200] [--hours 8760]

- ``ms_per_state``: a chain of Pass states; Maps of Pass states and of Tasks that a stand-in answers; the same Task in
  a distributed Map. History is recorded throughout, with a journal where the name says so.
- ``growth``: time per state of 100,000 states, in a loop, ÷ that of 1,000.
- ``mib_per_10000_items``: how much more memory a process needs for a Map of Tasks of so many items than of one.
- ``year``: seconds for one run an hour of a machine of ten states, for a year, under the virtual clock.
- ``others``: moto, and ministack where its command is on the path, on smaller machines of the same kind (``--others``
  states); ``times_slower`` compares them with this engine on the same machines.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.integrations.base import Call, Integration
from stepweave.engine.journal import Journal
from stepweave.engine.parsing import parse
from tests.benchmarks import other_engines
from tests.benchmarks.machines import PASS, TASK, chain, hourly, looped, mapped
from tests.benchmarks.reporting import parser, rounded, show, spread

CHAIN = 2_000
GROWTH_SIZES = (1_000, 10_000, 100_000)
NO_LIMIT = 10**9
_PEAK = """
import os
from tests.benchmarks.engine import ran
from tests.benchmarks.machines import TASK, mapped
from tests.benchmarks.process_memory import Peaks
ran(mapped({items}, TASK, distributed={distributed}))
peaks = Peaks(os.getpid())
peaks.look()
print(peaks.to_json()["process"])
"""


class Answering(Integration):
    """Answers every task at once."""

    fake = True

    async def run(self, call: Call) -> Any:
        return {"TableNames": []}


def ran(definition: dict[str, Any], journal: Path | None = None) -> float:
    """Seconds that an execution takes; the definition is parsed before."""
    machine = parse(definition, "main")
    kept = Journal(journal) if journal is not None else None
    engine = Engine({"main": machine}, {"*": Answering()}, history_limit=NO_LIMIT, journal=kept)
    gc.collect()
    began = time.perf_counter()
    execution = engine.clock.run(engine.run("main", {}, "run"))
    took = time.perf_counter() - began
    if kept is not None:
        kept.close()
    if execution.status != "SUCCEEDED":
        raise RuntimeError(f"the execution ended {execution.status}: {execution.error}: {execution.cause}")
    return took


def measure(repeat: int, items: int, others: int, hours: int) -> dict[str, Any]:
    """All figures."""
    machines = {
        "chain_of_pass": (chain(CHAIN), CHAIN),
        "map_of_pass": (mapped(items, PASS), items),
        "map_of_task": (mapped(items, TASK), items),
        "distributed_map_of_task": (mapped(items, TASK, distributed=True), items),
    }
    figures = {
        label: spread([ran(definition) * 1000 / count for _ in range(repeat)])
        for label, (definition, count) in machines.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        definition, count = machines["map_of_task"]
        times = [ran(definition, Path(folder) / f"{number}") * 1000 / count for number in range(repeat)]
        figures["map_of_task_with_journal"] = spread(times)
    growth = {str(size): min(ran(looped(size)) for _ in range(repeat)) * 1000 / size for size in GROWTH_SIZES}
    return {
        "benchmark": "engine",
        "ms_per_state": figures,
        "growth": {
            "ms_per_state": {size: rounded(value) for size, value in growth.items()},
            "ratio": rounded(growth[str(GROWTH_SIZES[-1])] / growth[str(GROWTH_SIZES[0])]),
        },
        "mib_per_10000_items": {
            "map_of_task": rounded(_mib_per_10000_items(items, distributed=False)),
            "distributed_map_of_task": rounded(_mib_per_10000_items(items, distributed=True)),
        },
        "year": {"runs": hours, "seconds": rounded(_year(hours))},
        "others": _others(others, repeat),
    }


def _mib_per_10000_items(items: int, *, distributed: bool) -> float:
    return (_peak_mib(items, distributed) - _peak_mib(1, distributed)) * 10_000 / items


def _peak_mib(items: int, distributed: bool) -> float:
    """The most memory of a process that runs a Map of so many Tasks."""
    command = [sys.executable, "-c", _PEAK.format(items=items, distributed=distributed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _year(hours: int) -> float:
    machine = parse(hourly(), "main")
    clock = VirtualClock()
    engine = Engine({"main": machine}, {"*": Answering()}, clock=clock)

    async def schedule() -> None:
        for hour in range(hours):
            engine.start("main", {}, f"hour-{hour}")
            await asyncio.sleep(3600)

    began = time.perf_counter()
    clock.run(schedule())
    took = time.perf_counter() - began
    succeeded = sum(execution.status == "SUCCEEDED" for execution in engine.executions.values())
    if succeeded != hours:
        raise RuntimeError(f"{succeeded} of {hours} runs succeeded")
    return took


def _others(states: int, repeat: int) -> dict[str, Any]:
    """The other interpreters and ours, on the same machines; the least of ``repeat`` measurements of each."""
    machines = {
        "chain_of_pass": (chain(states), states),
        "map_of_pass": (mapped(states, PASS), states),
        "map_of_task": (mapped(states, TASK), states),
    }
    ours = {
        label: min(ran(d) for _ in range(repeat)) * 1000 / count for label, (d, count) in machines.items()
    }
    figures: dict[str, Any] = {}
    for name in other_engines.available():
        theirs = other_engines.measured(name, machines, repeat)
        figures[name] = {
            "ms_per_state": {label: value and rounded(value) for label, value in theirs.items()},
            "times_slower": {
                label: value and rounded(value / ours[label]) for label, value in theirs.items()
            },
        }
    return {"states": states, **figures}


def main(arguments: Sequence[str]) -> None:
    options_of = parser(__doc__ or "", repeat=3)
    options_of.add_argument("--items", type=int, default=10_000, help="items of the Maps (10000)")
    options_of.add_argument("--others", type=int, default=200, help="states for other interpreters (200)")
    options_of.add_argument("--hours", type=int, default=8_760, help="runs of the year (8760)")
    options = options_of.parse_args(arguments)
    figures = measure(options.repeat, options.items, options.others, options.hours)
    show(figures, one_line=options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
