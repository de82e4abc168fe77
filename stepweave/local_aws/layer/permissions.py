"""Permissions: what a function or a job asks of a service, its role must allow. Everybody else may do everything.

The CDK, the command line and people are the account; functions and jobs get the credentials of a session of their role,
and ministack evaluates its policies for their requests.
"""

from __future__ import annotations

import contextvars
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import ministack.app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam, sqs, sts

from stepweave.local_aws.home import ACCOUNT, REGION
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.seams import Seam

_CREDENTIAL = re.compile(rb"Credential=([A-Z0-9]+)/")

_keys: set[str] = set()
"""Access keys of sessions that were given to functions and jobs."""
_checked: contextvars.ContextVar[bool] = contextvars.ContextVar("checked", default=False)
"""Whether the request that is being answered comes from one of them."""


class _WhereChecked:
    """Stands for ministack's switch that is read at every request: on for some of them."""

    def __bool__(self) -> bool:
        return _checked.get()


def credentials(role_arn: str, session: str) -> dict[str, str]:
    """Environment variables with the credentials of a role; none for a role that does not exist here.

    Whoever runs with a role that nobody made, as in a small test, is the account.
    """
    role = role_arn.rsplit("/", 1)[-1]
    if not role or role not in iam._roles:
        return {}
    digest = hashlib.sha256(f"{role_arn}\0{session}".encode()).hexdigest()
    key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:48], digest[32:]
    name = session[:64]  # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}",
            "UserId": f"{role}:{name}",
            "SecretAccessKey": secret,
            "SessionToken": token,
        },
    )
    _keys.add(key)
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}


def _mend_resources() -> None:
    """Ask IAM about the resources that AWS asks about, where ministack does not."""
    asked_about = iam_actions.extract_resource_arn
    enforce = iam_evaluator.enforce

    def resource_of(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        return resource(service, str(asked_about(service, method, path, headers, body, *rest)), body)

    def enforced(access_key: str, action: str, *rest: Any, **more: Any) -> Any:
        if action.startswith("states:SendTask"):
            # A token does not say of which machine it is; some machine must be allowed.
            more["resource_arn"] = _allowed_somewhere(access_key, action)
        return enforce(access_key, action, *rest, **more)

    iam_actions.extract_resource_arn = resource_of
    iam_evaluator.enforce = enforced


def resource(service: str, found: str, body: bytes) -> str:
    """The ARN that AWS asks IAM about, where ``found`` is ministack's.

    A state machine, where a version or an alias of it is called
    (https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html); the path, where parameters are
    read by path (https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html).
    """
    parts = found.split(":")
    if service == "states" and parts[5:6] == ["stateMachine"]:
        return ":".join(parts[:7])
    if service == "ssm" and found == "*" and b'"Path"' in body:
        path = str(json.loads(body)["Path"]).rstrip("/")
        return f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{path}"
    return found


def _allowed_somewhere(access_key: str, action: str) -> str:
    session = sts._sessions.get(access_key) or {}
    role = str(session.get("UserId", "")).partition(":")[0]
    for policy in iam_evaluator._gather_role_policies(role, ACCOUNT):
        for statement in policy:
            allows = iam_evaluator._action_matches(action, statement.actions, statement.not_actions)
            if statement.effect == "Allow" and allows:
                return str(statement.resources[0])
    return "*"


def _install(setting: Setting) -> None:
    answer: Callable[..., Awaitable[None]] = ministack.app.app

    async def checking(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        given = dict(scope.get("headers") or ()).get(b"authorization", b"")
        found = _CREDENTIAL.search(given)
        if found is None or found.group(1).decode() not in _keys:
            await answer(scope, receive, send)
            return
        token = _checked.set(True)
        try:
            # As by TLS, which policies of buckets and topics insist on; on loopback there is none.
            headers = [*scope["headers"], (b"x-forwarded-proto", b"https")]
            await answer({**scope, "headers": headers}, receive, send)
        finally:
            _checked.reset(token)

    _mend_resources()
    ministack.app.app = checking
    ministack.app.AUTH = _WhereChecked()
    # What follows from such a request is no request of the role: a topic tells a queue whoever published.
    sqs.queue_policy_allows = lambda *about: True


PART = Part(
    name="permissions",
    seams=(
        Seam("ministack.app", "AUTH"),
        Seam("ministack.app", "app", ("scope", "receive", "send")),
        Seam("ministack.core.iam_actions", "extract_resource_arn"),
        Seam("ministack.core.iam_evaluator", "enforce"),
        Seam("ministack.core.iam_evaluator", "_gather_role_policies", ("role_name", "account_id")),
        Seam(
            "ministack.core.iam_evaluator",
            "_action_matches",
            ("request_action", "actions", "not_actions"),
        ),
        Seam("ministack.services.sts", "_sessions"),
        Seam("ministack.services.sts", "register_session", ("access_key", "session")),
        Seam("ministack.services.iam", "_roles"),
        Seam(
            "ministack.services.sqs",
            "queue_policy_allows",
            ("queue_arn", "service", "source_arn", "source_account"),
        ),
    ),
    install=_install,
)
