"""Machines for distributed Map: items from everywhere, contexts, variables, results written elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.engine.building import block
from tests.parity.cases import BUCKET, RESULTS_BUCKET, Case, case, passing, task
from tests.parity.machines.scopes import seen
from tests.parity.machines.tasks import CAUGHT, catcher


def distributed(*states: tuple[str, dict[str, Any]], express: bool = False, **fields: Any) -> dict[str, Any]:
    """A Map state whose iterations are executions of their own."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" if express else "STANDARD"}
    return {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **block(*states)}, **fields}


ITEM = ("i", passing("{% $states.input %}"))
CALLED = ("t", task("{% $states.input %}"))
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON"},
    "Arguments": {"Bucket": BUCKET, "Key": "items.json"},
}
WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": RESULTS_BUCKET, "Prefix": "p"}}
ERROR = catcher("States.ALL", Output="{% $states.errorOutput.Error %}")


def items() -> Iterator[Case]:
    """Where the items come from, and what each child gets."""
    for name, value in {
        "items": [1, 2, 3],
        "one item": [7],
        "no items": [],
        "items of all kinds": [None, "x", {}, [], False],
    }.items():
        yield case(
            f"distributed map over {name}",
            ("m", distributed(ITEM, Items="{% $states.input.xs %}")),
            inputs=({"xs": value},),
        )
        yield case(f"distributed map over its input, {name}", ("m", distributed(ITEM)), inputs=(value,))


def objects() -> Iterator[Case]:
    """Items that are an object, and items that are none."""
    yield case(
        "distributed map over an object",
        ("m", distributed(ITEM, Items="{% $states.input %}")),
        inputs=({"a": 1, "b": [2]},),
    )
    yield case(
        "distributed map over an object in the definition",
        ("m", distributed(ITEM, Items={"a": "{% 1 + 1 %}"})),
    )
    for name, expression in {
        "text": "'abc'",
        "a number": "3",
        "null": "null",
        "undefined": "$states.input.no",
    }.items():
        yield case(
            f"distributed map over {name}",
            ("m", distributed(ITEM, Items=f"{{% {expression} %}}", Catch=[ERROR])),
            CAUGHT,
        )
    selector = {
        "i": "{% $states.context.Map.Item.Index %}",
        "v": "{% $states.context.Map.Item.Value %}",
        "all": "{% $states.input.n %}",
    }
    yield case(
        "distributed map with a selector",
        ("m", distributed(ITEM, Items="{% $states.input.xs %}", ItemSelector=selector)),
        inputs=({"xs": ["a", None], "n": 9},),
    )
    yield case(
        "distributed map with a selector over an object",
        (
            "m",
            distributed(
                ITEM,
                Items="{% $states.input %}",
                ItemSelector={
                    "k": "{% $states.context.Map.Item.Key %}",
                    "v": "{% $states.context.Map.Item.Value %}",
                },
            ),
        ),
        inputs=({"a": 1, "b": 2},),
    )
    yield case(
        "an array has no keys",
        ("m", distributed(ITEM, ItemSelector="{% $exists($states.context.Map.Item.Key) %}")),
        inputs=([1],),
    )


def modes() -> Iterator[Case]:
    """The other fields of a distributed map, and what is around it."""
    yield case(
        "distributed map of express executions", ("m", distributed(ITEM, express=True)), inputs=([1, 2],)
    )
    yield case(
        "distributed map with a label", ("m", distributed(ITEM, Label="mine", Comment="c")), inputs=([1, 2],)
    )
    yield case(
        "distributed map with a concurrency",
        ("m", distributed(CALLED, MaxConcurrency="{% 1 + 1 %}")),
        inputs=([3, 1, 2],),
    )
    yield case(
        "distributed map with output and assign",
        ("m", distributed(ITEM, Output="{% $sum($states.result) %}", Assign={"r": "{% $states.result %}"})),
        ("z", passing("{% [$r, $states.input] %}")),
        inputs=([1, 2],),
    )
    yield case(
        "an inline map in a distributed one",
        (
            "m",
            distributed(
                ("n", {"Type": "Map", "ItemProcessor": block(("j", passing("{% $states.input + 1 %}")))})
            ),
        ),
        inputs=([[1, 2], [3]],),
    )
    yield case(
        "a distributed map in a parallel",
        ("p", {"Type": "Parallel", "Branches": [block(("m", distributed(ITEM)))]}),
        inputs=([1, 2],),
    )


def readers() -> Iterator[Case]:
    """ItemReader."""
    yield case("items from an object", ("m", distributed(ITEM, ItemReader=READER)), items=[1, {"a": 2}, None])
    yield case(
        "items from an object, selected",
        ("m", distributed(ITEM, ItemReader=READER, ItemSelector="{% $states.context.Map.Item.Value * 2 %}")),
        items=[1, 2],
    )
    yield case("no items from an object", ("m", distributed(ITEM, ItemReader=READER)), items=[])
    computed = {**READER, "Arguments": {"Bucket": "{% $states.input.b %}", "Key": "{% 'items' & '.json' %}"}}
    yield case(
        "items from a computed object",
        ("m", distributed(ITEM, ItemReader=computed)),
        inputs=({"b": BUCKET},),
        items=["x"],
    )


def surroundings() -> Iterator[Case]:
    """Variables, contexts and where results are written."""
    yield case(
        "a child does not see variables",
        ("a", passing(Assign={"x": 1})),
        ("m", distributed(seen_state := ("s", seen("x")))),
        inputs=([1],),
    )
    yield case(
        "a child may use the name of an outer variable",
        ("a", passing(Assign={"x": 1})),
        ("m", distributed(("b", passing(Assign={"x": 2})), seen_state)),
        ("z", seen("x")),
        inputs=([1],),
    )
    yield case(
        "a selector sees variables",
        ("a", passing(Assign={"x": 5})),
        ("m", distributed(ITEM, ItemSelector="{% $x %}")),
        inputs=([1],),
    )
    yield case(
        "a batch input sees variables",
        ("a", passing(Assign={"x": 5})),
        ("m", distributed(ITEM, ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"x": "{% $x %}"}})),
        inputs=([1],),
    )


def writers() -> Iterator[Case]:
    """Contexts of children, and ResultWriter."""
    yield case(
        "a child has its own input in the context",
        (
            "m",
            distributed(
                ("i", passing("{% $states.context.Execution.Input %}")),
                ItemSelector={"v": "{% $states.context.Map.Item.Value %}"},
            ),
        ),
        inputs=([1, 2],),
    )
    yield case(
        "a child has no item in the context",
        ("m", distributed(("i", passing("{% $exists($states.context.Map) %}")))),
        inputs=([1],),
    )
    yield case(
        "results are written",
        ("m", distributed(ITEM, ResultWriter=WRITER, Output="{% $keys($states.result) %}")),
        inputs=([1, 2],),
    )
    details = "$states.result.ResultWriterDetails"
    output = f"{{% [{details}.Bucket, $contains({details}.Key, /^p\\/.*manifest.json$/)] %}}"
    yield case(
        "results are written to a bucket",
        ("m", distributed(ITEM, ResultWriter=WRITER, Output=output)),
        inputs=([1, 2],),
    )
    computed = {**WRITER, "Arguments": {"Bucket": "{% $states.input.b %}", "Prefix": "{% 'a' & '/b' %}"}}
    yield case(
        "results are written to a computed bucket",
        (
            "m",
            distributed(
                ITEM,
                Items=[1],
                ResultWriter=computed,
                Output="{% $states.result.ResultWriterDetails.Bucket %}",
            ),
        ),
        inputs=({"b": RESULTS_BUCKET},),
    )


CASES = (*items(), *objects(), *modes(), *readers(), *surroundings(), *writers())
