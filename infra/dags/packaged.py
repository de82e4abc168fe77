"""`PackagedCode`: the code of DAGs as :mod:`infra.packaging` makes it, by uv and without Docker."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from infra.code import CodeFolder, Image
from infra.dags.targets import every_task
from infra.packaging.base import OWN
from infra.packaging.bundle import Bundle, bundle
from infra.packaging.closure import closure
from infra.packaging.image import DOCKERFILE, image
from infra.packaging.profile import Profile, local_profile
from infra.packaging.runners import jobs, runners
from infra.packaging.sources import sources_of
from infra.settings import Settings
from stepweave.compiler import Compiled
from stepweave.planning.profiles import ImageProfile, LambdaProfile

TASK_RUNNER = "functions.task_runner.handler"
STARTER = "functions.starter.handler"
WORKER = "functions.batch_worker.worker"
TRACER = "aws-xray-sdk"
"""What Powertools' tracer needs, of no use where nothing is traced."""
PLATFORMS = {"arm64": "linux/arm64", "x86_64": "linux/amd64"}
"""Platform of an image by architecture, as Docker calls it."""


class PackagedCode:
    """What is deployed from the repository at ``root``."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self._root, self._settings = root, settings

    def runner(self, compiled: Compiled, profile: LambdaProfile) -> CodeFolder:
        """The task runner for the tasks of a DAG with ``profile``."""
        runner = runners(compiled)[profile.name]
        made = bundle(
            TASK_RUNNER,
            modules(compiled),
            self._lambda(runner.requirements),
            self._root,
            calls=runner.calls,
        )
        return _folder(made)

    def starter(self, dag_json: str) -> CodeFolder:
        """The starter with ``dag.json`` beside it."""
        made = bundle(STARTER, (), self._lambda(()), self._root, files={"dag.json": dag_json.encode()})
        return _folder(made)

    def worker(self, compiled: Compiled, profile: ImageProfile) -> CodeFolder:
        """The Batch worker as code, for the local AWS."""
        calls, requirements = _jobs_of(compiled, profile)
        made = bundle(
            WORKER, modules(compiled), local_profile("batch", requirements), self._root, calls=calls
        )
        return _folder(made)

    def image(self, compiled: Compiled, profile: ImageProfile) -> Image:
        """The Batch worker as an image, which installs its dependencies when it is built."""
        calls, requirements = _jobs_of(compiled, profile)
        # Instances with GPUs have x86 processors.
        architecture = "x86_64" if profile.gpu else self._settings.architecture
        made = image(
            WORKER,
            modules(compiled),
            Profile(
                kind="batch",
                python=self._settings.python,
                architecture=architecture,
                requirements=requirements,
            ),
            self._root,
            gpu=profile.gpu,
            calls=calls,
        )
        return Image(
            context=made.path,
            dockerfile=DOCKERFILE,
            digest=made.digest,
            platform=PLATFORMS[architecture],
            arguments=made.arguments,
        )

    def shared(self, part: str) -> CodeFolder:
        """A function of the platform."""
        return _folder(bundle(f"functions.{part}.handler", (), self._lambda(()), self._root))

    def user_files(self, compiled: Compiled) -> tuple[Path, ...]:
        """Python files of the DAG's own code: its modules and what they import, without stepweave's."""
        found = closure(modules(compiled), sources_of(self._root)).modules
        return tuple(path for name, path in found.items() if name.partition(".")[0] not in OWN)

    def _lambda(self, requirements: Iterable[str]) -> Profile:
        if self._settings.tracing:
            requirements = (*requirements, TRACER)
        if self._settings.is_local:
            return local_profile("lambda", tuple(requirements))
        return Profile(
            kind="lambda",
            python=self._settings.python,
            architecture=self._settings.architecture,
            requirements=tuple(requirements),
        )


def modules(compiled: Compiled) -> tuple[str, ...]:
    """Modules of the DAG and of the functions that it calls, sorted."""
    dag = compiled.graph.dag
    calls = [dag.on_failure, dag.on_success]
    for task in every_task(compiled):
        calls += [task.call, task.compensate, *(rung.call for rung in task.ladder)]
    return tuple(sorted({dag.module, *(call.partition(":")[0] for call in calls if call)} - {""}))


def _jobs_of(compiled: Compiled, profile: ImageProfile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Calls of the jobs that share an image, and its requirements."""
    sharing = [job for job in jobs(compiled).values() if job.image == profile]
    calls = {call for job in sharing for call in job.calls}
    return tuple(sorted(calls)), sharing[0].requirements


def _folder(made: Bundle) -> CodeFolder:
    return CodeFolder(path=made.archive, digest=made.digest)
