"""The graph of a DAG: immutable values, and the questions that are asked of a graph alone.

``model`` holds the values, ``checks`` finds mistakes, ``order`` answers reachability (topological order, ancestors,
transitive reduction). Nothing here knows Python functions, AWS, files or a clock.
"""
