"""`RecordsTable`: one table for records of runs, slots, queued runs, gates and approval links.

| item | `pk` | `sk` |
|---|---|---|
| a run | ``DAG#<dag>`` | ``RUN#<run>`` |
| the runs that hold a slot | ``DAG#<dag>`` | ``SLOTS`` |
| a queued run | ``DAG#<dag>`` | ``QUEUE#<time>#<run>`` |
| a gate | ``GATE#<execution>#<gate>`` | ``GATE`` |
| an approval link that was used | ``LINK#<nonce>`` | ``LINK`` |

One table, since a run, its slot and its place in the queue change together in one transaction. The index ``by_day`` has
the runs of all DAGs by day and start. Items end by themselves at ``expires``.
"""

from __future__ import annotations

from aws_cdk import aws_dynamodb
from constructs import Construct

from infra.removal import removal_policy
from infra.settings import Settings

BY_DAY = "by_day"
"""Index of runs by ``day`` and ``started``."""


class RecordsTable(Construct):
    """The table: paid by request, restorable to any second of 35 days, protected where the environment retains.

    Its key is DynamoDB's own, which costs nothing.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings, name: str) -> None:
        super().__init__(scope, id)
        text = aws_dynamodb.AttributeType.STRING
        self.table = aws_dynamodb.Table(
            self,
            "Table",
            table_name=name,
            partition_key=aws_dynamodb.Attribute(name="pk", type=text),
            sort_key=aws_dynamodb.Attribute(name="sk", type=text),
            billing_mode=aws_dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires",
            point_in_time_recovery_specification=aws_dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=settings.removal_policy == "retain",
            removal_policy=removal_policy(settings),
        )
        self.table.add_global_secondary_index(
            index_name=BY_DAY,
            partition_key=aws_dynamodb.Attribute(name="day", type=text),
            sort_key=aws_dynamodb.Attribute(name="started", type=text),
        )
