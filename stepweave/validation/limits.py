"""Limits and reserved words of Step Functions that a definition can break.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html unless another page is named.
"""

MAX_DEFINITION_BYTES = 1_048_576
"""Longest definition."""

MAX_NAME_LENGTH = 80
"""Longest name of a state or a variable, in characters."""

MAX_LABEL_LENGTH = 40
"""Longest ``Label`` of a Distributed Map (https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html)."""

MAX_ITEMS = 100_000_000
"""Most items that a Distributed Map reads (https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html)."""

MAX_BATCH_BYTES = 262_144
"""Largest batch (https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html)."""

MAX_SECONDS = 99_999_999
"""Longest timeout or wait (https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html)."""

MAX_ATTEMPTS = 99_999_999
"""Most retries (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""

MAX_DELAY_SECONDS = 31_622_400
"""Longest ``MaxDelaySeconds`` (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""

RESERVED_ERRORS = frozenset(
    "States." + name
    for name in (
        "ALL", "BranchFailed", "DataLimitExceeded", "ExceedToleratedFailureThreshold", "HeartbeatTimeout",
        "Http.Socket", "IntrinsicFailure", "ItemReaderFailed", "NoChoiceMatched", "ParameterPathFailure", "Permissions",
        "QueryEvaluationError", "ResultPathMatchFailure", "ResultWriterFailed", "Runtime", "TaskFailed", "Timeout",
    )
)  # fmt: skip
"""Error names of Step Functions (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""
