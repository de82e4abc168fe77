"""From a graph to a plan: which parts run one after another, which side by side, and where they meet.

``plan`` is the phase's one function; ``model`` its result. Every plan keeps all parallelism of the graph: a task
starts when its own upstream tasks have ended, never later.
"""
