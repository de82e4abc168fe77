"""State machines that somebody else wrote, run on this machine: what `stepweave execute` and the tests' plugin share.

FILE.asl.json ──definitions──▶ Machine ─┐
functions, mocks, buckets, endpoint ────┴─building──▶ Engine ──▶ Execution ──tracing──▶ path, calls, where it failed
"""
