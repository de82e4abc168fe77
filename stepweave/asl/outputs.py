"""What a branch or a machine hands out at its end: records one by one, or summed in tallies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepweave.asl import conditions, names
from stepweave.asl.conditions import Upstream
from stepweave.asl.frames import Element, Frame
from stepweave.asl.scene import Scene
from stepweave.asl.sight import Seen


class Outputs:
    """Outputs of the last states of one frame."""

    def __init__(self, scene: Scene, frame: Frame) -> None:
        self.scene, self.frame, self.reads = scene, frame, scene.reads
        self.exports = tuple(scene.reads.exports.get(frame, ()))

    def at_end(self, ending: Element | None, record: Any = None) -> Any:
        """What the frame hands out where ``ending`` was the last element; ``record`` is a task's own there."""
        records = self._whole_result(ending) or {
            key: self._export(key, ending, record) for key in self.exports
        }
        return {"records": records} if self.frame.is_machine else records

    def _whole_result(self, ending: Element | None) -> str | None:
        """The result of the last element, where the frame hands out just that."""
        if ending is None or not ending.frames or not self.exports:
            return None
        inner = {key for frame in ending.frames for key in self.reads.exports.get(frame, ())}
        mixed = any(key.startswith("#") for key in inner) and ending.kind == "fork"
        if (
            mixed
            or inner != set(self.exports)
            or any(self._gives(e, k) for e in self._others(ending) for k in inner)
        ):
            return None
        return (
            "{% $merge($states.result) %}" if ending.kind == "fork" else "{% $states.result.Output.records %}"
        )

    def _others(self, ending: Element) -> Iterator[Element]:
        return (element for element in self.frame.flat() if element is not ending)

    def _export(self, key: str, ending: Element | None, record: Any) -> Any:
        """The record or tally ``key`` of this frame as its last state can express it."""
        sources = [e for e in self.frame.flat() if self._gives(e, key)]
        self.reads.used.update(e for e in sources if e is not ending)
        if not key.startswith("#"):
            (element,) = sources
            return self._record_at_end(element, key, ending, record)
        # A task that ends its branch has succeeded, so it adds nothing to the tally.
        seen = tuple(self._tally_source(e, key, ending) for e in sources if e is not ending or not e.task)
        if not seen:
            return {"n": 0, "f": 0}
        if len(seen) == 1 and seen[0].is_tally:
            return f"{{% {seen[0].expression} %}}"
        upstream = Upstream(seen, 0)
        return {
            "n": f"{{% {upstream.not_successful()} %}}",
            "f": f"{{% {upstream.failed()} %}}",
            "by": f"{{% {upstream.by()} %}}",
        }

    def _gives(self, element: Element, key: str) -> bool:
        if element.task:
            return self.reads.tally.get(element.task, element.task) == key
        return any(key in self.reads.exports.get(frame, ()) for frame in element.frames)

    def _record_at_end(self, element: Element, key: str, ending: Element | None, record: Any) -> Any:
        if element is ending:
            return record if element.task else _result_member(element, key)
        if element.task:
            return f"{{% ${names.variable(element.task)} %}}"
        return "{% " + names.member(f"${element.variable}", key) + " %}"

    def _tally_source(self, element: Element, key: str, ending: Element | None) -> Seen:
        if element is ending:
            return Seen(_tally_of_result(element, key), True)
        if element.task:
            return Seen(f"${names.variable(element.task)}")
        return Seen(names.member(f"${element.variable}", key), True)


def joined(keys: Mapping[str, None]) -> Any:
    """What a Parallel hands out: the records of all branches as one object, tallies summed."""
    tallies = [key for key in keys if key.startswith("#")]
    if not tallies:
        return "{% $merge($states.result) %}"
    return {key: _joined_member(key) for key in keys}


def _joined_member(key: str) -> Any:
    if not key.startswith("#"):
        return "{% " + names.member("$merge($states.result)", key) + " %}"
    return {
        part: f"{{% {expression} %}}"
        for part, expression in _tally_parts(names.member("$states.result", key))
    }


def _tally_parts(each: str) -> tuple[tuple[str, str], ...]:
    by = conditions.first_named(f"{each}.by")
    return (("n", f"$sum({each}.n)"), ("f", f"$sum({each}.f)"), ("by", by))


def _result_member(element: Element, key: str) -> Any:
    """The record ``key`` out of the result of a Parallel or of a nested machine."""
    if element.kind == "fork":
        return _joined_member(key)
    return "{% " + names.member("$states.result.Output.records", key) + " %}"


def _tally_of_result(element: Element, key: str) -> str:
    if element.kind == "call":
        return names.member("$states.result.Output.records", key)
    parts = _tally_parts(names.member("$states.result", key))
    return "{" + ", ".join(f"'{part}': {expression}" for part, expression in parts) + "}"
