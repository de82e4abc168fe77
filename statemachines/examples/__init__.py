"""Small DAGs, one idea each; read them in order."""
