"""A run as people see it: `live` while it goes on, `summary` when it has ended."""
