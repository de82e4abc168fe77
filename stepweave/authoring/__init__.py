"""What the user wrote, as a ``Graph``.

``tasks`` and ``dags`` make the decorators; a ``Dag`` runs its function once, on ``references`` instead of values, and a
``trace`` collects tasks, edges and mistakes meanwhile. ``expressions`` writes operators on references as JSONata,
``bindings`` says where an argument comes from, ``contracts`` compares types across an edge. ``options``, ``schedule``,
``units`` and ``params`` bring what users write to one normal form. ``groups`` and ``ordering`` are order without data.

No user task runs here, and nothing here knows AWS credentials, a clock or a random number.
"""
