"""`watch(...)`: tells two minutes ahead that the spot instance under this job is reclaimed.

The notice is in the instance's metadata
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html), which containers of Batch
reach, as they have the network of the instance. On Fargate, and where there is no metadata, nothing is watched: the
signal that ends the container is the first that one hears of it there.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

_ADDRESS = "http://169.254.169.254"
_PATH = "/latest/meta-data/spot/instance-action"
_TOKEN_PATH = "/latest/api/token"
_TOKEN_SECONDS = 21_600
_EVERY_SECONDS = 5.0
"""As often as AWS advises to look."""
_TIMEOUT_SECONDS = 1.0


class Metadata:
    """The metadata of the instance, by the protocol that takes a token (IMDSv2)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _ADDRESS
        self._host = urlsplit(address).netloc
        self._token: str | None = None

    def is_there(self) -> bool:
        """Whether this is an instance of EC2 whose metadata can be read."""
        status, text = self._ask("PUT", _TOKEN_PATH, {_LIFETIME_HEADER: str(_TOKEN_SECONDS)})
        self._token = text if status == 200 else None
        return self._token is not None

    def action(self) -> str | None:
        """What will happen to the instance: ``terminate``, ``stop`` or ``hibernate``; None when nothing will."""
        status, text = self._ask("GET", _PATH, {"X-aws-ec2-metadata-token": self._token or ""})
        if status == 401:  # the token has expired
            self.is_there()
            return None
        if status != 200:
            return None
        try:
            return str(json.loads(text)["action"])
        except (ValueError, KeyError, TypeError):
            return None

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()


_LIFETIME_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"


def watch(
    environment: Mapping[str, str], tell: Callable[[str], None], every_seconds: float = _EVERY_SECONDS
) -> threading.Event | None:
    """What ends the watch when it is set; ``tell`` is called once, with the action. None: nothing to watch."""
    on_batch = "AWS_BATCH_JOB_ID" in environment
    if not on_batch or environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    over = threading.Event()

    def look() -> None:
        metadata = Metadata(environment)
        if not metadata.is_there():
            return
        while not over.is_set():
            action = metadata.action()
            if action is not None:
                tell(action)
                return
            over.wait(every_seconds)

    threading.Thread(target=look, name="stepweave-spot", daemon=True).start()
    return over
