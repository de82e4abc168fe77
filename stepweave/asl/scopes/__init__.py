"""Graphs inside nodes: mapped tasks and groups, loops.

A body is emitted as if it were the root of a machine. What it needs of the outside are then *free variables*: ``$run``,
the records of outer tasks (``$o_<task>``), the scopes of the nodes around it (``$s_<node>``). Whoever puts the body in
place binds them (``binding``): a Map hands them to each item by its ItemSelector, a loop by what it assigns.
"""
