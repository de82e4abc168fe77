"""`EmptyCode`: code for stacks in tests, in which no distribution is installed."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from infra.code import CodeFolder, Image
from infra.dags.packaged import modules
from stepweave.compiler import Compiled
from stepweave.planning.profiles import ImageProfile, LambdaProfile


class EmptyCode:
    """A file with a name for each piece of code; equal content, equal digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dag_json = ""

    def runner(self, compiled: Compiled, profile: LambdaProfile) -> CodeFolder:
        return self._zip(f"runner {compiled.graph.dag.id} {profile}")

    def starter(self, dag_json: str) -> CodeFolder:
        self.dag_json = dag_json
        return self._zip(f"starter {dag_json}")

    def worker(self, compiled: Compiled, profile: ImageProfile) -> CodeFolder:
        return self._zip(f"worker {compiled.graph.dag.id} {profile}")

    def image(self, compiled: Compiled, profile: ImageProfile) -> Image:
        made = self._zip(f"image {compiled.graph.dag.id} {profile}")
        return Image(context=self.folder, dockerfile="Dockerfile", digest=made.digest, platform="linux/amd64")

    def shared(self, part: str) -> CodeFolder:
        return self._zip(f"shared {part}")

    def user_files(self, compiled: Compiled) -> tuple[Path, ...]:
        files = (sys.modules[name].__file__ for name in modules(compiled) if name in sys.modules)
        return tuple(Path(file) for file in files if file and "/stepweave/" not in file)

    def _zip(self, content: str) -> CodeFolder:
        digest = hashlib.sha256(content.encode()).hexdigest()
        path = self.folder / f"{digest[:12]}.zip"
        path.write_text(content)
        return CodeFolder(path=path, digest=digest)
