"""Machines for distributed Map: items from everywhere, batches, tolerated failures, results written elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.engine.building import block
from tests.parity.cases import BUCKET, RESULTS_BUCKET, Case, Fails, case, passing, task
from tests.parity.machines.scopes import seen
from tests.parity.machines.tasks import CAUGHT, catcher, retrier


def distributed(*states: tuple[str, dict[str, Any]], express: bool = False, **fields: Any) -> dict[str, Any]:
    """A Map state whose iterations are executions of their own."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS" if express else "STANDARD"}
    return {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **block(*states)}, **fields}


ITEM = ("i", passing("{% $states.input %}"))
CALLED = ("t", task("{% $states.input %}"))
READER = {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}, "Arguments": {"Bucket": BUCKET, "Key": "items.json"}}
WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": RESULTS_BUCKET, "Prefix": "p"}}
ERROR = catcher("States.ALL", Output="{% $states.errorOutput.Error %}")


def items() -> Iterator[Case]:
    """Where the items come from, and what each child gets."""
    for name, value in {"items": [1, 2, 3], "one item": [7], "no items": [], "items of all kinds": [None, "x", {}, [], False]}.items():
        yield case(f"distributed map over {name}", ("m", distributed(ITEM, Items="{% $states.input.xs %}")), inputs=({"xs": value},))
        yield case(f"distributed map over its input, {name}", ("m", distributed(ITEM)), inputs=(value,))
    yield case("distributed map over an object", ("m", distributed(ITEM, Items="{% $states.input %}")), inputs=({"a": 1, "b": [2]},))
    yield case("distributed map over an object in the definition", ("m", distributed(ITEM, Items={"a": "{% 1 + 1 %}"})))
    for name, expression in {"text": "'abc'", "a number": "3", "null": "null", "undefined": "$states.input.no"}.items():
        yield case(f"distributed map over {name}", ("m", distributed(ITEM, Items=f"{{% {expression} %}}", Catch=[ERROR])), CAUGHT)
    selector = {"i": "{% $states.context.Map.Item.Index %}", "v": "{% $states.context.Map.Item.Value %}", "all": "{% $states.input.n %}"}
    yield case("distributed map with a selector", ("m", distributed(ITEM, Items="{% $states.input.xs %}", ItemSelector=selector)), inputs=({"xs": ["a", None], "n": 9},))
    yield case("distributed map with a selector over an object", ("m", distributed(ITEM, Items="{% $states.input %}", ItemSelector={"k": "{% $states.context.Map.Item.Key %}", "v": "{% $states.context.Map.Item.Value %}"})), inputs=({"a": 1, "b": 2},))
    yield case("an array has no keys", ("m", distributed(ITEM, ItemSelector="{% $exists($states.context.Map.Item.Key) %}")), inputs=([1],))
    yield case("distributed map of express executions", ("m", distributed(ITEM, express=True)), inputs=([1, 2],))
    yield case("distributed map with a label", ("m", distributed(ITEM, Label="mine", Comment="c")), inputs=([1, 2],))
    yield case("distributed map with a concurrency", ("m", distributed(CALLED, MaxConcurrency="{% 1 + 1 %}")), inputs=([3, 1, 2],))
    yield case("distributed map with output and assign", ("m", distributed(ITEM, Output="{% $sum($states.result) %}", Assign={"r": "{% $states.result %}"})), ("z", passing("{% [$r, $states.input] %}")), inputs=([1, 2],))
    yield case("an inline map in a distributed one", ("m", distributed(("n", {"Type": "Map", "ItemProcessor": block(("j", passing("{% $states.input + 1 %}")))}))), inputs=([[1, 2], [3]],))
    yield case("a distributed map in a parallel", ("p", {"Type": "Parallel", "Branches": [block(("m", distributed(ITEM)))]}), inputs=([1, 2],))
    yield case("items from an object", ("m", distributed(ITEM, ItemReader=READER)), items=[1, {"a": 2}, None])
    yield case("items from an object, selected", ("m", distributed(ITEM, ItemReader=READER, ItemSelector="{% $states.context.Map.Item.Value * 2 %}")), items=[1, 2])
    yield case("no items from an object", ("m", distributed(ITEM, ItemReader=READER)), items=[])
    computed = {**READER, "Arguments": {"Bucket": "{% $states.input.b %}", "Key": "{% 'items' & '.json' %}"}}
    yield case("items from a computed object", ("m", distributed(ITEM, ItemReader=computed)), inputs=({"b": BUCKET},), items=["x"])


def batches() -> Iterator[Case]:
    """ItemBatcher."""
    for size in (1, 2, 3, 5):
        yield case(f"batches of {size}", ("m", distributed(ITEM, ItemBatcher={"MaxItemsPerBatch": size})), inputs=([1, 2, 3, 4, 5], []))
    yield case("batches of a computed size", ("m", distributed(ITEM, Items="{% $states.input.xs %}", ItemBatcher={"MaxItemsPerBatch": "{% $states.input.n %}"})), inputs=({"xs": [1, 2, 3], "n": 2},))
    yield case("batches with an input", ("m", distributed(ITEM, Items="{% $states.input.xs %}", ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"a": "{% $states.input.a %}", "b": 1}})), inputs=({"xs": [1, 2, 3], "a": "x"},))
    yield case("batches of selected items", ("m", distributed(ITEM, ItemSelector={"v": "{% $states.context.Map.Item.Value %}", "i": "{% $states.context.Map.Item.Index %}"}, ItemBatcher={"MaxItemsPerBatch": 2})), inputs=(["a", "b", "c"],))
    yield case("batches of items from an object", ("m", distributed(ITEM, ItemReader=READER, ItemBatcher={"MaxItemsPerBatch": 2})), items=[1, 2, 3])
    yield case("a batch that fails", ("m", distributed(("t", task("{% $states.input.Items %}")), ItemBatcher={"MaxItemsPerBatch": 2}, Catch=[ERROR])), CAUGHT, inputs=([1, 2, 3],), answers={"t [1, 2]": Fails("E")})
    for count in (1, 2):
        yield case(f"a failed batch of two, {count} tolerated", ("m", distributed(("t", task("{% $states.input.Items %}")), ItemBatcher={"MaxItemsPerBatch": 2}, ToleratedFailureCount=count, Catch=[ERROR])), CAUGHT, inputs=([1, 2, 3],), answers={"t [1, 2]": Fails("E", "c")}, only_ending=True)


def tolerance() -> Iterator[Case]:
    """Tolerated failures."""
    broken = {"t 2": Fails("E", "c2"), "t 4": Fails("F", "c4")}
    thresholds: dict[str, dict[str, Any]] = {
        "no threshold": {}, "a count of 0": {"ToleratedFailureCount": 0}, "a count of 1": {"ToleratedFailureCount": 1}, "a count of 2": {"ToleratedFailureCount": 2},
        "a percentage of 0": {"ToleratedFailurePercentage": 0}, "a percentage of 49": {"ToleratedFailurePercentage": 49}, "a percentage of 50": {"ToleratedFailurePercentage": 50},
        "a percentage of 100": {"ToleratedFailurePercentage": 100}, "a count that holds and a percentage that does not": {"ToleratedFailureCount": 2, "ToleratedFailurePercentage": 10},
        "a percentage that holds and a count that does not": {"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 90}, "a count of 0 and a percentage that holds": {"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 60},
        "a percentage of 0 and a count that holds": {"ToleratedFailureCount": 3, "ToleratedFailurePercentage": 0}, "a computed count": {"ToleratedFailureCount": "{% $count($states.input) %}"}, "a computed percentage": {"ToleratedFailurePercentage": "{% 25 * 2 %}"},
    }  # fmt: skip
    for name, fields in thresholds.items():
        yield case(f"two of four children fail, with {name}", ("m", distributed(CALLED, Catch=[ERROR], **fields)), CAUGHT, inputs=([1, 2, 3, 4],), answers=broken, only_ending=True)
    yield case("a child that fails fails the map", ("m", distributed(CALLED)), inputs=([1],), answers={"t": Fails("E")})
    yield case("a Fail in a child", ("m", distributed(("f", {"Type": "Fail", "Error": "E", "Cause": "c"}), ToleratedFailureCount=9)), inputs=([1, 2],))
    yield case("a failed expression in a child", ("m", distributed(("i", passing("{% $states.input.no %}")), Catch=[ERROR])), CAUGHT, inputs=([1],))
    yield case("a child that catches", ("m", distributed(("t", task("{% $states.input %}", Catch=[catcher("E", to="u")], End=True)), ("u", passing("caught")))), inputs=([1, 2],), answers={"t 2": Fails("E")})
    yield case("a child that tries again", ("m", distributed(("t", task("{% $states.input %}", Retry=[retrier("E")])))), inputs=([1, 2],), answers={"t 2": (Fails("E"), "two")})
    yield case("a distributed map is tried again", ("m", distributed(CALLED, Retry=[retrier("States.ExceedToleratedFailureThreshold")])), inputs=([1],), answers={"t": (Fails("E"), Fails("E"), "fine")})
    for name in ("States.ExceedToleratedFailureThreshold", "States.TaskFailed", "E", "States.BranchFailed"):
        yield case(f"a failed distributed map is caught as {name}", ("m", distributed(CALLED, Catch=[catcher(name, Output="{% $states.errorOutput.Error %}")])), CAUGHT, inputs=([1],), answers={"t": Fails("E")})


def surroundings() -> Iterator[Case]:
    """Variables, contexts and where results are written."""
    yield case("a child does not see variables", ("a", passing(Assign={"x": 1})), ("m", distributed(seen_state := ("s", seen("x")))), inputs=([1],))
    yield case("a child may use the name of an outer variable", ("a", passing(Assign={"x": 1})), ("m", distributed(("b", passing(Assign={"x": 2})), seen_state)), ("z", seen("x")), inputs=([1],))
    yield case("a selector sees variables", ("a", passing(Assign={"x": 5})), ("m", distributed(ITEM, ItemSelector="{% $x %}")), inputs=([1],))
    yield case("a batch input sees variables", ("a", passing(Assign={"x": 5})), ("m", distributed(ITEM, ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"x": "{% $x %}"}})), inputs=([1],))
    yield case("a child has its own input in the context", ("m", distributed(("i", passing("{% $states.context.Execution.Input %}")), ItemSelector={"v": "{% $states.context.Map.Item.Value %}"})), inputs=([1, 2],))
    yield case("a child has no item in the context", ("m", distributed(("i", passing("{% $exists($states.context.Map) %}")))), inputs=([1],))
    yield case("results are written", ("m", distributed(ITEM, ResultWriter=WRITER, Output="{% $keys($states.result) %}")), inputs=([1, 2],))
    yield case("results are written to a bucket", ("m", distributed(ITEM, ResultWriter=WRITER, Output="{% [$states.result.ResultWriterDetails.Bucket, $contains($states.result.ResultWriterDetails.Key, /^p\\/.*manifest.json$/)] %}")), inputs=([1, 2],))
    computed = {**WRITER, "Arguments": {"Bucket": "{% $states.input.b %}", "Prefix": "{% 'a' & '/b' %}"}}
    yield case("results are written to a computed bucket", ("m", distributed(ITEM, Items=[1], ResultWriter=computed, Output="{% $states.result.ResultWriterDetails.Bucket %}")), inputs=({"b": RESULTS_BUCKET},))


def failed_fields() -> Iterator[Case]:
    """Expressions that fail in the fields that only distributed maps have."""
    for name, text in {"undefined": "$states.input.no", "an error": "$error('stop')"}.items():
        bad = f"{{% {text} %}}"
        fields: dict[str, dict[str, Any]] = {
            "ItemReader.Arguments": {"ItemReader": {**READER, "Arguments": {"Bucket": BUCKET, "Key": bad}}},
            "ItemReader.Arguments, whole,": {"ItemReader": {**READER, "Arguments": bad}},
            "ItemBatcher.MaxItemsPerBatch": {"ItemBatcher": {"MaxItemsPerBatch": bad}},
            "ItemBatcher.BatchInput": {"ItemBatcher": {"MaxItemsPerBatch": 2, "BatchInput": {"a": [bad]}}},
            "ResultWriter.Arguments": {"ResultWriter": {**WRITER, "Arguments": {"Bucket": RESULTS_BUCKET, "Prefix": bad}}},
            "a distributed ItemSelector": {"ItemSelector": {"x": bad}},
        }  # fmt: skip
        for field, values in fields.items():
            yield case(f"{field} is {name}", ("m", distributed(ITEM, Catch=[ERROR], **values)), CAUGHT, inputs=([1, 2],), items=[1], only_ending=True)
        for field in ("ToleratedFailureCount", "ToleratedFailurePercentage"):
            yield case(f"{field} is {name}", ("m", distributed(CALLED, Catch=[ERROR], **{field: bad})), CAUGHT, inputs=([1],), answers={"t": Fails("E")}, only_ending=True)
    for field in ("ToleratedFailureCount", "ToleratedFailurePercentage"):
        for text in ("'x'", "-1", "1.5", "null"):
            yield case(f"{field} of {text}", ("m", distributed(CALLED, Catch=[ERROR], **{field: f"{{% {text} %}}"})), CAUGHT, inputs=([1, 2],), answers={"t 1": Fails("E", "c")}, only_ending=True)
    for text in ("'x'", "0", "-1", "1.5", "null"):
        yield case(f"batches of {text}", ("m", distributed(ITEM, Catch=[ERROR], ItemBatcher={"MaxItemsPerBatch": f"{{% {text} %}}"})), CAUGHT, inputs=([1, 2],))
    yield case("the items that a reader finds are an object", ("m", distributed(ITEM, ItemReader=READER, Catch=[ERROR])), CAUGHT, items={"a": 1, "b": 2})


CASES = (*failed_fields(), *items(), *batches(), *tolerance(), *surroundings())
