"""`to_layout`: where each task of a graph is drawn, by layers from left to right (Sugiyama's method).

1. Layers by longest path, so that every edge points to the right.
2. An edge over several layers passes through *bends*, one per layer, so that it runs between the boxes.
3. Order within a layer by barycenters, swept back and forth a fixed number of times.
4. Heights by least squares: each box as near to its neighbours' mean as its place in the order allows (pool
   adjacent violators).

Deterministic, and linear in boxes plus bends per sweep; a graph whose edges would need more than ``MAX_BENDS``
bends is drawn with direct curves instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

CHARACTER_WIDTH = 7.4
"""Mean width of a character of the label, in pixels, at the font size of the drawing."""
BOX_PADDING = 34
BOX_HEIGHT = 40
MAX_BOX_WIDTH = 300
LAYER_GAP = 48
ROW_GAP = 18
BEND_HEIGHT = 6
MARGIN = 24
SWEEPS = 6
MAX_BENDS = 20_000

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A task's rectangle; ``x`` and ``y`` are its upper left corner, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A placed graph, in pixels from the upper left corner."""

    width: float
    height: float
    boxes: dict[str, Box]
    """By task id."""
    edges: dict[tuple[str, str], tuple[Point, ...]]
    """Points that an edge passes, from the right side of its source to the left side of its target."""


@dataclass(slots=True)
class _Cell:
    """A box or a bend while it is being placed."""

    name: str
    layer: int
    left: list[_Cell]
    right: list[_Cell]
    width: float
    height: float
    y: float = 0.0
    rank: int = 0


def to_layout(
    upstream: Mapping[str, Sequence[str]], sizes: Mapping[str, tuple[float, float]] | None = None
) -> Layout:
    """The layout of the graph in which each key comes after its values.

    Keys must be in topological order, and every value must be a key. ``sizes`` are widths and heights of boxes that are
    not as their name asks for.
    """
    layers_of = _longest_path_layers(upstream)
    given = sizes or {}
    cells = {
        name: _Cell(name, layer, [], [], *given.get(name, (box_width(name), BOX_HEIGHT)))
        for name, layer in layers_of.items()
    }
    chains = _link(cells, upstream)
    layers = _in_layers([*cells.values(), *(bend for chain in chains.values() for bend in chain)])
    _order(layers)
    _set_heights(layers)
    return _measure(cells, chains, layers, upstream)


def box_width(name: str) -> float:
    """Width of a box with a name in it."""
    return min(MAX_BOX_WIDTH, round(len(name) * CHARACTER_WIDTH + BOX_PADDING, 1))


def _longest_path_layers(upstream: Mapping[str, Sequence[str]]) -> dict[str, int]:
    layers: dict[str, int] = {}
    for name, parents in upstream.items():
        layers[name] = max((layers[parent] + 1 for parent in parents), default=0)
    return layers


def _link(
    cells: Mapping[str, _Cell], upstream: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], list[_Cell]]:
    """The bends of each edge; neighbouring cells are linked on the way."""
    spans = sum(
        cells[name].layer - cells[parent].layer - 1
        for name, parents in upstream.items()
        for parent in parents
    )
    chains: dict[tuple[str, str], list[_Cell]] = {}
    for name, parents in upstream.items():
        for parent in parents:
            bends = [] if spans > MAX_BENDS else _bends(cells[parent].layer, cells[name].layer)
            path = [cells[parent], *bends, cells[name]]
            for left, right in pairwise(path):
                left.right.append(right)
                right.left.append(left)
            chains[parent, name] = bends
    return chains


def _bends(first: int, last: int) -> list[_Cell]:
    return [_Cell("", layer, [], [], 0.0, BEND_HEIGHT) for layer in range(first + 1, last)]


def _in_layers(cells: Sequence[_Cell]) -> list[list[_Cell]]:
    layers: list[list[_Cell]] = [[] for _ in range(1 + max((cell.layer for cell in cells), default=-1))]
    for cell in cells:
        layers[cell.layer].append(cell)
    _number(layers)
    return layers


def _number(layers: Sequence[Sequence[_Cell]]) -> None:
    for layer in layers:
        for rank, cell in enumerate(layer):
            cell.rank = rank


def _order(layers: list[list[_Cell]]) -> None:
    """Sort each layer by the mean rank of its neighbours, alternately those on the left and those on the right."""
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for layer in layers[1:] if forward else reversed(layers[:-1]):
            keys = {id(cell): _barycenter(cell, cell.left if forward else cell.right) for cell in layer}
            layer.sort(key=lambda cell: (keys[id(cell)], cell.rank))
            for rank, cell in enumerate(layer):
                cell.rank = rank


def _barycenter(cell: _Cell, neighbours: Sequence[_Cell]) -> float:
    return sum(other.rank for other in neighbours) / len(neighbours) if neighbours else float(cell.rank)


def _set_heights(layers: list[list[_Cell]]) -> None:
    for layer in layers:
        _settle(layer, [0.0] * len(layer))
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _settle(layer, [_mean_height(cell) for cell in layer])


def _mean_height(cell: _Cell) -> float:
    # Once over both sides: boxes of a chain line up, and a fan is centred on its source.
    neighbours = [*cell.left, *cell.right]
    return sum(other.y for other in neighbours) / len(neighbours) if neighbours else cell.y


def _settle(layer: Sequence[_Cell], wanted: Sequence[float]) -> None:
    """Give each cell the centre nearest to the wanted one (least squares) that keeps order and gaps."""
    offset = 0.0
    offsets: list[float] = []
    blocks: list[tuple[float, int]] = []  # (mean of wanted - offset, number of cells)
    for index, (cell, target) in enumerate(zip(layer, wanted, strict=True)):
        if index:
            offset += (layer[index - 1].height + cell.height) / 2 + ROW_GAP
        offsets.append(offset)
        mean, count = target - offset, 1
        while blocks and blocks[-1][0] > mean:
            previous, size = blocks.pop()
            mean, count = (previous * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    position = 0
    for mean, count in blocks:
        for index in range(position, position + count):
            layer[index].y = mean + offsets[index]
        position += count


def _measure(
    cells: Mapping[str, _Cell],
    chains: Mapping[tuple[str, str], list[_Cell]],
    layers: Sequence[Sequence[_Cell]],
    upstream: Mapping[str, Sequence[str]],
) -> Layout:
    top = min((cell.y - cell.height / 2 for layer in layers for cell in layer), default=0.0) - MARGIN
    bottom = max((cell.y + cell.height / 2 for layer in layers for cell in layer), default=0.0) + MARGIN
    starts, x = [], float(MARGIN)
    widths = [max((cell.width for cell in layer), default=0.0) for layer in layers]
    for width in widths:
        starts.append(x)
        x += width + LAYER_GAP
    boxes = {
        name: Box(
            x=round(starts[cell.layer], 1),
            y=round(cell.y - cell.height / 2 - top, 1),
            width=cell.width,
            height=cell.height,
        )
        for name, cell in cells.items()
    }
    edges = {
        (parent, name): _points(boxes[parent], boxes[name], chains[parent, name], starts, widths, top)
        for name, parents in upstream.items()
        for parent in parents
    }
    right = x - LAYER_GAP + MARGIN if widths else 2.0 * MARGIN
    return Layout(width=round(right, 1), height=round(bottom - top, 1), boxes=boxes, edges=edges)


def _points(
    source: Box,
    target: Box,
    bends: Sequence[_Cell],
    starts: Sequence[float],
    widths: Sequence[float],
    top: float,
) -> tuple[Point, ...]:
    points = [(round(source.x + source.width, 1), round(source.y + source.height / 2, 1))]
    for bend in bends:
        y = round(bend.y - top, 1)
        # Level over the whole width of the layer, so that the edge does not cut the corner of a box.
        points.append((round(starts[bend.layer], 1), y))
        points.append((round(starts[bend.layer] + widths[bend.layer], 1), y))
    points.append((round(target.x, 1), round(target.y + target.height / 2, 1)))
    return tuple(points)
