"""Jobs of Batch, really run: each attempt is a process with the container's command and environment."""
