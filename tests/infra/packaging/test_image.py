"""An image is built from versions with hashes and from files, so that nobody but Docker downloads libraries."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from infra.packaging.image import PYTHON_RELEASES, ImageContext, image
from infra.packaging.profile import Profile
from stepweave.errors import DagError, UsageError
from tests.infra.packaging.projects import write

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILES = [ROOT / "functions" / "batch_worker" / name for name in ("Dockerfile", "Dockerfile.cuda")]


def build(root: Path, *requirements: str, gpu: bool = False) -> ImageContext:
    profile = Profile(kind="batch", architecture="x86_64", requirements=requirements or ("tables",))
    return image("functions.echo.handler", ("shop.sales",), profile, root, gpu=gpu)


@pytest.fixture
def project(locked_project: Path, tmp_path: Path) -> Path:
    """The project with the Dockerfiles of this repository."""
    root = shutil.copytree(locked_project, tmp_path / "project")
    (root / "functions" / "batch_worker").mkdir()
    for file in DOCKERFILES:
        shutil.copy(file, root / "functions" / "batch_worker")
    return root


def test_it_is_built_from_pinned_requirements_and_the_reached_files(project: Path) -> None:
    made = build(project)
    assert [path for path, _ in made.files] == [
        "Dockerfile",
        "code/functions/echo/handler.py",
        "code/shop/__init__.py",
        "code/shop/rates.py",
        "code/shop/sales.py",
        "requirements.txt",
    ]
    lines = (made.path / "requirements.txt").read_text().splitlines()
    pinned = [line.split()[0] for line in lines if line[:1].isalpha()]
    assert pinned == ["aws-lambda-powertools==3.30", "sums==1.5", "tables==1.0"]
    assert made.arguments == (("PYTHON", PYTHON_RELEASES["3.13"]),)


def test_jobs_with_a_gpu_are_built_on_cuda(project: Path) -> None:
    cpu, gpu = build(project), build(project, gpu=True)
    assert (cpu.path / "Dockerfile").read_bytes() == DOCKERFILES[0].read_bytes()
    assert (gpu.path / "Dockerfile").read_bytes() == DOCKERFILES[1].read_bytes()
    assert cpu.digest != gpu.digest


def test_the_digest_follows_the_contents_alone(project: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(project, tmp_path / "copy")
    assert build(copy).digest == build(project).digest
    changed = shutil.copytree(project, tmp_path / "changed")
    write(changed, {"shop/rates.py": "EURO = 5"})
    assert build(changed).digest != build(project).digest


def test_files_have_one_time_so_that_layers_can_be_compared(project: Path) -> None:
    made = build(project)
    assert {path.stat().st_mtime for path in made.path.rglob("*")} == {315_532_800}


def test_a_distribution_that_the_lock_file_lacks_is_refused(project: Path) -> None:
    with pytest.raises(UsageError, match=r"uv\.lock says no version of floating"):
        build(project, "tables", "floating")


def test_an_import_that_no_requirement_brings_is_told_where_this_environment_knows_it(project: Path) -> None:
    write(project, {"shop/rates.py": "import jinja2\nEURO = 2"})
    with pytest.raises(DagError, match=r"shop\.rates imports jinja2"):
        build(project)


@pytest.fixture(params=DOCKERFILES, ids=lambda file: file.name)
def dockerfile(request: pytest.FixtureRequest) -> list[str]:
    """The instructions of a Dockerfile, one a line, without comments."""
    text = re.sub(r"^#.*\n", "", request.param.read_text(encoding="utf-8"), flags=re.M)
    return [line for line in re.sub(r"\\\n\s*", "", text).splitlines() if line]


def test_base_images_are_of_a_release_and_an_operating_system(dockerfile: list[str]) -> None:
    arguments = dict(line.removeprefix("ARG ").split("=") for line in dockerfile if line.startswith("ARG"))
    assert re.fullmatch(r"\d+\.\d+\.\d+", arguments["PYTHON"])
    assert arguments["PYTHON"] in PYTHON_RELEASES.values()
    for line in dockerfile:
        if line.startswith("FROM"):
            name = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], line.split()[1])
            assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+-[\w-]*(bookworm|ubuntu24\.04)", name)


def test_dependencies_are_wheels_with_the_hashes_of_the_lock_file(dockerfile: list[str]) -> None:
    (install,) = [line for line in dockerfile if "pip install" in line]
    for option in ("--require-hashes", "--only-binary :all:", "--no-deps", "--no-cache-dir", "--no-compile"):
        assert option in install


def test_the_last_user_is_not_root_and_the_command_is_the_workers(dockerfile: list[str]) -> None:
    assert [line for line in dockerfile if line.startswith("USER")][-1] == "USER 10001"
    assert dockerfile[-1] == 'CMD ["python", "-m", "functions.batch_worker.worker"]'
    assert not any(line.startswith("ENTRYPOINT") for line in dockerfile), "a command would be added to it"
    later = dockerfile[dockerfile.index("USER 10001") :]
    assert not any(line.startswith(("RUN", "COPY", "ADD")) for line in later)


def test_the_scratch_space_that_jobs_mount_is_declared(dockerfile: list[str]) -> None:
    """Else it is root's, and no other user can write to it."""
    assert [line for line in dockerfile if line.startswith("VOLUME")] == ['VOLUME ["/tmp"]']
    assert dockerfile.index('VOLUME ["/tmp"]') > dockerfile.index("USER 10001")


def test_code_comes_above_the_dependencies_and_is_found_first(dockerfile: list[str]) -> None:
    copies = [
        line
        for line in dockerfile
        if line.startswith("COPY") and line.endswith(("/opt/dependencies", "/opt/code"))
    ]
    assert copies == ["COPY --from=dependencies /opt/dependencies /opt/dependencies", "COPY code /opt/code"]
    (environment,) = [line for line in dockerfile if line.startswith("ENV")]
    assert "PYTHONPATH=/opt/code:/opt/dependencies" in environment
    assert "PYTHONUNBUFFERED=1" in environment


def test_every_python_that_an_environment_may_choose_has_an_image() -> None:
    assert set(PYTHON_RELEASES) == {"3.11", "3.12", "3.13", "3.14"}
    assert all(release.startswith(f"{version}.") for version, release in PYTHON_RELEASES.items())
