"""What goes wrong between here and AWS is said in one sentence that tells what to do."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from stepweave.deployed.explaining import explained
from stepweave.errors import StepweaveError, UsageError
from tests.deployed.deployed_world import client_error

DENIED = (
    "User: arn:aws:iam::1:user/ada is not authorized to perform: dynamodb:Query on resource: "
    "arn:aws:dynamodb:eu-central-1:1:table/t because no identity-based policy allows the dynamodb:Query action"
)


@pytest.mark.parametrize(
    "error, words",
    [
        (NoCredentialsError(), ["no AWS credentials", "AWS_PROFILE"]),
        (TokenRetrievalError(provider="sso", error_msg="x"), ["has expired", "log in again"]),
        (ProfileNotFound(profile="x"), ["(x)", "aws configure list-profiles"]),
        (client_error("ExpiredTokenException", "x"), ["has expired", "log in again"]),
        (client_error("InvalidClientTokenId", "x"), ["does not know these credentials"]),
        (
            client_error("AccessDeniedException", DENIED),
            [
                "arn:aws:iam::1:user/ada may not dynamodb:Query on arn:aws:dynamodb:eu-central-1:1:table/t",
                "because no identity-based policy",
                "a policy that allows dynamodb:Query",
            ],
        ),
        (client_error("AccessDenied", "Access Denied"), ["access denied: Access Denied", "ask whoever"]),
    ],
)
def test_what_the_user_can_mend_is_a_usage_error(error: Exception, words: list[str]) -> None:
    with pytest.raises(UsageError) as raised, explained("reading the runs"):
        raise error
    text = str(raised.value)
    assert text.startswith("reading the runs: ")
    assert all(word in text for word in words), text


@pytest.mark.parametrize(
    "error, word",
    [
        (client_error("ThrottlingException", "x"), "try again"),
        (client_error("InternalServerError", "broken"), "InternalServerError: broken"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "start it: stepweave local-aws up"),
        (EndpointConnectionError(endpoint_url="https://ssm.eu-west-9.amazonaws.com"), "look at the network"),
    ],
)
def test_anything_else_says_what_was_tried_and_what_aws_said(error: Exception, word: str) -> None:
    with pytest.raises(StepweaveError) as raised, explained("reading the runs"):
        raise error
    assert not isinstance(raised.value, UsageError)
    assert word in str(raised.value)
