"""What a task is in the state machine: one state, or a few around it.

A body knows how its task is carried out, and of the machine around it only its :class:`~stepweave.asl.bodies.wiring.
Wiring`: what follows on success, where a failure goes. ``choose.body_of`` picks the body of a task.
"""
