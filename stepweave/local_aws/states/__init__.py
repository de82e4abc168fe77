"""Step Functions of the local AWS: our engine behind its API.

    request ─api─▶ States ─machines─▶ Revision (what the execution runs for ever)
                     │
                     ├─▶ an Engine of its own for every execution, with its journal (shelf)
                     ├─ calls ─▶ Lambda and Batch of the emulator, nested executions, other services
                     └─ outlets ─▶ status events, AWS/States metrics, execution logs

Everything runs in one event loop, in the time of the layer's clock. `part` is what holds on to ministack.
"""
