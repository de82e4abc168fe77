"""Results of a Distributed Map as files in S3: one per status, and a manifest that names them.

    PREFIX/RUN/SUCCEEDED_0.json   FAILED_0.json   PENDING_0.json   manifest.json
    PREFIX/RUN/Redrive-1/…                                         of a redriven map run

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stepweave.engine import payload
from stepweave.engine.failures import StateError
from stepweave.engine.maps.results import (
    RESULT_WRITER_FAILED,
    ChildResult,
    WriterConfig,
    result_writer_failed,
    values_of,
    writer_config,
)
from stepweave.engine.objects import Objects

FILE_BYTES = 5 * 1024**3
"""Largest result file; what is more goes to the next one."""

_FILES = {"SUCCEEDED": "SUCCEEDED", "PENDING": "PENDING"}
"""By status; every other status goes to ``FAILED``."""

_MANIFEST_TYPE = "application/octet-stream"


async def write_results(
    children: Sequence[ChildResult],
    objects: Objects,
    *,
    arguments: Any,
    map_run_arn: str,
    config: Any = None,
    redrive: int = 0,
    modified: float | None = None,
    file_bytes: int = FILE_BYTES,
) -> dict[str, Any]:
    """The result of a map with a ResultWriter, once its files are written; all of the map run's ``children`` are given.

    ``arguments`` and ``config`` (``WriterConfig``) are evaluated. Of a redriven map run (``redrive`` from 1) the
    manifest also names the successes of earlier attempts, which are not written again. Raises
    ``States.ResultWriterFailed``.
    """
    checked = writer_config(config)
    bucket = _argument(arguments, "Bucket")
    prefix = _argument(arguments, "Prefix", "")
    run = map_run_arn.rpartition(":")[2]
    folder = _folder(prefix, run, redrive)
    try:
        earlier = await _successes(objects, bucket, _folder(prefix, run, redrive - 1)) if redrive else None
        files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": earlier or []}
        for name, group in _by_file(children, 0 if earlier is None else redrive).items():
            for index, data in enumerate(_contents(group, checked, file_bytes)):
                key = f"{folder}{name}_{index}.{checked.output_type.lower()}"
                await objects.write(bucket, key, data, modified=modified)
                files[name].append({"Key": key, "Size": len(data)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": map_run_arn, "ResultFiles": files}
        key = f"{folder}manifest.json"
        data = payload.to_text(manifest).encode("utf-8", "surrogatepass")
        await objects.write(bucket, key, data, content_type=_MANIFEST_TYPE, modified=modified)
    except StateError as error:
        raise StateError(
            RESULT_WRITER_FAILED, f"S3://{bucket}/{folder} cannot be written: {error.cause}"
        ) from error
    return {"MapRunArn": map_run_arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _argument(arguments: Any, field: str, default: str | None = None) -> str:
    value = arguments.get(field, default) if isinstance(arguments, Mapping) else default
    if not isinstance(value, str):
        raise result_writer_failed(f"The ResultWriter's Arguments need {field}, a string.")
    return value


def _folder(prefix: str, run: str, redrive: int) -> str:
    above = f"{prefix}/" if prefix and not prefix.endswith("/") else prefix
    return f"{above}{run}/" + (f"Redrive-{redrive}/" if redrive else "")


async def _successes(objects: Objects, bucket: str, folder: str) -> list[dict[str, Any]] | None:
    """The files of successes that an earlier manifest names; None when it was never written."""
    key = f"{folder}manifest.json"
    if not await objects.list_objects(bucket, key, limit=1):
        return None
    found: list[dict[str, Any]] = json.loads(await objects.read(bucket, key))["ResultFiles"]["SUCCEEDED"]
    return found


def _by_file(children: Iterable[ChildResult], attempt: int) -> dict[str, list[ChildResult]]:
    """The children by the file that they go to, without successes of attempts before ``attempt``."""
    groups: dict[str, list[ChildResult]] = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
    for child in children:
        if child.status != "SUCCEEDED" or child.attempt >= attempt:
            groups[_FILES.get(child.status, "FAILED")].append(child)
    return groups


def _contents(children: Iterable[ChildResult], config: WriterConfig, file_bytes: int) -> Iterator[bytes]:
    """The contents of the files that hold ``children``, each as large as it may be; none without children."""
    before, between, after = (b"", b"\n", b"\n") if config.output_type == "JSONL" else (b"[", b",", b"]")
    held: list[bytes] = []
    size = 0
    begun = False
    for child in children:
        begun = True
        for value in values_of(child, config.transformation):
            data = payload.to_text(value).encode("utf-8", "surrogatepass")
            if held and size + len(between) + len(data) + len(after) > file_bytes:
                yield before + between.join(held) + after
                held, size = [], 0
            size += len(data) + (len(between) if held else len(before))
            held.append(data)
    if begun:
        yield before + between.join(held) + (after if held or before else b"")
