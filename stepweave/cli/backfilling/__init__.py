"""A DAG run once for each of its logical dates in a range: which dates (``dates``), and their runs (``runs``)."""
