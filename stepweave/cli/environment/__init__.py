"""The commands about runs, for those of a deployed environment: ``stepweave COMMAND --env NAME``.

    commands/NAME.py ──▶ environment/NAME.py ──▶ stepweave.deployed ──▶ table, lines or one JSON object

Loaded only with ``--env``, as boto3 takes longer to import than a short run on this machine.
"""
