"""What the user wrote, as a ``Graph``.

``tasks``, ``groups`` and ``dags`` make the decorators; ``tracing`` runs a DAG function once, on ``references``
instead of values, and a ``trace`` collects ``nodes``, edges and mistakes meanwhile. ``calls`` makes a node of a
call, ``mapping`` of one per item; ``conditions``, ``loops`` and ``approvals`` are blocks and nodes of their own,
``composition`` puts DAGs into DAGs. ``scoping`` says what may be used across the border of a body. When the
function has ended, ``finishing`` makes the graph: ``decisions`` of branches, ``laziness``, ``fallbacks``.

``expressions`` writes operators on references as JSONata, ``bindings`` says where an argument comes from, ``contracts``
compares types across an edge. ``options``, ``schedule``, ``units`` and ``params`` bring what users write to one normal
form. ``ordering`` is order without data.

No user task runs here, and nothing here knows AWS credentials, a clock or a random number.
"""
