"""How do the steps connect? One module per DAG: its tasks, and the DAG that joins them."""
