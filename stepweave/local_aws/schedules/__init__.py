"""EventBridge Scheduler and EventBridge's rules: when they fire, and what they bring to whom.

    schedules, scheduled rules ─expressions─▶ moments ─firing─▶ Delivery ─┐
    events ─rules of ministack─▶ payload ─────────────────▶ Delivery ─────┴─delivering─▶ targets; else the DLQ

Everything waits in the loop of the layer's clock; targets are called in threads.
"""
