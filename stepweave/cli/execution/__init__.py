"""``stepweave execute``: from what a person typed to an ended execution.

    Order ──given──▶ definitions, input, functions, jobs, mocks ──running──▶ Execution ──report──▶ text or JSON
                                                                     │
                                                                   lines: what is read meanwhile

`order` is all that the command itself imports; the rest comes after ``--help`` and wrong usage have been answered.
"""
