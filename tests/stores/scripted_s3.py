"""An S3 that answers conditional writes as it is told to; moto knows no writes that are in conflict."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_CODES = {409: "ConditionalRequestConflict", 412: "PreconditionFailed"}
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""


@contextmanager
def s3_that_answers(*statuses: int) -> Iterator[tuple[str, list[str | None]]]:
    """Address of the server, and the ``If-None-Match`` of each write that it has got; one answer a status, in order."""
    asked: list[str | None] = []

    class Answer(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses[len(asked)]
            asked.append(self.headers["If-None-Match"])
            body = f"<Error><Code>{_CODES[status]}</Code></Error>".encode() if status in _CODES else b""
            self.send_response(status)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
