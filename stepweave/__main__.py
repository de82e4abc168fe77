"""``python -m stepweave``: the ``stepweave`` command."""

from stepweave.cli.main import main

if __name__ == "__main__":
    main()
