"""How control and records get from an element to a later position: which frames they leave, where a failure lands."""

from __future__ import annotations

from stepweave.asl.frames import Element, Frame, Layout


def path_out(element: Element, position: int) -> tuple[list[Frame], Element]:
    """Frames left on the way from ``element`` to ``position``, and the element by which the position sees it.

    Inline frames are not left: what is assigned in them is seen around them.
    """
    left, seen = [], element
    while not element.frame.low <= position < element.frame.high:
        holder = element.frame.holder
        if holder is None:
            break
        if not element.frame.is_inline:
            left.append(element.frame)
            seen = holder
        element = holder
    return left, seen


def is_inside(seen: Element, position: int) -> bool:
    """Whether ``position`` is in another branch of the very element: a gate must hand the record over."""
    return seen.low <= position < seen.high and seen.kind != "choose"


class TolerantPositions:
    """Answers whether a failure could jump over an element and land before a reader."""

    def __init__(self, layout: Layout) -> None:
        self._next: dict[Element, int] = {}
        stack = [layout.root]
        while stack:
            frame = stack.pop()
            # What jumps out of an inline frame goes on after its condition.
            following = self._next[frame.holder] if frame.is_inline and frame.holder else frame.high
            for element in reversed(frame.elements):
                self._next[element] = following
                if element.tolerant:
                    following = element.low
                stack.extend(element.frames)

    def between(self, element: Element, position: int) -> bool:
        """Whether some path skips ``element`` and reaches ``position``."""
        return self._next[element] <= position

    def landing(self, element: Element) -> int:
        """Position at which the frame goes on when ``element`` did not succeed (its end, if nowhere)."""
        return self._next[element]
