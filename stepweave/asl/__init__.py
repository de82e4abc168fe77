"""From a plan to state machines in the Amazon States Language, JSONata mode.

    frames    the plan laid out as the States of machines and branches, with positions
    reads     which record is read where; what a branch hands out, what a nested machine is handed
    states    one state as JSON, for each kind of state there is
    emit      frames to definitions
    machines  definitions to files, and what they cost

Same graph and plan, same bytes.
"""
