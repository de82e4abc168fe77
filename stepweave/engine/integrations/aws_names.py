"""How Step Functions names services, arguments and errors of AWS, told from botocore's names.

An ``aws-sdk`` integration has the names of the AWS SDK for Java 2.x, an optimized one those of version 1:
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import re
import string

# Services whose name is not botocore's without its hyphens: the packages of the AWS SDK for Java, by service id.
BOTOCORE_NAMES = {
    "applicationdiscovery": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costandusagereport": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "directoryservicedata": "ds-data",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuilding": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntimev2": "lexv2-runtime",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
    "simpledb": "sdb",
}

# The Java SDK renames a member whose getter would collide with a word of the language:
# https://github.com/aws/aws-sdk-java-v2, services/dynamodb, customization.config.
_RENAMED = {("AttributeValue", "NULL"): "Nul"}

_WORDS = re.compile(
    r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z][A-Za-z0-9])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[0-9])(?=[A-Za-z])"
)


def sdk_member(shape: str, member: str) -> str:
    """The name of a member of a structure in an aws-sdk integration: its leading capitals become lower case, but for
    the first and for the one that begins the next word.

    >>> [sdk_member("", name) for name in ("DBInstanceIdentifier", "ACL", "nextToken", "MD5OfBody", "MultiAZ")]
    ['DbInstanceIdentifier', 'Acl', 'NextToken', 'Md5OfBody', 'MultiAZ']
    """
    if (shape, member) in _RENAMED:
        return _RENAMED[shape, member]
    capitals = len(member) - len(member.lstrip(string.ascii_uppercase))
    if 1 < capitals < len(member) and member[capitals].islower():
        capitals -= 1
    name = member[:capitals].lower() + member[capitals:]
    return name[0].upper() + name[1:]


def optimized_member(shape: str, member: str) -> str:
    """The name of a member of a structure in an optimized integration: botocore's, with a capital.

    >>> optimized_member("AttributeValue", "BOOL"), optimized_member("Task", "taskArn")
    ('BOOL', 'TaskArn')
    """
    return member[0].upper() + member[1:]


def sdk_service(service_id: str) -> str:
    """How the errors of a service begin in an aws-sdk integration.

    >>> [sdk_service(name) for name in ("DynamoDB", "SQS", "CloudWatch Logs", "IoT", "Database Migration Service")]
    ['DynamoDb', 'Sqs', 'CloudWatchLogs', 'Iot', 'DatabaseMigration']
    """
    name = _pascal(service_id)
    for start in ("Amazon", "Aws"):
        name = name.removeprefix(start)
    return name.removesuffix("Service")


def sdk_error(shape: str | None, service: str) -> str:
    """The error name of an aws-sdk integration: of a modelled error by its ``shape``, else the service's own.

    >>> sdk_error("QueueDoesNotExist", "Sqs"), sdk_error("DBClusterNotFoundFault", "Rds"), sdk_error(None, "DynamoDb")
    ('Sqs.QueueDoesNotExistException', 'Rds.DbClusterNotFoundException', 'DynamoDb.DynamoDbException')
    """
    if shape is None:
        return f"{service}.{service}Exception"
    name = _pascal(shape.removesuffix("Fault").removesuffix("Exception")) + "Exception"
    return f"{service}.Default{name}" if name == f"{service}Exception" else f"{service}.{name}"


def _pascal(name: str) -> str:
    """PascalCase as the AWS SDK for Java writes it."""
    return "".join(word.lower().capitalize() for word in _WORDS.split(name))
