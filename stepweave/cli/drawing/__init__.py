"""A graph as a picture: ``layout`` places the tasks, ``svg``, ``mermaid`` and ``page`` write them down."""
