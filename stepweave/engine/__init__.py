"""The embedded engine: an asyncio interpreter of the Amazon States Language in JSONata mode.

    definition ─substitution─▶ definition ─parsing─▶ Machine ─engine.Engine.run─▶ Execution (status, output, history)
                                                                 │
                                  interpreter: one `match` over state types
                                                                 │
                                  integrations/: what a Task's Resource does ─▶ functions, workers, jobs, children

A definition is parsed and checked once (`parsing`), into values that hold no run (`machine`). A run is an
`execution.Execution`: its clock, random numbers, history (`history`) and listeners (`events`). The engine knows nobody
but `stepweave.errors`: what a function is and where it runs comes from outside.
"""
