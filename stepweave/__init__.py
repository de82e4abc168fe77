"""stepweave."""
