"""The runtime inside a function's process: loads the handler once, then answers one invocation after another.

Runs as a script with the function's own import path, so it may use the standard library only. It reads a line of JSON
for each invocation from descriptor ``STEPWEAVE_REQUESTS`` and writes one to ``STEPWEAVE_ANSWERS``; standard output and
error are the function's log. Errors look as those of Lambda's Python runtime
(https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html).
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_ANSWER_BYTES = 6_291_556
"""Longest answer of a function: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
END_OF_LOG = "\0end of invocation "
"""What follows the log lines of an invocation, with its id."""


@dataclass
class Context:
    """Lambda's context object (https://docs.aws.amazon.com/lambda/latest/dg/python-context.html)."""

    aws_request_id: str
    invoked_function_arn: str
    deadline: float
    function_name: str = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    function_version: str = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
    memory_limit_in_mb: str = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    log_group_name: str = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
    log_stream_name: str = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended."""
        return max(0, int((self.deadline - time.time()) * 1000))


def main() -> None:
    """Load the handler, then answer until the server goes away."""
    answers = os.fdopen(int(os.environ.pop("STEPWEAVE_ANSWERS")), "w", encoding="utf-8")
    requests = _requests(int(os.environ.pop("STEPWEAVE_REQUESTS")))
    _log_to_stdout()
    handler, fault = _loaded(os.environ["_HANDLER"])
    while True:
        request = requests.get()
        answer = fault if handler is None else _answer(handler, request)
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(1, f"{END_OF_LOG}{request['id']}\n".encode())
        answers.write(answer + "\n")
        answers.flush()
        if handler is None:
            # Lambda starts a new environment after a failed start; the next invocation gets another process.
            os._exit(1)


def _requests(descriptor: int) -> queue.SimpleQueue[dict[str, Any]]:
    """The invocations to come, read by a thread: when the server ends, a handler that is at work ends too."""
    found: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        with os.fdopen(descriptor, encoding="utf-8") as lines:
            for line in lines:
                found.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return found


def _log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(asctime)s\t%(message)s"))
    logging.getLogger().addHandler(handler)


def _loaded(name: str) -> tuple[Callable[[Any, Context], Any] | None, str]:
    """The handler; or None and the answer to every invocation."""
    module_name, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module_name.replace("/", ".")), attribute), ""
    except AttributeError as error:
        kind, text = "Runtime.HandlerNotFound", f"Handler '{attribute}' missing on module '{module_name}'"
        return None, _failure(kind, text, error, spent=True)
    except ImportError as error:
        text = f"Unable to import module '{module_name}': {error}"
        return None, _failure("Runtime.ImportModuleError", text, error, spent=True)
    except SyntaxError as error:
        text = f"Syntax error in module '{module_name}': {error}"
        return None, _failure("Runtime.UserCodeSyntaxError", text, error, spent=True)
    except Exception as error:
        return None, _failure(type(error).__name__, str(error), error, spent=True)


def _answer(handler: Callable[[Any, Context], Any], request: dict[str, Any]) -> str:
    trace = request.get("trace")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    try:
        value = handler(request["event"], Context(request["id"], request["arn"], request["deadline"]))
    except Exception as error:
        return _failure(type(error).__name__, str(error), error)
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        return _failure("Runtime.MarshalError", f"Unable to marshal response: {error}", error)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_ANSWER_BYTES:
        text = f"Response payload size exceeded maximum allowed payload size ({MAX_ANSWER_BYTES} bytes)."
        return _failure("Function.ResponseSizeTooLarge", text, None)
    return json.dumps({"value": value})


def _failure(kind: str, text: str, error: BaseException | None, *, spent: bool = False) -> str:
    """The answer that says what failed; ``spent``: and that this process takes no other invocation."""
    # Without the frame that is this module's.
    own = error.__traceback__ if error is not None else None
    frames = traceback.format_tb(own.tb_next) if own is not None else []
    sys.stdout.write(f"[ERROR] {kind}: {text}\n")
    if frames:
        sys.stdout.write("Traceback (most recent call last):\n" + "".join(frames))
    fault = {"errorMessage": text, "errorType": kind, "stackTrace": frames}
    return json.dumps({"error": fault, "spent": spent})


if __name__ == "__main__":
    main()
