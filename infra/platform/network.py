"""`Network`: where Batch runs. Functions are in no VPC: they speak to AWS only, and start sooner.

| egress | what jobs reach | costs while idle |
|---|---|---|
| `public_ip` | the internet; nobody reaches them | nothing ($0.005 an hour and instance while one runs) |
| `nat` | the internet, from private subnets | $33 a month for the gateway |
| `endpoints` | AWS only, from private subnets | about $7.30 a month for each of 6 services and zone |

S3 and DynamoDB are reached by gateway endpoints in all three, which cost nothing.
"""

from __future__ import annotations

from aws_cdk import Fn, aws_ec2
from constructs import Construct

from infra.logs import log_group
from infra.needs import Need
from infra.roles import service_role
from infra.settings import Settings
from stepweave.deployed import names

ENDPOINTS = ("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs")
"""Services that an instance of Batch calls, besides S3:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html"""


class Network(Construct):
    """Subnets, and a security group that lets nothing in."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        wanted = settings.network
        if wanted.mode == "existing":
            self.vpc_id = wanted.vpc_id or ""
            self.subnet_ids = list(wanted.subnet_ids)
        else:
            vpc = self._vpc(settings)
            self.vpc_id = vpc.vpc_id
            self.subnet_ids = vpc.select_subnets(subnet_group_name="jobs").subnet_ids
        group = aws_ec2.CfnSecurityGroup(
            self,
            "Jobs",
            group_description=f"stepweave {settings.env}: jobs reach out, nobody reaches them",
            vpc_id=self.vpc_id,
            security_group_egress=[
                aws_ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="-1", cidr_ip="0.0.0.0/0", description="whatever a task reads and writes"
                )
            ],
        )
        self.security_group_id = group.attr_group_id

    def _vpc(self, settings: Settings) -> aws_ec2.Vpc:
        egress, zones = settings.network.egress, settings.network.zones
        kinds = {
            "public_ip": aws_ec2.SubnetType.PUBLIC,
            "nat": aws_ec2.SubnetType.PRIVATE_WITH_EGRESS,
            "endpoints": aws_ec2.SubnetType.PRIVATE_ISOLATED,
        }
        subnets = [aws_ec2.SubnetConfiguration(name="jobs", subnet_type=kinds[egress])]
        if egress == "nat":
            subnets.append(aws_ec2.SubnetConfiguration(name="gateway", subnet_type=aws_ec2.SubnetType.PUBLIC))
        services = aws_ec2.GatewayVpcEndpointAwsService
        vpc = aws_ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=aws_ec2.IpAddresses.cidr(settings.network.cidr),
            # By number and not by name: synthesis asks no account which zones it has.
            availability_zones=[Fn.select(zone, Fn.get_azs()) for zone in range(zones)],
            nat_gateways=1 if egress == "nat" else 0,
            subnet_configuration=subnets,
            # Closing it would take a function of its own; nothing is ever put into the default group.
            restrict_default_security_group=False,
            gateway_endpoints={
                "S3": aws_ec2.GatewayVpcEndpointOptions(service=services.S3),
                "DynamoDb": aws_ec2.GatewayVpcEndpointOptions(service=services.DYNAMODB),
            },
        )
        if egress == "endpoints":
            self._interface_endpoints(vpc)
        self._flow_logs(vpc, settings)
        return vpc

    def _interface_endpoints(self, vpc: aws_ec2.Vpc) -> None:
        for name in ENDPOINTS:
            vpc.add_interface_endpoint(
                "".join(part.capitalize() for part in name.replace("-", ".").split(".")),
                service=aws_ec2.InterfaceVpcEndpointAwsService(name),
                subnets=aws_ec2.SubnetSelection(subnet_group_name="jobs"),
            )

    def _flow_logs(self, vpc: aws_ec2.Vpc, settings: Settings) -> None:
        """What was refused, which is what one looks for: everything would cost more than the jobs' own logs."""
        name = names.function_log_group(settings.env, "network")
        group = log_group(self, "FlowLogs", name=name, settings=settings)
        role = service_role(
            self,
            "FlowLogsRole",
            service="vpc-flow-logs.amazonaws.com",
            needs=[
                Need(action=action, resource=group.attr_arn, by="flow logs")
                for action in ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
            ],
            description="Writes what the network refused",
        )
        aws_ec2.CfnFlowLog(
            self,
            "Refused",
            resource_id=vpc.vpc_id,
            resource_type="VPC",
            traffic_type="REJECT",
            log_destination_type="cloud-watch-logs",
            log_group_name=name,
            deliver_logs_permission_arn=role.attr_arn,
        ).node.add_dependency(group)
