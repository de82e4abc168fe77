from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from infra.settings import Settings, load, parse
from infra.settings_errors import SettingsError
from stepweave.errors import Problem

ROOT = Path(__file__).resolve().parents[2]
FILE = "infra/environments/dev.toml"
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "infra/environments").glob("*.toml"))


def problems(given: dict[str, Any]) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError) as raised:
        parse("dev", given, FILE)
    return raised.value.problems


def test_the_environments_are_those_that_the_documents_name() -> None:
    assert ENVIRONMENTS == ["dev", "local", "prod", "staging"]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_committed_environment_can_be_read(env: str) -> None:
    assert load(env, ROOT).env == env


def test_an_empty_file_gives_the_defaults() -> None:
    settings = parse("dev", {}, FILE)
    assert settings.account is None
    assert settings.removal_policy == "retain"
    assert settings.deploy.shift == "all-at-once"
    assert not settings.alarms.per_dag
    assert not settings.is_local


def test_production_keeps_what_it_stores_and_shifts_step_by_step() -> None:
    prod = load("prod", ROOT)
    assert (prod.removal_policy, prod.deploy.shift, prod.tracing) == ("retain", "canary", True)


def test_the_local_aws_has_the_processor_and_the_python_of_this_machine() -> None:
    local = load("local", ROOT)
    arm = platform.machine().lower() in ("arm64", "aarch64")
    assert local.is_local
    assert local.architecture == ("arm64" if arm else "x86_64")
    assert local.python == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_an_environment_without_a_file_is_refused_with_the_nearest_that_has_one() -> None:
    with pytest.raises(SettingsError) as raised:
        load("prd", ROOT)
    (problem,) = raised.value.problems
    assert problem.code == "unknown-environment"
    assert problem.expected == "the file infra/environments/prd.toml"
    assert problem.got == "files of dev, local, prod, staging"
    assert problem.fix is not None
    assert problem.fix.startswith("did you mean 'prod'?")


def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "infra/environments"
    folder.mkdir(parents=True)
    (folder / "dev.toml").write_text('region = "eu-west-1"\naccount = 1 2\n')
    with pytest.raises(SettingsError) as raised:
        load("dev", tmp_path)
    (problem,) = raised.value.problems
    assert (problem.code, problem.file, problem.line) == ("settings-syntax", FILE, 2)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "infra/environments"
    folder.mkdir(parents=True)
    (folder / "dev.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="this is no TOML"):
        load("dev", tmp_path)


def test_an_unknown_key_is_told_with_the_nearest_one() -> None:
    (problem,) = problems({"regoin": "eu-west-1"})
    assert (problem.code, problem.file, problem.got) == ("setting-unknown", FILE, "regoin")
    assert problem.fix == "did you mean 'region'?"
    assert problem.expected is not None
    assert "removal_policy" in problem.expected
    assert "env," not in problem.expected


def test_an_unknown_key_of_a_table_is_compared_with_those_of_the_table() -> None:
    (problem,) = problems({"queues": {"cpu": {"max_vcpu": 1}}})
    assert problem.what == "[queues.cpu] has a key 'max_vcpu', which no setting has"
    assert problem.fix == "did you mean 'max_vcpus'?"


def test_an_unknown_table_names_those_that_there_are() -> None:
    (problem,) = problems({"queues": {"quantum": {}}})
    assert problem.fix == "use one of: cpu, cpu_spot, fargate, gpu, gpu_spot"


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    found = problems({"region": "mars", "tracing": "yes", "regoin": "x", "retention": {"logs_days": 2}})
    assert {problem.code for problem in found} == {"setting-unknown", "setting-value"}
    assert len(found) == 4


@pytest.mark.parametrize(
    "given,key,expected",
    [
        ({"account": "123"}, "account", r"text that matches ^\d{12}$"),
        ({"account": 123456789012}, "account", "string"),
        ({"region": "europe"}, "region", "text that matches"),
        ({"architecture": "arm"}, "architecture", "'arm64' or 'x86_64'"),
        ({"python": "3.9"}, "python", "'3.11', '3.12', '3.13' or '3.14'"),
        ({"tracing": 1}, "tracing", "boolean"),
        ({"tags": {"team": 1}}, "tags.team", "string"),
        ({"tags": {"team": "data & ml"}}, "tags.team", "text that matches"),
        ({"alarms": {"warn_emails": ["nobody"]}}, "alarms.warn_emails[0]", "text that matches"),
        ({"queues": {"gpu": {"max_vcpus": 0}}}, "queues.gpu.max_vcpus", "greater than or equal to 1"),
        (
            {"queues": {"gpu": {"instance_types": ["G5"]}}},
            "queues.gpu.instance_types[0]",
            "text that matches",
        ),
        ({"retention": {"logs_days": 2}}, "retention.logs_days", "1, 3, 5, 7"),
        ({"deploy": {"percent": 100}}, "deploy.percent", "less than or equal to 99"),
        ({"network": {"cidr": "10.0.0.0"}}, "network.cidr", "text that matches"),
        ({"network": "none"}, "network", "Network"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_expected(given: dict[str, Any], key: str, expected: str) -> None:
    (problem,) = problems(given)
    assert problem.what == f"{key} has a wrong value"
    assert problem.expected is not None
    assert expected in problem.expected
    assert problem.got is not None


def test_the_fix_of_a_wrong_value_says_what_the_setting_means() -> None:
    (problem,) = problems({"retention": {"records_days": "a year"}})
    assert problem.fix == "retention.records_days means: Records of runs."


def test_a_linear_shift_takes_no_longer_than_cloudformation_shifts() -> None:
    (problem,) = problems({"deploy": {"shift": "linear", "percent": 30, "minutes": 600}})
    assert problem.expected == "a linear shift of at most 2100 minutes; 4 steps take 2400"
    assert parse("dev", {"deploy": {"shift": "linear", "percent": 34, "minutes": 700}}, "dev.toml")
    assert parse("dev", {"deploy": {"shift": "canary", "percent": 1, "minutes": 2_100}}, "dev.toml")


def test_an_existing_vpc_needs_its_id_and_subnets() -> None:
    (problem,) = problems({"network": {"mode": "existing", "vpc_id": "vpc-1a"}})
    assert problem.expected == 'mode "existing" needs vpc_id and subnet_ids'


def test_a_vpc_that_is_created_takes_no_id() -> None:
    (problem,) = problems({"network": {"vpc_id": "vpc-1a"}})
    assert problem.expected is not None
    assert 'for mode "existing"' in problem.expected


def test_a_cache_cannot_outlive_what_it_points_to() -> None:
    (problem,) = problems({"retention": {"artifacts_days": 30, "cache_days": 60}})
    assert problem.expected is not None
    assert "cache_days at most artifacts_days (30)" in problem.expected


@pytest.mark.parametrize("env", ["Dev", "my-env", "1st", "a", "environment123"])
def test_names_of_environments_hold_nothing_that_would_make_prefixes_ambiguous(env: str) -> None:
    with pytest.raises(SettingsError):
        parse(env, {}, FILE)


def test_the_name_of_the_environment_is_no_key_of_the_file() -> None:
    assert parse("dev", {}, FILE).env == "dev"
    (problem,) = problems({"env": "prod"})
    assert problem.fix == "take it out: the file's name is the environment's"


def every_field(model: type[BaseModel], prefix: str = "") -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, field in model.model_fields.items():
        if not field.exclude:
            found[prefix + name] = field.description
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= every_field(field.annotation, f"{prefix}{name}.")
    return found


@pytest.mark.parametrize("key,text", every_field(Settings).items())
def test_every_setting_says_what_it_means(key: str, text: str | None) -> None:
    assert text is not None, key
    assert text.endswith(".")
