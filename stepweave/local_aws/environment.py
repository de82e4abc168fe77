"""The environment variables with which the AWS SDKs, the CDK and obstore speak to the local AWS."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from stepweave.local_aws.home import ACCOUNT, REGION


def variables(endpoint: str) -> dict[str, str]:
    """What a process needs in its environment to speak to the local AWS at ``endpoint``, and to nothing else.

    ``AWS_ENDPOINT_URL`` is read by all SDKs
    (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html), the one for S3 by the JavaScript SDK in
    old versions; ``AWS_ENDPOINT`` and ``AWS_ALLOW_HTTP`` are obstore's.
    """
    return {
        # The emulator takes an access key of twelve digits as the account; there are no secrets.
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ENDPOINT": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def shell(given: Mapping[str, str]) -> str:
    """Lines for ``eval "$(…)"`` in a shell.

    >>> shell({"AWS_REGION": "us-east-1"})
    'export AWS_REGION=us-east-1'
    """
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in given.items())
