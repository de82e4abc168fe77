"""The whole machine: are all states reached, and is every variable assigned before it is read?

A variable may be read in a state when every path from the start of its machine to that state assigns it, or when the
state that holds the machine could read it itself: inner machines read outer variables, but what they assign ends with
them, and they may not assign a name that a path to the state that holds them may have assigned
(https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html; sfnx measured which paths count).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepweave.validation.facts import EVERY_VARIABLE, MachineFacts, Variables
from stepweave.validation.report import Report, Scope

_ENDS = "End: true, Succeed or Fail"


@dataclass(frozen=True, slots=True)
class _Inside:
    """What holds inside one machine."""

    before: dict[str, int]
    """For each reached state, the variables that are assigned on every path to it."""
    assigned: int
    """Variables that this machine or one around it assigns anywhere."""
    taken: dict[str, int]
    """For each state, the variables that a path to it may assign, those around this machine included."""


def check_flow(machines: Sequence[MachineFacts], variables: Variables, report: Report) -> None:
    """Report unreachable states, shadowed and undefined variables; ``machines`` has outer before inner ones."""
    seen: dict[Scope, _Inside] = {}
    holders = {machine.scope.parent for machine in machines}
    ends = any(state.terminal for machine in machines for state in machine.states.values())
    if machines and machines[0].states and not ends:
        what = "no state ends the execution"
        report.add("no-terminal-state", what, machines[0].scope, expected=_ENDS)
    for machine in machines:
        scope = machine.scope
        readable = outer = taken = 0
        if scope.parent is not None:
            around = seen[scope.parent]
            taken = around.taken.get(scope.state, 0)
            if not scope.isolated:
                readable, outer = around.before.get(scope.state, EVERY_VARIABLE), around.assigned
        order = _reached(machine)
        if order:
            _check_reached(machine, set(order), report, ends=ends)
        inside = seen[scope] = _Inside(
            _assigned_before(machine, order, readable),
            outer | _assigned_in(machine),
            _taken(machine, order, taken) if scope in holders else {},
        )
        for name, state in machine.states.items():
            if state.assigns != EVERY_VARIABLE and state.assigns & taken:
                _report_shadowed(state.assigns & taken, variables, machine, name, report)
            if state.reads_bits & ~inside.before.get(name, EVERY_VARIABLE):
                _report_undefined(machine, name, inside, variables, report)


def _assigned_in(machine: MachineFacts) -> int:
    assigned = 0
    for state in machine.states.values():
        assigned |= state.assigns
    return assigned


def _reached(machine: MachineFacts) -> list[str]:
    """States that the start leads to, each before its successors where there is no loop (reverse postorder)."""
    states = machine.states
    if machine.start not in states:
        return []
    seen = {machine.start}
    postorder: list[str] = []
    stack = [(machine.start, iter(states[machine.start].ways))]
    while stack:
        name, ways = stack[-1]
        for way in ways:
            if way.target in states and way.target not in seen:
                seen.add(way.target)
                stack.append((way.target, iter(states[way.target].ways)))
                break
        else:
            postorder.append(name)
            stack.pop()
    return postorder[::-1]


def _check_reached(machine: MachineFacts, reached: set[str], report: Report, *, ends: bool) -> None:
    """Report states that are never entered; and a machine that cannot end, where ``ends`` says that another can."""
    if len(reached) < len(machine.states):
        _report_unreached(machine, reached, report)
    if ends and not any(machine.states[name].terminal for name in reached):
        what = "no state that is reached ends the machine"
        report.add("endless-machine", what, machine.scope, expected=_ENDS)


def _report_unreached(machine: MachineFacts, reached: set[str], report: Report) -> None:
    """Report states that are never entered; Step Functions does not look where those that lead to a state come from."""
    entered = {way.target for state in machine.states.values() for way in state.ways}
    fix = "lead to it with a Next, or remove it"
    for name in machine.states:
        if name in reached:
            continue
        if name in entered:
            what = "only states that are never entered lead to this state"
            report.add("unreachable-island", what, machine.scope, name, fix=fix)
        else:
            report.add("unreachable-state", "nothing leads to this state", machine.scope, name, fix=fix)


def _assigned_before(machine: MachineFacts, order: list[str], readable: int) -> dict[str, int]:
    """For each reached state, the variables that are assigned on every path to it."""
    states = machine.states
    before = dict.fromkeys(order, EVERY_VARIABLE)
    position = {name: i for i, name in enumerate(order)}
    if order:
        before[order[0]] = readable
    changed = True
    while changed:  # once for a machine without loops, once more for each level of loops inside loops
        changed = False
        for i, name in enumerate(order):
            entry = before[name]
            for way in states[name].ways:
                old = before.get(way.target)
                if old is None:
                    continue
                new = old & (entry | way.assigns)
                if new != old:
                    before[way.target] = new
                    changed = changed or position[way.target] <= i
    return before


def _taken(machine: MachineFacts, order: list[str], taken: int) -> dict[str, int]:
    """For each state, the variables that a path to it may assign, from any state of the machine; and ``taken``."""
    states = machine.states
    found = dict.fromkeys([*order, *states], taken)
    position = {name: i for i, name in enumerate(found)}
    changed = True
    while changed:
        changed = False
        for i, name in enumerate(position):
            entry = found[name]
            for way in states[name].ways:
                old = found.get(way.target)
                if old is None:
                    continue
                new = old | entry | (0 if way.assigns == EVERY_VARIABLE else way.assigns)
                if new != old:
                    found[way.target] = new
                    changed = changed or position[way.target] <= i
    return found


def _report_shadowed(
    bits: int, variables: Variables, machine: MachineFacts, name: str, report: Report
) -> None:
    for variable in variables.named(bits):
        report.add(
            "shadowed-variable",
            f"${variable} is assigned, but an outer machine assigns a variable of that name on the way here",
            machine.scope,
            name,
            fix="give the inner variable another name, and hand its value out in Output",
        )


def _report_undefined(
    machine: MachineFacts, name: str, inside: _Inside, variables: Variables, report: Report
) -> None:
    state = machine.states[name]
    for variable, field in dict.fromkeys(state.reads):
        bit = variables.bit(variable)
        if bit & inside.before[name]:
            continue
        got = None
        fix = "assign it in a state before"
        if not inside.assigned & bit:
            what = f"{field} reads ${variable}, which neither this machine nor one around it assigns"
            fix += "; what an inner machine or another branch assigns is handed out by its Output"
        elif state.assigns & bit and not _assigned_elsewhere(machine, name, bit):
            what = f"{field} reads ${variable}, which this state is the first to assign"
            fix += "; an assigned value can be read from the next state on"
        else:
            what = f"{field} reads ${variable}, which is not assigned on every path to this state"
            got = " → ".join(_path_without(machine, name, bit, inside.before))
        report.add("undefined-variable", what, machine.scope, name, got=got, fix=fix)


def _assigned_elsewhere(machine: MachineFacts, name: str, bit: int) -> bool:
    return any(state.assigns & bit for other, state in machine.states.items() if other != name)


def _path_without(machine: MachineFacts, name: str, bit: int, before: dict[str, int]) -> list[str]:
    """States from the start to ``name`` along ways that do not assign ``bit``, shortened in the middle."""
    previous: dict[str, str] = {}
    queue = [machine.start or ""]
    seen = set(queue)
    for current in queue:
        if current == name:
            break
        for way in machine.states[current].ways:
            if way.target in before and way.target not in seen and not way.assigns & bit:
                seen.add(way.target)
                previous[way.target] = current
                queue.append(way.target)
    path = [name]
    while path[-1] in previous:
        path.append(previous[path[-1]])
    path.reverse()
    return path if len(path) <= 7 else [*path[:3], "…", *path[-3:]]
