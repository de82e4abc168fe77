"""Ready-made parts of ML pipelines, from the public names of the library alone.

``sweeps`` makes lists of arguments for ``expand_kwargs``; ``folds`` splits, and picks the best; ``balancing`` makes
even parts; ``listing`` lists files; ``dispatching`` runs what a task asks for in a run; ``waiting`` waits for another
DAG; ``fallbacks`` holds what a ``degrade`` ladder may end on.
"""
