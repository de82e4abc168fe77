"""The app of this repository, synthesized once for all tests: everything is looked up in the same assemblies."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra import nag
from infra.app import ROOT, add_environment, compiled_dags, new_app
from infra.settings import Settings, load, parse
from tests.infra.dags.empty_code import EmptyCode
from tests.infra.templates import Template


@dataclass(frozen=True)
class Synthesized:
    """An environment."""

    settings: Settings
    folder: Path
    """The assembly."""

    @property
    def templates(self) -> dict[str, Template]:
        """Templates by the name of the stack."""
        manifest = json.loads((self.folder / "manifest.json").read_text())
        found = {}
        for artifact in manifest["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                file = self.folder / properties["templateFile"]
                found[properties["stackName"]] = Template.read(file)
        return found

    @property
    def platform(self) -> Template:
        """The template of the platform."""
        return self.templates[f"stepweave-{self.settings.env}-platform"]


@contextlib.contextmanager
def in_repository() -> Iterator[None]:
    """DAGs are found from the root of the repository; tests run in folders of their own."""
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        yield
    finally:
        os.chdir(before)


def synthesize(folder: Path, settings: Settings, *, dags: bool, checked: bool) -> Synthesized:
    """The app with these settings, with code that installs nothing."""
    with in_repository():
        app = new_app(outdir=str(folder / "cdk.out"))
        code = folder / "code"
        code.mkdir()
        compiled = compiled_dags() if dags else ()
        add_environment(app, settings, compiled, code=EmptyCode(code), known=("churn", "digits"))
        if checked:
            nag.synthesize(app)
        else:
            app.synth()
    return Synthesized(settings, folder / "cdk.out")


@pytest.fixture(scope="session")
def whole_app(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """Production, with every DAG of the repository, and what cdk-nag finds in it."""
    return synthesize(tmp_path_factory.mktemp("whole"), load("prod", ROOT), dags=True, checked=True)


@pytest.fixture(scope="session")
def dev_platform(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The platform of everyday work, and what cdk-nag finds in it."""
    return synthesize(tmp_path_factory.mktemp("dev"), load("dev", ROOT), dags=False, checked=True)


@pytest.fixture(scope="session")
def local_platform(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The platform of the local AWS."""
    return synthesize(tmp_path_factory.mktemp("local"), load("local", ROOT), dags=False, checked=False)


@pytest.fixture(scope="session")
def told_platform(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """A platform with everything that is off in the others."""
    settings = parse(
        "told",
        {
            "account": "123456789012",
            "region": "eu-west-1",
            "permission_boundary": "boundary",
            "tags": {"team": "ml"},
            "network": {"egress": "endpoints", "zones": 1},
            "queues": {"cpu": {"disk_gib": 200, "instance_types": ["c7g.xlarge"]}},
            "alarms": {
                "warn_emails": ("a@example.org",),
                "page_emails": ("b@example.org", "c@example.org"),
                "slack": True,
                "pagerduty": True,
            },
            "approvals": {"links": False},
        },
        "told.toml",
    )
    return synthesize(tmp_path_factory.mktemp("told"), settings, dags=False, checked=False)
