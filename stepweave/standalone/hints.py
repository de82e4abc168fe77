"""`hint_for`: what to do about an error, for people who meet it the first time."""

from __future__ import annotations

_HINTS = {
    "States.QueryEvaluationError": "an expression failed, or gave nothing: does every field that it reads exist in the"
    " state's input, its result and the variables?",
    "States.NoChoiceMatched": "give the Choice a Default, or a rule for this input",
    "States.DataLimitExceeded": "no payload may pass 256 KiB: store the data (S3, DynamoDB) and hand on a reference",
    "States.Timeout": "TimeoutSeconds passed (or HeartbeatSeconds, where a task token is waited for)",
    "States.ItemReaderFailed": "the items of a distributed map could not be read: does the object exist in --buckets?",
    "States.ResultWriterFailed": "the results of a distributed map could not be written: does the bucket exist in"
    " --buckets?",
    "States.ExceedToleratedFailureThreshold": "more items failed than ToleratedFailureCount or"
    " ToleratedFailurePercentage allow",
    "States.Runtime": "no Retry and no Catch matches States.Runtime, not even States.ALL",
    "Lambda.ResourceNotFoundException": "give the function with --function NAME=module:handler, or mock the state",
    "Runtime.ImportModuleError": "run the command where Python finds the module, or name its file:"
    " --function NAME=path/to/file.py:handler",
    "Runtime.MarshalError": "a result must be JSON: text, numbers, true, false, null, arrays and objects",
}


def hint_for(error: str | None) -> str | None:
    """What to do about the error of that name; None where only its cause tells."""
    return _HINTS.get(error or "")
