"""What people are told of a run that did not succeed: as JSON for the notifier, and as text for e-mail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from stepweave.deployed.arns import console_page, execution_page, region_of
from stepweave.deployed.names import machine_log_group, task_log_group
from stepweave.stores.run_table import DeployedRun

KIND = "run-ended"
_MAX_SUBJECT = 100
"""Longest subject of an e-mail: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
_WORDS = {"failed": "failed", "timed_out": "ran out of time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNotice:
    """A run that did not succeed."""

    env: str
    run: DeployedRun
    runbook: str
    """Address of the page that says what to do."""

    @property
    def subject(self) -> str:
        """One line of ASCII, at most 100 characters."""
        text = (
            f"[{self.env}] {self.run.dag} {_WORDS.get(self.run.status, self.run.status)}: {self.run.run_id}"
        )
        return text.encode("ascii", "replace").decode()[:_MAX_SUBJECT]

    def to_json(self) -> dict[str, Any]:
        """The notice for programs."""
        run = self.run
        return {
            "stepweave": KIND,
            "env": self.env,
            "dag": run.dag,
            "run_id": run.run_id,
            "status": run.status,
            "attempt": run.attempt,
            "error": run.error,
            "failed": sorted(run.failed),
            "started": run.started,
            "ended": run.ended,
            "execution": run.execution,
            "links": self.links(),
        }

    def links(self) -> dict[str, str]:
        """Where to look, by what is there."""
        found = {"runbook": self.runbook}
        arn = self.run.execution or ""
        region = region_of(arn)
        if region:
            found["execution"] = execution_page(arn)
            for name, group in (
                ("task logs", task_log_group(self.env, self.run.dag)),
                ("machine logs", machine_log_group(self.env, self.run.dag)),
            ):
                # The console decodes what comes after `#` twice.
                path = quote(quote(group, safe=""), safe="").replace("%", "$")
                found[name] = console_page(region, "cloudwatch", f"logsV2:log-groups/log-group/{path}")
        return found

    def to_text(self) -> str:
        """The notice for people."""
        run = self.run
        parts = [
            f"Run {run.run_id} of DAG {run.dag} in {self.env} {_WORDS.get(run.status, run.status)}.",
            "",
            f"Tasks that failed: {', '.join(sorted(run.failed)) or 'none; the run itself broke off'}",
            f"Error:             {run.error or 'none told'}",
            f"Began:             {run.started}",
            f"Ended:             {run.ended}",
            f"Execution:         {run.execution}",
            "",
            *(f"{name.capitalize() + ':':<19}{link}" for name, link in self.links().items()),
            "",
            f"Look closer:       stepweave show {run.run_id} --env {self.env}",
            f"Go on from there:  stepweave resume {run.run_id} --env {self.env}",
        ]
        return "\n".join(parts)

    def message(self) -> str:
        """The text that SNS takes with ``MessageStructure="json"``: JSON for programs, text for e-mail."""
        programs = json.dumps(self.to_json(), ensure_ascii=False)
        return json.dumps({"default": programs, "email": self.to_text()}, ensure_ascii=False)
