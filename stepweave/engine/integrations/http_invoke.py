"""``http:invoke``: calls of HTTP APIs on this machine, and of what is allowed besides.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html
The EventBridge connection (``Authentication``, ``InvocationConfig``) is not there, so nothing is added from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.integrations.base import Call, Integration, constant_of
from stepweave.engine.integrations.http_request import (
    METHODS,
    RESPONSE_BYTES,
    Request,
    forbidden_headers,
    request_of,
    result_of,
)
from stepweave.engine.machine import Task
from stepweave.errors import Problem

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SOCKET_ERROR = "States.Http.Socket"
TIMEOUT_SECONDS = 60.0
"""Longest request: https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html."""


class HttpInvoke(Integration):
    """Sends requests to loopback and to the hosts that are allowed."""

    def __init__(
        self,
        *,
        allowed_hosts: Collection[str] = (),
        endpoints: Mapping[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """``endpoints`` sends what goes to a URL that begins with a key to its value instead, e.g. an API to its fake:
        ``{"https://api.example.com": "http://127.0.0.1:8080"}``.
        """
        self._allowed = LOOPBACK | set(allowed_hosts)
        self._endpoints = dict(endpoints or {})
        self._timeout = timeout_seconds

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        endpoint = constant_of(task.arguments, "ApiEndpoint")
        if endpoint is not None and (text := self._refusal(self._target(str(endpoint)))):
            yield self._refused(text, str(endpoint))
        method = constant_of(task.arguments, "Method")
        if method is not None and method not in METHODS:
            what = "Arguments.Method is no method of an HTTP Task"
            yield Problem(code="http-method", what=what, expected=", ".join(METHODS), got=str(method))
        headers = constant_of(task.arguments, "Headers")
        if isinstance(headers, Mapping) and (forbidden := forbidden_headers(headers)):
            what = "Arguments.Headers sets what an HTTP Task may not set"
            yield Problem(code="http-header", what=what, got=", ".join(forbidden))

    async def run(self, call: Call) -> Any:
        request = request_of(call.arguments if isinstance(call.arguments, dict) else {})
        url = self._target(request.url)
        if refusal := self._refusal(url):
            raise StateError(RUNTIME, f"http:invoke of {url}: {refusal}")
        exchange = _Exchange(request, url, self._timeout)
        try:
            return result_of(*await asyncio.to_thread(exchange.run))
        except TimeoutError as error:
            raise StateError(SOCKET_ERROR, f"no answer within {self._timeout:g} seconds") from error
        except (OSError, http.client.HTTPException) as error:
            raise StateError(SOCKET_ERROR, f"{type(error).__name__}: {error}") from error
        except ValueError as error:  # a header or a path that HTTP cannot carry
            raise StateError(RUNTIME, f"http:invoke of {url}: {error}") from error
        finally:
            exchange.abort()

    def _target(self, url: str) -> str:
        for start in sorted(self._endpoints, key=len, reverse=True):
            if url.startswith(start):
                return self._endpoints[start] + url[len(start) :]
        return url

    def _refusal(self, url: str) -> str | None:
        """Why a request to ``url`` is not sent; None when it is."""
        try:
            parts = urlsplit(url)
            absent = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
        except ValueError as error:
            return str(error)
        if absent:
            return "it is no http or https URL"
        return None if parts.hostname in self._allowed else f"{parts.hostname} is not this machine"

    def _refused(self, refusal: str, endpoint: str) -> Problem:
        return Problem(
            code="http-endpoint",
            what=f"http:invoke does not send this request: {refusal}",
            expected=f"a host of {', '.join(sorted(self._allowed))}",
            got=endpoint,
            fix="mock the state, send the API to a fake (http endpoints), or allow the host",
        )


class _Exchange:
    """One request and its answer, in a thread."""

    def __init__(self, request: Request, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._request = request

    def run(self) -> tuple[int, str, list[tuple[str, str]], bytes]:
        """Status, reason, headers and body."""
        request = self._request
        self._connection.request(request.method, self._path, request.body, dict(request.headers))
        response = self._connection.getresponse()
        return response.status, response.reason, response.getheaders(), response.read(RESPONSE_BYTES + 1)

    def abort(self) -> None:
        """Close the connection, also under a thread that waits for the answer."""
        connected = self._connection.sock
        if connected is not None:
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        self._connection.close()
