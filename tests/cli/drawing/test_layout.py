"""Where boxes and lines are placed."""

from hypothesis import given
from hypothesis import strategies as st

from stepweave.cli.drawing import layout
from stepweave.cli.drawing.layout import to_layout


@st.composite
def upstreams(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    size = draw(st.integers(0, 25))
    return {
        f"t{index}": tuple(
            f"t{parent}" for parent in sorted(draw(st.sets(st.integers(0, index - 1), max_size=4)))
        )
        if index
        else ()
        for index in range(size)
    }


@given(upstreams())
def test_every_edge_points_to_the_right_and_ends_at_its_boxes(upstream: dict[str, tuple[str, ...]]) -> None:
    placed = to_layout(upstream)
    assert set(placed.edges) == {(parent, task) for task, parents in upstream.items() for parent in parents}
    for (source, target), points in placed.edges.items():
        xs = [x for x, _ in points]
        assert xs == sorted(xs)
        first, last = placed.boxes[source], placed.boxes[target]
        assert abs(points[0][0] - (first.x + first.width)) < 0.2
        assert abs(points[-1][0] - last.x) < 0.2
        assert last.y < points[-1][1] < last.y + last.height


@given(upstreams())
def test_boxes_lie_inside_the_picture_and_never_overlap(upstream: dict[str, tuple[str, ...]]) -> None:
    placed = to_layout(upstream)
    boxes = list(placed.boxes.values())
    for index, box in enumerate(boxes):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= placed.width
        assert box.y + box.height <= placed.height
        for other in boxes[index + 1 :]:
            apart_x = box.x + box.width <= other.x or other.x + other.width <= box.x
            apart_y = box.y + box.height <= other.y or other.y + other.height <= box.y
            assert apart_x or apart_y


@given(upstreams())
def test_no_edge_runs_through_a_box(upstream: dict[str, tuple[str, ...]]) -> None:
    placed = to_layout(upstream)
    for points in placed.edges.values():
        level = list(zip(points[1:-1:2], points[2:-1:2], strict=True))  # the parts inside a layer
        for (start, y), (end, _) in level:
            for box in placed.boxes.values():
                beside = end <= box.x or start >= box.x + box.width
                assert beside or y <= box.y or y >= box.y + box.height


def test_a_chain_is_a_straight_line() -> None:
    placed = to_layout({"a": (), "b": ("a",), "c": ("b",)})
    assert len({box.y for box in placed.boxes.values()}) == 1


def test_a_fan_is_centred_on_its_source_and_its_end() -> None:
    fan = {"start": (), "w1": ("start",), "w2": ("start",), "w3": ("start",), "end": ("w1", "w2", "w3")}
    boxes = to_layout(fan).boxes
    assert abs(boxes["start"].y - boxes["w2"].y) < 1
    assert abs(boxes["end"].y - boxes["w2"].y) < 1


def test_crossing_edges_are_untangled() -> None:
    crossed = {"a": (), "b": (), "below": ("b",), "above": ("a",)}
    boxes = to_layout(crossed).boxes
    assert (boxes["a"].y < boxes["b"].y) == (boxes["above"].y < boxes["below"].y)


def test_a_graph_with_too_many_long_edges_is_drawn_with_direct_ones() -> None:
    size = 300
    upstream = {f"t{i}": tuple(f"t{j}" for j in range(i)) for i in range(size)}
    placed = to_layout(upstream)
    assert sum(len(points) for points in placed.edges.values()) == 2 * len(placed.edges)
    assert size**3 / 6 > layout.MAX_BENDS
