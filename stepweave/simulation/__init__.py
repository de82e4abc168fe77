"""A DAG on a virtual clock, in the compiled state machine. Nothing is executed; tasks take the time that is said.

    Graph ──assumptions──▶ Graph without values ──compiler──▶ machines ──services, VirtualClock──▶ makespan, transitions
      └─────paths────────▶ critical path                                    └──────pricing─────▶ cost

:func:`stepweave.simulation.simulating.simulate` is the one entrance.
"""
