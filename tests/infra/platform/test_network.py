from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

from infra.platform.network import ENDPOINTS, Network
from infra.settings import parse
from tests.infra.conftest import Synthesized
from tests.infra.templates import Template


@pytest.fixture(scope="module")
def behind_nat(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return network(tmp_path_factory.mktemp("nat"), {"egress": "nat"})


@pytest.fixture(scope="module")
def existing(tmp_path_factory: pytest.TempPathFactory) -> Template:
    given = {"mode": "existing", "vpc_id": "vpc-1a", "subnet_ids": ["subnet-2b", "subnet-3c"]}
    return network(tmp_path_factory.mktemp("existing"), given)


def network(folder: Path, given: dict[str, Any]) -> Template:
    app = App(outdir=str(folder), analytics_reporting=False)
    stack = Stack(app, "network")
    Network(stack, "Network", settings=parse("dev", {"network": given}, "dev.toml"))
    app.synth()
    file = folder / "network.template.json"
    return Template(file, json.loads(file.read_text()))


def test_jobs_reach_out_and_nobody_reaches_them(whole_app: Synthesized, behind_nat: Template) -> None:
    for template in (whole_app.platform, behind_nat):
        group = template.only("EC2::SecurityGroup")
        assert "SecurityGroupIngress" not in group
        assert template.of_type("EC2::SecurityGroupIngress") == {}
        assert [one["CidrIp"] for one in group["SecurityGroupEgress"]] == ["0.0.0.0/0"]


def test_s3_and_dynamodb_are_reached_without_a_price(whole_app: Synthesized, behind_nat: Template) -> None:
    for template in (whole_app.platform, behind_nat):
        endpoints = template.of_type("EC2::VPCEndpoint").values()
        assert {one["VpcEndpointType"] for one in endpoints} == {"Gateway"}
        assert len(endpoints) == 2


def test_an_idle_network_costs_nothing_by_default(whole_app: Synthesized, dev_platform: Synthesized) -> None:
    for app in (whole_app, dev_platform):
        assert app.platform.of_type("EC2::NatGateway") == {}
        assert app.platform.of_type("EC2::EIP") == {}


def test_there_is_a_subnet_in_each_zone_that_is_wanted(
    whole_app: Synthesized, dev_platform: Synthesized
) -> None:
    for app in (whole_app, dev_platform):
        zones = [one["AvailabilityZone"] for one in app.platform.of_type("EC2::Subnet").values()]
        assert [zone["Fn::Select"][0] for zone in zones] == list(range(app.settings.network.zones))


def test_behind_a_nat_gateway_jobs_have_no_address_of_their_own(behind_nat: Template) -> None:
    assert len(behind_nat.of_type("EC2::NatGateway")) == 1
    public = [one.get("MapPublicIpOnLaunch") for one in behind_nat.of_type("EC2::Subnet").values()]
    assert public.count(False) == 2


def test_with_endpoints_there_is_no_way_to_the_internet(told_platform: Synthesized) -> None:
    template = told_platform.platform
    assert template.of_type("EC2::InternetGateway") == {}
    interfaces = [
        str(one["ServiceName"])
        for one in template.of_type("EC2::VPCEndpoint").values()
        if one["VpcEndpointType"] == "Interface"
    ]
    assert len(interfaces) == len(ENDPOINTS)
    for name in ENDPOINTS:
        assert any(name in service for service in interfaces), name


def test_an_existing_vpc_is_used_as_it_is(existing: Template) -> None:
    assert {one["Type"] for one in existing.resources.values()} == {"AWS::EC2::SecurityGroup"}
    assert existing.only("EC2::SecurityGroup")["VpcId"] == "vpc-1a"


def test_what_the_network_refuses_is_logged(whole_app: Synthesized) -> None:
    log = whole_app.platform.only("EC2::FlowLog")
    assert log["TrafficType"] == "REJECT"
    group = whole_app.platform.named("Logs::LogGroup", "LogGroupName", log["LogGroupName"])
    assert group["RetentionInDays"] == whole_app.settings.retention.logs_days
