"""`wrote(...)`: whether DynamoDB made a write, or refused it because its condition did not hold.

Writes to an item that a transaction is writing just now are cancelled for a conflict, and SDKs do not repeat them:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
They are repeated here, after pauses that grow and differ, so that two writers do not meet again and again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

_CONDITION = frozenset({"ConditionalCheckFailedException", "ConditionalCheckFailed"})
_CONFLICT = frozenset({"TransactionConflictException", "TransactionConflict"})
_PAUSES_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


def wrote(
    client: Any, operation: str, *, sleep: Callable[[float], object] = time.sleep, **asked: Any
) -> bool:
    """Whether ``operation`` of a boto3 client was done; False when its condition did not hold: nothing was written."""
    for pause in (*_PAUSES_SECONDS, None):
        try:
            getattr(client, operation)(**asked)
        except client.exceptions.ClientError as error:
            codes = _codes(error.response)
            if codes & _CONDITION:
                return False
            if pause is None or not codes & _CONFLICT:
                raise
            sleep(pause * random.uniform(0.5, 1.5))
        else:
            return True
    raise AssertionError("the last attempt returns or raises")


def _codes(response: Any) -> set[str]:
    """Code of the error, and those of the parts of a transaction."""
    reasons = response.get("CancellationReasons", ())
    return {response["Error"]["Code"], *(str(reason.get("Code")) for reason in reasons)}
