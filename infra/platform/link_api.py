"""`LinkApi`: the HTTP address behind the links in approval messages."""

from __future__ import annotations

from aws_cdk import aws_apigatewayv2, aws_lambda
from constructs import Construct

from infra.arns import Arns
from infra.logs import log_group
from infra.settings import Settings
from stepweave.deployed import names

ROUTES = ("GET /approvals/{link}", "POST /approvals/{link}")
"""GET shows a page, since mail scanners follow links; POST decides."""

REQUESTS_PER_SECOND = 10
"""People decide, not programs; more is somebody who guesses links."""

_LOGGED = (
    '{"at":"$context.requestTime","route":"$context.routeKey","status":"$context.status",'
    '"from":"$context.identity.sourceIp","request":"$context.requestId","error":"$context.error.message"}'
)
"""An access log line. Never the path: a link is a key."""


class LinkApi(Construct):
    """An HTTP API with two routes. The signed, single-use link says who may decide, so they ask for no other key."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, arns: Arns) -> None:
        super().__init__(scope, id)
        self._api = aws_apigatewayv2.CfnApi(
            self,
            "Api",
            name=names.function_name(settings.env, "approvals"),
            description=f"stepweave {settings.env}: approval links",
            protocol_type="HTTP",
        )
        # With this prefix CloudWatch needs no resource policy that grows
        # (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html).
        group = f"/aws/vendedlogs/{names.function_name(settings.env, 'approval-links')}"
        logs = log_group(self, "Logs", name=group, settings=settings)
        stage = aws_apigatewayv2.CfnStage
        made = stage(
            self,
            "Stage",
            api_id=self._api.ref,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=stage.AccessLogSettingsProperty(
                # Not its attribute, which ends with a wildcard.
                destination_arn=arns.log_group(group).removesuffix(":*"),
                format=_LOGGED,
            ),
            default_route_settings=stage.RouteSettingsProperty(
                throttling_rate_limit=REQUESTS_PER_SECOND, throttling_burst_limit=2 * REQUESTS_PER_SECOND
            ),
        )
        made.add_resource_dependency(logs)
        self.url: str = self._api.attr_api_endpoint

    def serve(self, alias_arn: str, arns: Arns) -> None:
        """Let the function answer."""
        integration = aws_apigatewayv2.CfnIntegration(
            self,
            "Integration",
            api_id=self._api.ref,
            integration_type="AWS_PROXY",
            integration_uri=alias_arn,
            payload_format_version="2.0",
        )
        for route in ROUTES:
            aws_apigatewayv2.CfnRoute(
                self,
                route.split()[0].capitalize(),
                api_id=self._api.ref,
                route_key=route,
                target=f"integrations/{integration.ref}",
                authorization_type="NONE",
            )
        aws_lambda.CfnPermission(
            self,
            "Invoke",
            action="lambda:InvokeFunction",
            function_name=alias_arn,
            principal="apigateway.amazonaws.com",
            source_arn=(
                f"arn:{arns.partition}:execute-api:{arns.region}:{arns.account}:{self._api.ref}/*/*/approvals/*"
            ),
        )
