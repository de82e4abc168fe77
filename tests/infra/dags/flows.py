"""DAGs that tests of infrastructure compile: those of the repository, and one with everything that costs a machine."""

from __future__ import annotations

import functools
from pathlib import Path

from infra.arns import Arns
from stepweave.compiler import Compiled, compile_graph
from stepweave.loading import all_dags, dags_in, import_file

ROOT = Path(__file__).resolve().parents[3]
ARNS = Arns(env="dev", region="eu-west-1", account="123456789012")

HEAVY = '''
from stepweave import dag, task
from stepweave.permissions import Permission
from stepweave.recipes.waiting import wait_for_dag

@task
def light(n: int) -> int:
    return n

@task(memory="2GiB", timeout="5m")
def larger(n: int) -> int:
    return n

@task(gpu=1, memory="16GiB", timeout="2h")
def train(n: int) -> int:
    return n

@task(gpu=1, memory="16GiB", timeout="2h")
def train_too(n: int) -> int:
    return n

@task(cpu=8, memory="30GiB", spot=True)
def crunch(n: int) -> int:
    return n

@dag(
    schedule="0 * * * *",
    permissions=[Permission("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:jobs")],
    max_active_runs=2,
    owner="science",
)
def heavy(n: int = 3, name: str = "x"):
    """Needs machines."""
    ready = wait_for_dag("upstream_dag")
    one = light(n)
    ready >> one
    train(one)
    train_too(one)
    crunch(larger(one))
'''

ASIDE = '''
from stepweave import Fargate, dag, task

@task(compute=Fargate, cpu=3, memory="6GiB", ephemeral="40GiB", timeout="2h")
def convert() -> int:
    return 1

@task(compute=Fargate, cpu=0.25, memory="512MiB", requirements=["numpy"])
def watch(n: int) -> int:
    return n

@dag
def aside():
    """Needs no instance."""
    watch(convert())
'''

LONG = '''
from stepweave import dag, task

@task.sensor(poke_interval="10s", timeout="7d")
def arrived() -> bool:
    return True

@task
def use(found: bool) -> int:
    return 1

@dag
def long_wait():
    """Waits for so long that it pokes in a machine of its own."""
    use(arrived())
'''


@functools.cache
def compiled_repository() -> tuple[Compiled, ...]:
    """Every DAG of the repository."""
    return tuple(compile_graph(dag.graph()) for dag in all_dags(str(ROOT / "statemachines")))


def compiled(dag_id: str) -> Compiled:
    """One DAG of the repository."""
    return next(one for one in compiled_repository() if one.graph.dag.id == dag_id)


def written(folder: Path, source: str, name: str) -> Compiled:
    """The DAG of a module with ``source``, its definitions committed beside it."""
    file = folder / f"{name}.py"
    file.write_text(source)
    (dag,) = dags_in(import_file(str(file))).values()
    found = compile_graph(dag.graph())
    (folder / "asl").mkdir(exist_ok=True)
    for path, content in found.files.items():
        (folder / "asl" / path).write_bytes(content)
    return found
