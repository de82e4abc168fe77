"""`map_inputs`: what the children of a distributed map get: items found, selected, put in batches."""

from __future__ import annotations

from typing import Any

from stepweave.engine import payload
from stepweave.engine.frame import Frame
from stepweave.engine.machine import Distributed, ItemBatcher, ItemReader, Map
from stepweave.engine.maps.batching import NO_INPUT, Batch, batches
from stepweave.engine.maps.items import Item, item_reader_failed, items_of
from stepweave.engine.maps.numbers import max_bytes_per_batch, max_items_per_batch
from stepweave.engine.maps.reading import read_items
from stepweave.engine.objects import Objects
from stepweave.engine.templates import Template


async def map_inputs(
    frame: Frame, state: Map, spec: Distributed, items: Any, objects: Objects | None
) -> tuple[tuple[Any, int], ...]:
    """Input of each child, and how many items it holds; ``items`` are the state's own, None when they are read."""
    found = await _read(frame, spec.reader, objects) if spec.reader is not None else items_of(items)
    if state.selector is None:
        selected = [item.input for item in found]
    else:
        selected = [_selected(frame, state.selector, index, item) for index, item in enumerate(found)]
    if spec.batcher is None:
        inputs = tuple((value, 1) for value in selected)
    else:
        inputs = tuple((batch.input, batch.count) for batch in _batches(frame, spec.batcher, selected))
    for value, _ in inputs:
        payload.check(value, state.name)
    return inputs


async def _read(frame: Frame, reader: ItemReader, objects: Objects | None) -> list[Item]:
    arguments = evaluated(frame, reader.arguments)
    config = evaluated(frame, reader.config)
    if objects is None:
        raise item_reader_failed("This engine was given no buckets to read items from.")
    return await read_items(reader.resource, arguments, config, objects)


def _selected(frame: Frame, selector: Template, index: int, item: Item) -> Any:
    inner = Frame(frame.run, frame.block, None, line=frame.line, parent=frame, map_item=item.context(index))
    inner.stand_in(frame)
    inner.last_event = inner.tail = frame.last_event
    return inner.evaluate(selector)


def _batches(frame: Frame, batcher: ItemBatcher, selected: list[Any]) -> list[Batch]:
    batch_input = NO_INPUT if batcher.batch_input is None else frame.evaluate(batcher.batch_input)
    most = max_items_per_batch(evaluated(frame, batcher.max_items))
    size = max_bytes_per_batch(evaluated(frame, batcher.max_bytes))
    return list(batches(selected, most, size, batch_input))


def evaluated(frame: Frame, template: Template | None) -> Any:
    """The value of a field; None when the state has none."""
    return None if template is None else frame.evaluate(template)
