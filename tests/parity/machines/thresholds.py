"""Machines for distributed Map: batches, tolerated failures, and expressions that fail in its fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.parity.cases import BUCKET, RESULTS_BUCKET, Case, Fails, case, passing, task
from tests.parity.machines.distributed import CALLED, ERROR, ITEM, READER, WRITER, distributed
from tests.parity.machines.tasks import CAUGHT, catcher, retrier

BROKEN = {"t 2": Fails("E", "c2"), "t 4": Fails("F", "c4")}


def batches() -> Iterator[Case]:
    """ItemBatcher."""
    for size in (1, 2, 3, 5):
        yield case(
            f"batches of {size}",
            ("m", distributed(ITEM, ItemBatcher={"MaxItemsPerBatch": size})),
            inputs=([1, 2, 3, 4, 5], []),
        )
    yield case(
        "batches of a computed size",
        (
            "m",
            distributed(
                ITEM,
                Items="{% $states.input.xs %}",
                ItemBatcher={"MaxItemsPerBatch": "{% $states.input.n %}"},
            ),
        ),
        inputs=({"xs": [1, 2, 3], "n": 2},),
    )
    yield case(
        "batches with an input",
        (
            "m",
            distributed(
                ITEM,
                Items="{% $states.input.xs %}",
                ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"a": "{% $states.input.a %}", "b": 1}},
            ),
        ),
        inputs=({"xs": [1, 2, 3], "a": "x"},),
    )
    yield case(
        "batches of selected items",
        (
            "m",
            distributed(
                ITEM,
                ItemSelector={
                    "v": "{% $states.context.Map.Item.Value %}",
                    "i": "{% $states.context.Map.Item.Index %}",
                },
                ItemBatcher={"MaxItemsPerBatch": 2},
            ),
        ),
        inputs=(["a", "b", "c"],),
    )
    yield case(
        "batches of items from an object",
        ("m", distributed(ITEM, ItemReader=READER, ItemBatcher={"MaxItemsPerBatch": 2})),
        items=[1, 2, 3],
    )


def failed_batches() -> Iterator[Case]:
    """Batches that fail."""
    yield case(
        "a batch that fails",
        (
            "m",
            distributed(
                ("t", task("{% $states.input.Items %}")), ItemBatcher={"MaxItemsPerBatch": 2}, Catch=[ERROR]
            ),
        ),
        CAUGHT,
        inputs=([1, 2, 3],),
        answers={"t [1, 2]": Fails("E")},
    )
    for count in (1, 2):
        yield case(
            f"a failed batch of two, {count} tolerated",
            (
                "m",
                distributed(
                    ("t", task("{% $states.input.Items %}")),
                    ItemBatcher={"MaxItemsPerBatch": 2},
                    ToleratedFailureCount=count,
                    Catch=[ERROR],
                ),
            ),
            CAUGHT,
            inputs=([1, 2, 3],),
            answers={"t [1, 2]": Fails("E", "c")},
            only_ending=True,
        )


THRESHOLDS: dict[str, dict[str, Any]] = {
    "no threshold": {},
    "a count of 0": {"ToleratedFailureCount": 0},
    "a count of 1": {"ToleratedFailureCount": 1},
    "a count of 2": {"ToleratedFailureCount": 2},
    "a percentage of 0": {"ToleratedFailurePercentage": 0},
    "a percentage of 49": {"ToleratedFailurePercentage": 49},
    "a percentage of 50": {"ToleratedFailurePercentage": 50},
    "a percentage of 100": {"ToleratedFailurePercentage": 100},
    "a count that holds and a percentage that does not": {
        "ToleratedFailureCount": 2,
        "ToleratedFailurePercentage": 10,
    },
    "a percentage that holds and a count that does not": {
        "ToleratedFailureCount": 1,
        "ToleratedFailurePercentage": 90,
    },
    "a count of 0 and a percentage that holds": {
        "ToleratedFailureCount": 0,
        "ToleratedFailurePercentage": 60,
    },
    "a percentage of 0 and a count that holds": {"ToleratedFailureCount": 3, "ToleratedFailurePercentage": 0},
    "a computed count": {"ToleratedFailureCount": "{% $count($states.input) %}"},
    "a computed percentage": {"ToleratedFailurePercentage": "{% 25 * 2 %}"},
}


def tolerance() -> Iterator[Case]:
    """Tolerated failures."""
    for name, fields in THRESHOLDS.items():
        yield case(
            f"two of four children fail, with {name}",
            ("m", distributed(CALLED, Catch=[ERROR], **fields)),
            CAUGHT,
            inputs=([1, 2, 3, 4],),
            answers=BROKEN,
            only_ending=True,
        )


def failed_children() -> Iterator[Case]:
    """Children that fail."""
    yield case(
        "a child that fails fails the map",
        ("m", distributed(CALLED)),
        inputs=([1],),
        answers={"t": Fails("E")},
    )
    yield case(
        "a Fail in a child",
        ("m", distributed(("f", {"Type": "Fail", "Error": "E", "Cause": "c"}), ToleratedFailureCount=9)),
        inputs=([1, 2],),
    )
    yield case(
        "a failed expression in a child",
        ("m", distributed(("i", passing("{% $states.input.no %}")), Catch=[ERROR])),
        CAUGHT,
        inputs=([1],),
    )
    yield case(
        "a child that catches",
        (
            "m",
            distributed(
                ("t", task("{% $states.input %}", Catch=[catcher("E", to="u")], End=True)),
                ("u", passing("caught")),
            ),
        ),
        inputs=([1, 2],),
        answers={"t 2": Fails("E")},
    )
    yield case(
        "a child that tries again",
        ("m", distributed(("t", task("{% $states.input %}", Retry=[retrier("E")])))),
        inputs=([1, 2],),
        answers={"t 2": (Fails("E"), "two")},
    )
    yield case(
        "a distributed map is tried again",
        ("m", distributed(CALLED, Retry=[retrier("States.ExceedToleratedFailureThreshold")])),
        inputs=([1],),
        answers={"t": (Fails("E"), Fails("E"), "fine")},
    )
    for name in ("States.ExceedToleratedFailureThreshold", "States.TaskFailed", "E", "States.BranchFailed"):
        yield case(
            f"a failed distributed map is caught as {name}",
            ("m", distributed(CALLED, Catch=[catcher(name, Output="{% $states.errorOutput.Error %}")])),
            CAUGHT,
            inputs=([1],),
            answers={"t": Fails("E")},
        )


def failed_fields() -> Iterator[Case]:
    """Expressions that fail in the fields that only distributed maps have."""
    for name, text in {"undefined": "$states.input.no", "an error": "$error('stop')"}.items():
        bad = f"{{% {text} %}}"
        fields: dict[str, dict[str, Any]] = {
            "ItemReader.Arguments": {"ItemReader": {**READER, "Arguments": {"Bucket": BUCKET, "Key": bad}}},
            "ItemReader.Arguments, whole,": {"ItemReader": {**READER, "Arguments": bad}},
            "ItemBatcher.MaxItemsPerBatch": {"ItemBatcher": {"MaxItemsPerBatch": bad}},
            "ItemBatcher.BatchInput": {"ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"a": [bad]}}},
            "ResultWriter.Arguments": {
                "ResultWriter": {**WRITER, "Arguments": {"Bucket": RESULTS_BUCKET, "Prefix": bad}}
            },
            "a distributed ItemSelector": {"ItemSelector": {"x": bad}},
        }
        for field, values in fields.items():
            yield case(
                f"{field} is {name}",
                ("m", distributed(ITEM, Catch=[ERROR], **values)),
                CAUGHT,
                inputs=([1, 2],),
                items=[1],
                only_ending=True,
            )
        for field in ("ToleratedFailureCount", "ToleratedFailurePercentage"):
            yield case(
                f"{field} is {name}",
                ("m", distributed(CALLED, Catch=[ERROR], **{field: bad})),
                CAUGHT,
                inputs=([1],),
                answers={"t": Fails("E")},
                only_ending=True,
            )
    for field in ("ToleratedFailureCount", "ToleratedFailurePercentage"):
        for text in ("'x'", "-1", "1.5", "null"):
            yield case(
                f"{field} of {text}",
                ("m", distributed(CALLED, Catch=[ERROR], **{field: f"{{% {text} %}}"})),
                CAUGHT,
                inputs=([1, 2],),
                answers={"t 1": Fails("E", "c")},
                only_ending=True,
            )
    for text in ("'x'", "0", "-1", "1.5", "null"):
        yield case(
            f"batches of {text}",
            ("m", distributed(ITEM, Catch=[ERROR], ItemBatcher={"MaxItemsPerBatch": f"{{% {text} %}}"})),
            CAUGHT,
            inputs=([1, 2],),
        )
    yield case(
        "the items that a reader finds are an object",
        ("m", distributed(ITEM, ItemReader=READER, Catch=[ERROR])),
        CAUGHT,
        items={"a": 1, "b": 2},
    )


CASES = (*batches(), *failed_batches(), *tolerance(), *failed_children(), *failed_fields())
