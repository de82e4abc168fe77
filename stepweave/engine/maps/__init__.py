"""What a Distributed Map does besides running its children: reading items, batching, thresholds, writing results.

    reading ─▶ items ─▶ (ItemSelector, by the interpreter) ─▶ batching ─▶ children ─▶ thresholds ─▶ writing

Nothing here knows the interpreter: values in, values out; objects come through `Objects` (``engine/objects.py``).
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""
