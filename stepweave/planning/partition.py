"""Cutting a plan into nested machines, where one machine would pass a limit of Step Functions.

    cost of a step  =  bytes of its states, worst-case history events, depth of nesting

Bottom-up, a sequence or a set of branches that is too costly gives parts of itself away: first the heaviest
steps that are worth a machine of their own, then runs of small neighbours packed to the brim. Each nested
machine costs two transitions (the call and the machine's start), so fewer and fuller ones are the cheapest
cut. A cut never changes what waits for what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stepweave.planning import model
from stepweave.planning.model import Await, Choose, Nested, Parallel, Plan, Run, Signal

MAX_DEFINITION_BYTES = 1_048_576
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
MAX_HISTORY_EVENTS = 25_000
"""Events of one execution (same page)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part of a plan takes of its machine."""

    bytes: int = 0
    events: int = 0
    depth: int = 0
    """Levels of Parallel states."""
    told: int = 0
    """Bytes that it takes to tell other branches of all signals inside; written once more per Parallel around them."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.bytes + other.bytes,
            self.events + other.events,
            max(self.depth, other.depth),
            self.told + other.told,
        )

    def fits(self, limits: Cost) -> bool:
        return self.bytes <= limits.bytes and self.events <= limits.events and self.depth <= limits.depth

    def share(self, limits: Cost) -> float:
        """Largest part of a limit that this takes; depth aside, which adds up only inwards."""
        return max(self.bytes / limits.bytes, self.events / limits.events)


LIMITS = Cost(bytes=900_000, events=24_000, depth=40)
"""What one machine may take: the quotas, less a reserve for its frame and for estimates that fall short."""

CALL = Cost(bytes=1_300, events=6 + 4 * 6, depth=0)
"""The state that calls a nested machine."""
FORK = Cost(bytes=500, events=4, depth=1)
BRANCH = Cost(bytes=260, events=2)


@dataclass(slots=True)
class _Unit:
    """Steps that stay together: a gate, the step behind it, the signals after it."""

    steps: list[Plan]
    cost: Cost


def cut(plan: Plan, cost_of: Callable[[Plan], Cost], limits: Cost = LIMITS) -> Plan:
    """``plan`` with parts made nested machines until every machine holds ``limits``; itself if it holds them already.

    ``cost_of`` gives the cost of a Run, Await or Signal. Names of the nested machines count from ``part_1``
    in the order in which they appear.
    """
    return _named(_Cutter(cost_of, limits).cut(plan))


class _Cutter:
    def __init__(self, cost_of: Callable[[Plan], Cost], limits: Cost) -> None:
        self.cost_of, self.limits = cost_of, limits

    def cut(self, plan: Plan) -> Plan:
        done: list[tuple[Plan, Cost]] = []
        stack: list[tuple[Plan, bool]] = [(plan, False)]
        while stack:
            node, inner_done = stack.pop()
            match node:
                case model.Sequence(steps=inner) | Parallel(branches=inner) if not inner_done:
                    stack.append((node, True))
                    stack.extend((part, False) for part in reversed(inner))
                case model.Sequence(steps=inner):
                    parts = self._take(done, len(inner))
                    done.append(self._sequence(parts))
                case Parallel(branches=inner):
                    parts = self._take(done, len(inner))
                    done.append(self._parallel(parts))
                case Choose(cases=cases) if not inner_done:
                    stack.append((node, True))
                    stack.extend((part, False) for _, part in reversed(cases))
                case Choose(condition=condition, cases=cases):
                    parts = self._take(done, len(cases))
                    done.append(self._choose(condition, [case for case, _ in cases], parts))
                case _:
                    done.append((node, self.cost_of(node)))
        ((result, _),) = done
        return result

    def _choose(self, condition: str, names: list[str], parts: list[tuple[Plan, Cost]]) -> tuple[Plan, Cost]:
        """A condition whose heaviest cases are machines of their own, as far as all together would be too much."""
        own = self.cost_of(Run(condition))
        units = [_Unit([plan], cost) for plan, cost in parts]
        while not (_total(units) + own).fits(self.limits):
            heaviest = max(range(len(units)), key=lambda i: units[i].cost.share(self.limits))
            lighter = self._nested(units[heaviest])
            if lighter is units[heaviest]:
                break
            units[heaviest] = lighter
        cases = tuple((name, unit.steps[0]) for name, unit in zip(names, units, strict=True))
        return Choose(condition, cases), _total(units) + own

    @staticmethod
    def _take(done: list[tuple[Plan, Cost]], count: int) -> list[tuple[Plan, Cost]]:
        parts = done[-count:]
        del done[-count:]
        return parts

    def _sequence(self, parts: list[tuple[Plan, Cost]]) -> tuple[Plan, Cost]:
        units = _units(parts)
        while not _total(units).fits(self.limits) and len(units) > 1:
            packed = self._lighten(units, in_parallel=False)
            if len(packed) == len(units) and _total(packed).share(self.limits) >= _total(units).share(
                self.limits
            ):
                break
            units = packed
        steps = [step for unit in units for step in unit.steps]
        return (steps[0] if len(steps) == 1 else model.Sequence(tuple(steps))), _total(units)

    def _parallel(self, parts: list[tuple[Plan, Cost]]) -> tuple[Plan, Cost]:
        units = [_Unit([plan], cost + BRANCH) for plan, cost in parts]
        limits = Cost(self.limits.bytes, self.limits.events, self.limits.depth - 1)
        units = [self._nested(unit) if unit.cost.depth > limits.depth else unit for unit in units]
        while not _total(units).fits(limits) and len(units) > 1:
            packed = self._lighten(units, in_parallel=True)
            if len(packed) == len(units) and _total(packed).share(limits) >= _total(units).share(limits):
                break
            units = packed
        branches = [unit.steps[0] for unit in units]
        if len(branches) == 1:
            return branches[0], units[0].cost
        total = _total(units)
        return Parallel(tuple(branches)), Cost(
            total.bytes + FORK.bytes + total.told, total.events + FORK.events, total.depth + 1, total.told
        )

    def _lighten(self, units: list[_Unit], *, in_parallel: bool) -> list[_Unit]:
        """``units`` with just enough of them in nested machines: the heaviest first, then full packs of small ones."""
        excess = _total(units).share(self.limits) - 1
        result = list(units)
        by_weight = sorted(range(len(units)), key=lambda i: (-units[i].cost.share(self.limits), i))
        for index in by_weight:
            saved = units[index].cost.share(self.limits) - CALL.share(self.limits)
            if excess <= 0 or saved < 0.5:
                break
            result[index] = self._nested(units[index])
            excess -= saved
        if excess <= 0:
            return result
        return self._pack(result, excess, in_parallel=in_parallel)

    def _pack(self, units: list[_Unit], excess: float, *, in_parallel: bool) -> list[_Unit]:
        """Runs of neighbours packed into machines as full as the limits allow, until ``excess`` is gone."""
        result: list[_Unit] = []
        pack: list[_Unit] = []
        filled = Cost()
        room = Cost(
            self.limits.bytes - FORK.bytes,
            self.limits.events - FORK.events,
            self.limits.depth - int(in_parallel),
        )
        for index, unit in enumerate(units):
            if excess <= 0 and not pack:
                result.extend(units[index:])
                break
            if pack and not (filled + unit.cost).fits(room):
                excess -= self._close(pack, result, in_parallel=in_parallel)
                pack, filled = [], Cost()
                if excess <= 0:
                    result.extend(units[index:])
                    break
            pack.append(unit)
            filled += unit.cost
        else:
            self._close(pack, result, in_parallel=in_parallel)
        return result

    def _close(self, pack: list[_Unit], result: list[_Unit], *, in_parallel: bool) -> float:
        """Adds ``pack`` to ``result`` as one nested machine; the share of the limits that this saves."""
        if not pack:
            return 0.0
        if len(pack) == 1 and pack[0].cost.share(self.limits) <= 2 * CALL.share(self.limits):
            result.extend(pack)
            return 0.0
        steps = [step for unit in pack for step in unit.steps]
        if len(steps) == 1:
            body = steps[0]
        else:
            body = Parallel(tuple(steps)) if in_parallel else model.Sequence(tuple(steps))
        result.append(_Unit([Nested("", body)], _call_of(_total(pack))))
        return _total(pack).share(self.limits) - CALL.share(self.limits)

    @staticmethod
    def _nested(unit: _Unit) -> _Unit:
        if len(unit.steps) == 1 and isinstance(unit.steps[0], Nested):
            return unit
        body = unit.steps[0] if len(unit.steps) == 1 else model.Sequence(tuple(unit.steps))
        return _Unit([Nested("", body)], _call_of(unit.cost))


def _call_of(inside: Cost) -> Cost:
    """Cost of the state that calls a nested machine which holds ``inside``."""
    return Cost(CALL.bytes + inside.told, CALL.events, CALL.depth, inside.told)


def _total(units: Sequence[_Unit]) -> Cost:
    return Cost(
        sum(unit.cost.bytes for unit in units),
        sum(unit.cost.events for unit in units),
        max((unit.cost.depth for unit in units), default=0),
        sum(unit.cost.told for unit in units),
    )


def _units(parts: list[tuple[Plan, Cost]]) -> list[_Unit]:
    """``parts`` grouped so that a gate stays with what it guards and a signal with what it reports."""
    units: list[_Unit] = []
    open_gate = False
    for plan, cost in parts:
        if units and (open_gate or isinstance(plan, Signal)):
            units[-1].steps.append(plan)
            units[-1].cost = units[-1].cost + cost
        else:
            units.append(_Unit([plan], cost))
        open_gate = isinstance(plan, Await)
    return units


def _named(plan: Plan) -> Plan:
    """``plan`` with its nested machines named in the order in which they appear."""
    order = [node for node in model.walk(plan) if isinstance(node, Nested)]
    if not order:
        return plan
    number = {id(node): index for index, node in enumerate(order, 1)}
    done: list[Plan] = []
    stack: list[tuple[Plan, bool]] = [(plan, False)]
    while stack:
        node, inner_done = stack.pop()
        match node:
            case Run() | Await() | Signal():
                done.append(node)
            case Nested(body=body):
                if inner_done:
                    done.append(Nested(f"part_{number[id(node)]}", done.pop()))
                else:
                    stack.extend([(node, True), (body, False)])
            case Choose(condition=condition, cases=cases):
                if inner_done:
                    bodies = done[-len(cases) :]
                    del done[-len(cases) :]
                    named = zip(cases, bodies, strict=True)
                    done.append(Choose(condition, tuple((case, body) for (case, _), body in named)))
                else:
                    stack.append((node, True))
                    stack.extend((part, False) for _, part in reversed(cases))
            case model.Sequence(steps=inner) | Parallel(branches=inner):
                if inner_done:
                    parts = tuple(done[-len(inner) :])
                    del done[-len(inner) :]
                    done.append(
                        model.Sequence(parts) if isinstance(node, model.Sequence) else Parallel(parts)
                    )
                else:
                    stack.append((node, True))
                    stack.extend((part, False) for part in reversed(inner))
    return done[0]
