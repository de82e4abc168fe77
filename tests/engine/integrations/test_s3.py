"""``aws-sdk:s3`` over the engine's own objects."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepweave.engine.clock import VirtualClock
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.aws_sdk import aws_integrations
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.integrations.s3 import ACTIONS, s3_integrations
from stepweave.engine.object_folder import FolderObjects
from stepweave.engine.objects import MemoryObjects, Objects
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import machine
from tests.engine.integrations.aws_tasks import aws

PLACE = {"Bucket": "bucket", "Key": "k"}
DESCRIBED = {
    "AcceptRanges": "bytes",
    "ContentLength": 9,
    "ContentType": "binary/octet-stream",
    "ETag": '"332eec544317a6d340b8e77da7fe54ad"',
    "LastModified": "1970-01-01T00:00:00Z",
    "Metadata": {},
    "ServerSideEncryption": "AES256",
}


def s3(action: str, **arguments: Any) -> dict[str, Any]:
    """A Task that does this with an object."""
    return aws(f"aws-sdk:s3:{action}", {**PLACE, **arguments})


def listing(**arguments: Any) -> dict[str, Any]:
    return aws("aws-sdk:s3:listObjectsV2", {"Bucket": "bucket", **arguments})


def engine_of(objects: Objects, *tasks: dict[str, Any]) -> Engine:
    definition = machine(*((f"t{index}", task) for index, task in enumerate(tasks)))
    integrations = {**aws_integrations(AwsServices()), **s3_integrations(objects)}
    return Engine({"main": parse(definition, "main")}, integrations, clock=VirtualClock())


def ran(objects: Objects, *tasks: dict[str, Any], value: Any = None) -> Execution:
    engine = engine_of(objects, *tasks)
    return engine.clock.run(engine.run("main", value, "run-1"))


def result_of(objects: Objects, *tasks: dict[str, Any], value: Any = None) -> Any:
    execution = ran(objects, *tasks, value=value)
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    return execution.output


def bucket(**contents: bytes | str) -> MemoryObjects:
    return MemoryObjects({"bucket": contents})


def content(objects: Objects, key: str = "k") -> bytes:
    return asyncio.run(objects.read("bucket", key))


def test_an_object_is_read_as_recorded() -> None:
    assert result_of(bucket(k="text data"), s3("getObject")) == {**DESCRIBED, "Body": "text data"}
    assert result_of(bucket(k=""), s3("getObject"))["Body"] == ""


def test_an_object_is_described_without_its_content() -> None:
    assert result_of(bucket(k="text data"), s3("headObject")) == DESCRIBED


def test_what_is_not_text_is_base64() -> None:
    assert result_of(bucket(k=b"\xff\x00"), s3("getObject"))["Body"] == "/wA="


@pytest.mark.parametrize(
    "body,written",
    [
        ("text data", b'"text data"'),
        ({"Dict": "Value"}, b'{"Dict":"Value"}'),
        (["List", "Data"], b'["List","Data"]'),
        (False, b"false"),
        (0, b"0"),
        ("größe", '"größe"'.encode()),
    ],
)
def test_a_body_is_written_as_json_as_recorded(body: Any, written: bytes) -> None:
    objects = bucket()
    result = result_of(objects, s3("putObject", Body="{% $states.input %}"), value=body)
    assert content(objects) == written
    assert (sorted(result), result["ServerSideEncryption"]) == (["ETag", "ServerSideEncryption"], "AES256")
    if body == "text data":
        assert result["ETag"] == '"2b5df3712557f503a9977a8ea893b2c9"'


def test_without_a_body_an_object_is_empty() -> None:
    objects = bucket()
    assert result_of(objects, s3("putObject"))["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'
    assert content(objects) == b""


def test_type_and_metadata_come_back_and_the_time_is_the_clocks() -> None:
    put = s3("putObject", Body={}, ContentType="application/json", Metadata={"a": "1"})
    put["Assign"] = {"at": "{% $states.context.State.EnteredTime %}"}
    head = {**s3("headObject"), "Output": {"found": "{% $states.result %}", "at": "{% $at %}"}}
    output = result_of(bucket(), {"Type": "Wait", "Seconds": 90}, put, head)
    found = output["found"]
    assert (found["ContentType"], found["Metadata"]) == ("application/json", {"a": "1"})
    assert found["LastModified"] == f"{output['at'][:19]}Z"


def test_a_part_is_read_by_its_range() -> None:
    objects = bucket(k="0123456789")
    for text, body, told in (
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=-99", "0123456789", "bytes 0-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ):
        found = result_of(objects, s3("getObject", Range=text))
        assert (found["Body"], found["ContentRange"], found["ContentLength"]) == (body, told, len(body))
    for text in ("bytes=5-2", "lines=1-2", "bytes=-"):
        assert result_of(objects, s3("getObject", Range=text))["Body"] == "0123456789"
    for text in ("bytes=10-", "bytes=-0"):
        execution = ran(objects, s3("getObject", Range=text))
        assert execution.error == "S3.S3Exception"
        assert "Status Code: 416" in (execution.cause or "")


@pytest.mark.parametrize("action", ["getObject", "headObject"])
def test_reading_may_be_conditional(action: str) -> None:
    objects, etag = bucket(k="text data"), DESCRIBED["ETag"]
    assert result_of(objects, s3(action, IfMatch=etag))["ETag"] == etag
    assert "Status Code: 412" in (ran(objects, s3(action, IfMatch="other")).cause or "")
    assert "Status Code: 304" in (ran(objects, s3(action, IfNoneMatch=etag)).cause or "")


def test_writing_may_be_conditional() -> None:
    objects = bucket()
    create = s3("putObject", Body=[1], IfNoneMatch="*")
    assert ran(objects, create).status == "SUCCEEDED"
    again = ran(objects, create)
    assert again.error == "S3.S3Exception"
    assert (again.cause or "").startswith("At least one of the pre-conditions you specified did not hold")
    change = s3("putObject", Body=[2], IfMatch="{% $states.input.ETag %}")
    assert ran(objects, s3("headObject"), change).status == "SUCCEEDED"
    assert content(objects) == b"[2]"
    assert ran(objects, s3("putObject", Body="x", IfMatch="other")).error == "S3.S3Exception"
    assert ran(objects, s3("putObject", Key="new", IfMatch="*")).error == "S3.NoSuchKeyException"


@pytest.mark.parametrize(
    "task,error,cause",
    [
        (s3("getObject", Key="gone"), "S3.NoSuchKeyException", "The specified key does not exist."),
        (s3("headObject", Key="gone"), "S3.NoSuchKeyException", "The specified key does not exist."),
        (s3("headObject", Bucket="gone"), "S3.NoSuchKeyException", "The specified key does not exist."),
        (s3("getObject", Bucket="gone"), "S3.NoSuchBucketException", "The specified bucket does not exist."),
        (s3("putObject", Bucket="gone"), "S3.NoSuchBucketException", "The specified bucket does not exist."),
        (s3("deleteObject", Bucket="gone"), "S3.NoSuchBucketException", "The specified bucket does not exist."),
        (listing(Bucket="gone"), "S3.NoSuchBucketException", "The specified bucket does not exist."),
        (s3("copyObject", CopySource="bucket/gone"), "S3.NoSuchKeyException", "The specified key does not exist."),
        (s3("copyObject", CopySource="nothing"), "S3.S3Exception", "Invalid copy source object key"),
        (s3("copyObject", CopySource="bucket/k"), "S3.S3Exception", "This copy request is illegal"),
        (s3("copyObject", CopySource="bucket/k", MetadataDirective="X"), "S3.S3Exception", "Unknown metadata"),
        (s3("getObject", VersionId="v1"), "S3.S3Exception", "The specified version does not exist."),
        (s3("deleteObject", VersionId="v1"), "S3.S3Exception", "The specified version does not exist."),
        (s3("putObject", Key="x" * 1025), "S3.S3Exception", "Your key is too long"),
        (listing(MaxKeys="{% -1 %}"), "S3.S3Exception", "Argument maxKeys must be an integer"),
        (listing(ContinuationToken="???"), "S3.S3Exception", "The continuation token provided is incorrect"),
    ],
)  # fmt: skip
def test_failures_have_the_names_of_the_sdk_and_can_be_caught(
    task: dict[str, Any], error: str, cause: str
) -> None:
    caught = {**task, "Catch": [{"ErrorEquals": [error], "Next": "t1"}]}
    output = result_of(bucket(k="x"), caught, {"Type": "Pass"})
    assert (output["Error"], output["Cause"][: len(cause)]) == (error, cause)


def test_an_object_is_copied_with_what_is_known_of_it() -> None:
    objects = bucket()
    put = s3("putObject", Body=[1], ContentType="a/b", Metadata={"x": "1"})
    copy = s3("copyObject", Key="copy to", CopySource="/bucket/k?versionId=null")
    back = s3(
        "copyObject",
        Key="back",
        CopySource="bucket/copy%20to",
        MetadataDirective="REPLACE",
        ContentType="c/d",
    )
    result = result_of(objects, put, copy)
    assert sorted(result) == ["CopyObjectResult", "ServerSideEncryption"]
    assert sorted(result["CopyObjectResult"]) == ["ETag", "LastModified"]
    copied = result_of(objects, s3("getObject", Key="copy to"))
    assert (copied["Body"], copied["ContentType"], copied["Metadata"]) == ("[1]", "a/b", {"x": "1"})
    replaced = result_of(objects, back, s3("getObject", Key="back"))
    assert (replaced["Body"], replaced["ContentType"], replaced["Metadata"]) == ("[1]", "c/d", {})


def test_a_deleted_object_is_gone() -> None:
    objects = bucket(k="x")
    assert result_of(objects, s3("deleteObject"), s3("deleteObject")) == {}
    assert ran(objects, s3("getObject")).error == "S3.NoSuchKeyException"


def test_a_listing_is_in_order() -> None:
    objects = bucket(**{"b": "12", "a/1": "", "a/2": "x"})
    assert result_of(objects, listing(Prefix="a/2")) == {
        "Contents": [
            {
                "ETag": '"9dd4e461268c8034f5c8564e155c67a6"',
                "Key": "a/2",
                "LastModified": "1970-01-01T00:00:00Z",
                "Size": 1,
                "StorageClass": "STANDARD",
            }
        ],
        "IsTruncated": False,
        "KeyCount": 1,
        "MaxKeys": 1000,
        "Name": "bucket",
        "Prefix": "a/2",
    }
    assert [entry["Key"] for entry in result_of(objects, listing())["Contents"]] == ["a/1", "a/2", "b"]
    after = result_of(objects, listing(StartAfter="a/1"))
    assert ([entry["Key"] for entry in after["Contents"]], after["StartAfter"]) == (["a/2", "b"], "a/1")
    nothing = result_of(objects, listing(Prefix="none"))
    assert (nothing["KeyCount"], "Contents" in nothing) == (0, False)
    assert result_of(objects, listing(MaxKeys="{% 0 %}"))["IsTruncated"] is False


@pytest.mark.parametrize(
    "fields,pages",
    [
        ({}, [["a", "b/1"], ["b/2", "b/x/3"], ["c", "d/4"]]),
        ({"Delimiter": "/"}, [["a", "b/"], ["c", "d/"]]),
        ({"Delimiter": "/", "Prefix": "b/"}, [["b/1", "b/2"], ["b/x/"]]),
        ({"Delimiter": "/", "StartAfter": "b/9"}, [["b/", "c"], ["d/"]]),
    ],
)
def test_a_listing_goes_on_with_its_token(fields: dict[str, Any], pages: list[list[str]]) -> None:
    objects = bucket(**dict.fromkeys(("a", "b/1", "b/2", "b/x/3", "c", "d/4"), ""))
    token: dict[str, str] = {}
    for number, page in enumerate(pages, 1):
        found = result_of(objects, listing(MaxKeys="{% 2 %}", **fields, **token))
        names = [entry["Key"] for entry in found.get("Contents", ())]
        names += [entry["Prefix"] for entry in found.get("CommonPrefixes", ())]
        assert (sorted(names), found["KeyCount"]) == (page, len(page))
        assert found["IsTruncated"] is (number < len(pages))
        token = {"ContinuationToken": found.get("NextContinuationToken", "")}


def test_at_most_1000_names_are_listed_at_once() -> None:
    found = result_of(bucket(**{f"{number:04}": "" for number in range(1001)}), listing(MaxKeys="{% 5000 %}"))
    assert (found["KeyCount"], found["MaxKeys"], found["IsTruncated"]) == (1000, 1000, True)


def test_a_folder_is_a_bucket(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    objects = FolderObjects(tmp_path)
    assert (
        result_of(objects, s3("putObject", Key="a/b", Body={"n": 1}), s3("getObject", Key="a/b"))["Body"]
        == '{"n":1}'
    )
    assert (tmp_path / "bucket" / "a" / "b").read_bytes() == b'{"n":1}'


@pytest.mark.parametrize(
    "task,what,fix",
    [
        (s3("getObjects"), "names no action of S3 that this engine has", "mock the state"),
        (s3("deleteObjects"), "names no action of S3 that this engine has", "mock the state"),
        (s3("putObject", Boddy="x"), "'Boddy' is not supported", "write Body"),
        (s3("putObject", StorageClass="GLACIER"), "'StorageClass' is not supported", "leave it out"),
        (s3("putObject", Metadata=["x"]), "'Metadata' must be an OBJECT", "an OBJECT"),
        (aws("aws-sdk:s3:getObject", {"Bucket": "b"}), "'Key' is required but was missing", "Key"),
    ],
)
def test_what_is_not_served_is_found_before_anything_runs(task: dict[str, Any], what: str, fix: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        engine_of(bucket(), task)
    assert what in str(caught.value)
    assert fix in str(caught.value)


def test_a_wrong_argument_that_was_computed_fails_the_execution() -> None:
    execution = ran(bucket(), aws("aws-sdk:s3:getObject", "{% {'Bucket': 'bucket', 'Key': 5} %}"))
    assert execution.error == "States.Runtime"
    assert "must be a STRING" in (execution.cause or "")


def test_what_changes_nothing_here_may_be_given() -> None:
    put = s3("putObject", Body="x", Acl="private", ServerSideEncryption="aws:kms", SsekmsKeyId="key")
    assert result_of(bucket(), put)["ServerSideEncryption"] == "aws:kms"


@pytest.mark.parametrize("action", ACTIONS)
def test_every_argument_is_one_of_the_api(action: str) -> None:
    model = get_session().get_service_model("s3")
    shape = model.operation_model(f"{action[0].upper()}{action[1:]}").input_shape
    known = ACTIONS[action].shape
    assert set(known.required_members) == set(shape.required_members)
    others = {name for other in ACTIONS.values() for name in other.shape.members or ()}
    for name, member in (known.members or {}).items():
        if name in shape.members:
            given = "blob" if name == "Body" else shape.members[name].type_name
            assert given in (member.type_name, "blob", "structure")
        else:
            assert name in others


VALUES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(
    ["bucket", "k", "*", "bytes=0-", "bucket/k", "", "a/b", "YQ==", "null", [], {}, {"a": "b"}, "\ud800", "x/../y"]
)  # fmt: skip
FIELDS = (
    "Bucket", "Key", "Body", "Range", "VersionId", "IfMatch", "IfNoneMatch", "CopySource", "Prefix",
    "Delimiter", "MaxKeys", "ContinuationToken", "StartAfter", "Metadata", "MetadataDirective", "ContentType",
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(ACTIONS)), st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5))
def test_whatever_is_given_the_execution_ends(tmp_path: Path, action: str, arguments: dict[str, Any]) -> None:
    (tmp_path / "bucket").mkdir(exist_ok=True)
    task = aws(f"aws-sdk:s3:{action}", "{% $states.input %}")
    for objects in (bucket(k="x"), FolderObjects(tmp_path)):
        assert ran(objects, task, value={**PLACE, **arguments}).status in ("SUCCEEDED", "FAILED")
