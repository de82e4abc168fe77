"""AWS on this machine, without Docker or an account: `ministack` with what it lacks for a deployed environment.

`process` starts and stops the server, which runs in a virtual environment of its own (`venv`): ministack pins botocore.
Inside the server (`server`) the parts of `layer` and `states` replace functions of ministack: jobs of Batch really run,
functions of Lambda answer as Lambda does, state machines run in stepweave's engine. All lies in one folder (`home`).
"""
