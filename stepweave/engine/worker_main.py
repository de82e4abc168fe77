"""A worker process: calls one Python function after another, as its parent asks.

    python -m stepweave.engine.worker_main FD [MODULE…]

It imports the modules first, so that this need not wait for the first request.
Both ways over the socket ``FD``: a length of four bytes (big endian), then JSON. A request is
``{"name": "module:qualname", "event": …}``, with ``"context": {…}`` for a Lambda handler and ``"load": true`` to import
it only; an answer ``{"result": …}`` or ``{"error": …, "cause": …}``. What the function prints goes to standard output,
which the parent has redirected. The worker ends when its parent does.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import socket
import sys
from collections.abc import Sequence
from typing import Any

from stepweave.engine.callables import failure, resolve, resolve_handler
from stepweave.engine.failures import MARSHAL_ERROR, FunctionError
from stepweave.engine.lambda_context import LambdaContext
from stepweave.engine.parent import die_with_parent


def main(descriptor: int, preload: Sequence[str] = ()) -> None:
    """Import the modules ``preload``, then serve requests until the parent closes the connection."""
    die_with_parent()  # in the middle of a call; between calls the closed connection tells
    for stream in (sys.stdout, sys.stderr):
        # A process that dies in the middle of a call has still written its last lines.
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    for name in preload:
        # A module that cannot be imported is the error of the call that needs it, where it can be reported.
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(name)
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as requests:
        while True:
            head = requests.read(4)
            if len(head) < 4:
                return
            answer = _answer(json.loads(requests.read(int.from_bytes(head, "big"))))
            sys.stdout.flush()
            sys.stderr.flush()
            connection.sendall(len(answer).to_bytes(4, "big") + answer)


def _call(request: Any) -> Any:
    if "load" in request:
        resolve_handler(request["name"])
        return None
    if "context" in request:
        return resolve_handler(request["name"])(request["event"], LambdaContext(**request["context"]))
    return resolve(request["name"])(request["event"])


def _answer(request: Any) -> bytes:
    try:
        result = _call(request)
    except FunctionError as error:
        answer = {"error": error.error, "cause": error.cause}
    except (Exception, SystemExit) as error:
        name, cause = failure(error)
        answer = {"error": name, "cause": cause}
    else:
        answer = {"result": result}
    try:
        return json.dumps(answer, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        cause = json.dumps({"errorMessage": f"the result is not JSON: {error}", "errorType": MARSHAL_ERROR})
        return json.dumps({"error": MARSHAL_ERROR, "cause": cause}).encode()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
