"""What a person types and sees: ``stepweave`` and its commands.

    argv ──main──▶ commands/NAME.py ──▶ one function of the library ──▶ table, drawing or one JSON object

Only the module of the chosen command is imported (:mod:`stepweave.cli.main`), so a short run starts fast. A
command parses, calls one function of the library and prints; what it prints lives in ``drawing/`` (graphs) and
``progress/`` (runs).
"""
