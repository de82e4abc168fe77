"""The account and region that ministack works for in a thread: there is one of each here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ministack.core.responses import request_scope

from stepweave.local_aws.home import ACCOUNT, REGION
from stepweave.local_aws.layer.seams import Seam

SEAMS = (Seam("ministack.core.responses", "request_scope", ("account_id", "region")),)


@contextmanager
def local_account() -> Iterator[None]:
    """Inside the ``with``, ministack's services work for the local account."""
    with request_scope(ACCOUNT, REGION):
        yield
