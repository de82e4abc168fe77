"""What AWS bills: for a run before it starts and after it has ended, and for an environment in which nothing runs.

    DAG ──simulation──▶ work ┐
    recorded run ──────▶ work ┴─estimating──▶ usage ┐
    template ──idle─────────────────────────▶ usage ┴─bill(region)──▶ US dollars

There is one table of prices (:mod:`stepweave.pricing.prices`). Everything here is pure: no clock, no network.
"""
