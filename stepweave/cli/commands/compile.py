"""``stepweave compile``: DAGs to state machines in the Amazon States Language, written or compared."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from difflib import unified_diff
from pathlib import Path

from stepweave.cli.answer import Answer
from stepweave.cli.options import add_json, add_targets
from stepweave.cli.progress.words import count
from stepweave.cli.targets import load_targets
from stepweave.cli.writing import write_file
from stepweave.compiler import Compiled, compile_graph
from stepweave.errors import UsageError


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_targets(parser)
    where = "file to write, or a folder that is there; - prints (default: asl/ beside the DAG's module)"
    parser.add_argument("--output", "-o", metavar="FILE", help=where)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a file is not up to date"
    )
    add_json(parser)


def command(*, targets: list[str], output: str | None, check: bool, as_json: bool) -> Answer:
    """Write the state machine of each DAG, or check the committed one.

    Examples:
      stepweave compile                            all DAGs, to statemachines/asl/
      stepweave compile --check                    in CI: does what is committed equal what compiles?
      stepweave compile statemachines/digits.py -o -
    """
    graphs = [dag.graph() for dag in load_targets(targets)]
    if output not in (None, "-") and len(graphs) > 1 and not Path(str(output)).is_dir():
        raise UsageError(
            f"-o names one file but {len(graphs)} DAGs are compiled; name one TARGET, a folder, or leave -o out"
        )
    compiled = [compile_graph(graph) for graph in graphs]
    if output == "-":
        return _print(compiled, as_json)
    files = {path: text for one in compiled for path, text in _destinations(one, output).items()}
    return _compare(files, as_json) if check else _write(files, as_json)


def _destinations(compiled: Compiled, output: str | None) -> dict[Path, bytes]:
    """Where each machine's file goes; the root machine is the first."""
    files = list(compiled.files.items())
    if output is not None:
        root = Path(output)
        if root.is_dir():
            return {root / name: content for name, content in files}
        return {root: files[0][1], **{root.parent / name: content for name, content in files[1:]}}
    source = compiled.graph.dag.source
    folder = (Path(source.file).parent if source else Path()) / "asl"
    return {folder / name: content for name, content in files}


def _print(compiled: list[Compiled], as_json: bool) -> Answer:
    machines = {
        one.machines.file_name(name): definition
        for one in compiled
        for name, definition in one.machines.definitions.items()
    }
    if not as_json:
        for one in compiled:
            for content in one.files.values():
                sys.stdout.write(content.decode())
    return Answer({"machines": machines})


def _write(files: dict[Path, bytes], as_json: bool) -> Answer:
    rows: list[dict[str, object]] = []
    for path, content in files.items():
        changed = write_file(path, content)
        rows.append({"path": str(path), "bytes": len(content), "changed": changed})
        if not as_json:
            sys.stdout.write(f"{path}  {len(content):,} bytes  {'written' if changed else 'unchanged'}\n")
    return Answer({"files": rows})


def _compare(files: dict[Path, bytes], as_json: bool) -> Answer:
    stale: list[dict[str, object]] = []
    for path, content in files.items():
        committed = path.read_bytes() if path.exists() else None
        if committed != content:
            diff = _diff(path, committed, content)
            stale.append({"path": str(path), "missing": committed is None, "diff": diff})
            if not as_json:
                sys.stdout.write(diff)
    note = "" if not stale else f"{count(len(stale), 'file')} not up to date; write with: stepweave compile"
    if not stale and not as_json:
        sys.stdout.write(f"{count(len(files), 'file')} up to date\n")
    return Answer({"stale": stale}, status=1 if stale else 0, error=note)


def _diff(path: Path, committed: bytes | None, content: bytes) -> str:
    before = (committed or b"").decode(errors="replace").splitlines(keepends=True)
    after = content.decode().splitlines(keepends=True)
    return "".join(unified_diff(before, after, f"{path} (committed)", f"{path} (compiled)"))
