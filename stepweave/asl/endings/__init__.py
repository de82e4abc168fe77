"""How the root frame of a graph ends: that of a DAG with the outcome of the run, that of a body with its record."""
