"""Functions of Lambda: their code in processes of its own, with Lambda's errors, limits, logs, metrics and retries."""
