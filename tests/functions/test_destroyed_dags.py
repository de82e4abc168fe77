from types import SimpleNamespace

from functions.recorder.reconciling import Reconciler
from functions.recorder.recording import Clients, Recorder
from stepweave.deployed.environment import DeployedDag
from stepweave.stores.objects import open_store
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import RunTable
from tests.functions.environment_fakes import (
    ALIAS,
    STARTER,
    TABLE,
    Bus,
    Functions,
    StepFunctions,
    Topic,
    refused,
)

GONE = DeployedDag(dag="gone", machine=ALIAS.replace("sales", "gone"), starter=STARTER)
SALES = DeployedDag(dag="sales", machine=ALIAS, starter=STARTER)


class Destroyed(StepFunctions):
    """The state machine of one DAG was deleted."""

    def list_executions(self, **asked):
        if "gone" in asked["stateMachineArn"]:
            raise refused("StateMachineDoesNotExist")
        return super().list_executions(**asked)


def test_a_dag_that_was_destroyed_just_now_keeps_no_other_from_being_reconciled(dynamodb, tmp_path):
    states = Destroyed()
    clients = Clients(
        table=RunTable(dynamodb, TABLE),
        queue=RunQueue(dynamodb, TABLE),
        store=open_store(tmp_path),
        states=states,
        sns=Topic(),
        functions=Functions(),
        events=Bus(),
    )
    recorder = Recorder("dev", clients, warn_topic=None, bus=None, runbook="", write_line=print)
    states.start_execution(stateMachineArn=ALIAS, name="r1", input="{}")
    dags = SimpleNamespace(all=lambda: [GONE, SALES], deployed_at=lambda dag: None)
    later = states.clock.timestamp() + 3600
    counts = Reconciler(recorder, clients, dags, has_time=lambda: True, now=lambda: later).reconcile()
    assert (counts["dags"], counts["records"]) == (2, 1)
    assert clients.table.get("sales", "r1").status == "running"
