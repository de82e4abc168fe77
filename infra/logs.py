"""Log groups."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, aws_logs
from constructs import Construct

from infra.removal import removal_policy
from infra.settings import Settings


def log_group(
    scope: Construct, id: str, *, name: str, settings: Settings, removal: RemovalPolicy | None = None
) -> aws_logs.LogGroup:
    """A log group that keeps what the settings say; encrypted by CloudWatch, which costs nothing."""
    return aws_logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        # By number: the enumeration of CDK has a word for each.
        retention=_RETENTION[settings.retention.logs_days],
        removal_policy=removal or removal_policy(settings),
    )


_DAYS = aws_logs.RetentionDays
_RETENTION: dict[int, aws_logs.RetentionDays] = {
    1: _DAYS.ONE_DAY,
    3: _DAYS.THREE_DAYS,
    5: _DAYS.FIVE_DAYS,
    7: _DAYS.ONE_WEEK,
    14: _DAYS.TWO_WEEKS,
    30: _DAYS.ONE_MONTH,
    60: _DAYS.TWO_MONTHS,
    90: _DAYS.THREE_MONTHS,
    120: _DAYS.FOUR_MONTHS,
    150: _DAYS.FIVE_MONTHS,
    180: _DAYS.SIX_MONTHS,
    365: _DAYS.ONE_YEAR,
    400: _DAYS.THIRTEEN_MONTHS,
    545: _DAYS.EIGHTEEN_MONTHS,
    731: _DAYS.TWO_YEARS,
    1096: _DAYS.THREE_YEARS,
    1827: _DAYS.FIVE_YEARS,
    2192: _DAYS.SIX_YEARS,
    2557: _DAYS.SEVEN_YEARS,
    2922: _DAYS.EIGHT_YEARS,
    3288: _DAYS.NINE_YEARS,
    3653: _DAYS.TEN_YEARS,
}
