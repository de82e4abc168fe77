"""`python -m stepweave.embedded.job PID`: what the container of a Batch job runs, as a subprocess of the run ``PID``.

The container outlives a run that is killed until Step Functions stops the job; this process ends with the run.
"""

from __future__ import annotations

import os
import sys

from stepweave.engine.parent import die_with_parent
from stepweave.runtime.batch import run

if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    sys.exit(run(os.environ))
