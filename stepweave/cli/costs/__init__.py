"""What `stepweave cost` says, by what it is asked about: a DAG, a run, all DAGs, the templates of an environment."""
