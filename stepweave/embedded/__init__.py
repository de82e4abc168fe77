"""Runs on this machine: engine, runtime, stores and worker processes wired together
(:func:`stepweave.embedded.run.run_dag`).

Worker processes import :mod:`stepweave.embedded.worker`, so nothing is imported here.
"""
