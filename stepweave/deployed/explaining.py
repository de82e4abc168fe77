"""`explained`: what goes wrong between here and AWS, as one sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from stepweave.errors import StepweaveError, UsageError

_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "ExpiredTokenError"}
)
_UNKNOWN = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "InvalidAccessKeyId",
        "AuthFailure",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
    }
)
_WHO_AND_WHAT = re.compile(
    r"(?P<who>arn:\S+) is not authorized to perform: (?P<action>\S+)(?: on resource: (?P<resource>\S+))?"
    r"(?:.*? (?P<why>because .*))?",
    re.DOTALL,
)
_LOOPBACK = ("://127.0.0.1", "://localhost", "://[::1]")
_LOG_IN = "log in again (for example: aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Raise what boto3 raises within as ``StepweaveError`` (``UsageError`` where the user can mend it).

    ``doing``: what was tried, for the message, such as ``"reading the runs"``.
    """
    try:
        yield
    except ClientError as error:
        raise of_client_error(error, doing) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UsageError(f"{doing}: there are no AWS credentials; {_LOG_IN}") from error
    except (SSOError, TokenRetrievalError) as error:
        raise UsageError(f"{doing}: the AWS session has expired; {_LOG_IN}") from error
    except ProfileNotFound as error:
        raise UsageError(f"{doing}: {error}; see the profiles: aws configure list-profiles") from error
    except (EndpointConnectionError, HTTPClientError) as error:
        raise StepweaveError(f"{doing}: {_out_of_reach(str(error))}") from error
    except BotoCoreError as error:
        raise StepweaveError(f"{doing}: {error}") from error


def code_of(error: ClientError) -> str:
    """The code of an answer of AWS: ``ResourceNotFoundException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def of_client_error(error: ClientError, doing: str) -> StepweaveError:
    """What an answer of AWS means for whoever was ``doing`` something."""
    code, text = code_of(error), str(error.response.get("Error", {}).get("Message", error))
    if code in _EXPIRED:
        return UsageError(f"{doing}: the AWS session has expired; {_LOG_IN}")
    if code in _UNKNOWN:
        return UsageError(f"{doing}: AWS does not know these credentials ({code}); {_LOG_IN}")
    if code in _DENIED:
        return UsageError(f"{doing}: {_denied(text)}")
    if code in _THROTTLED:
        return StepweaveError(f"{doing}: AWS takes no more requests for now ({code}); try again in a minute")
    return StepweaveError(f"{doing}: {code}: {text}")


def _out_of_reach(text: str) -> str:
    if any(host in text for host in _LOOPBACK):
        return (
            f"the local AWS cannot be reached ({text}); start it: stepweave local-aws up; "
            "or, to speak to the real one: unset AWS_ENDPOINT_URL"
        )
    return f"AWS cannot be reached ({text}); look at the network, at the region, and at AWS_ENDPOINT_URL"


def _denied(text: str) -> str:
    found = _WHO_AND_WHAT.search(text)
    if found is None:
        return f"access denied: {text}; ask whoever runs the account for the permission"
    on = f" on {found['resource']}" if found["resource"] else ""
    why = f", {found['why'].strip()}" if found["why"] else ""
    return (
        f"access denied: {found['who']} may not {found['action']}{on}{why}; ask whoever runs the account for a policy "
        f"that allows {found['action']}"
    )
