import pytest
from botocore.exceptions import ClientError

from stepweave.stores.conditional_writes import wrote


class Client:
    """A client of DynamoDB that fails with these errors, one by one, before it writes."""

    class exceptions:  # noqa: N801 (boto3's name)
        ClientError = ClientError

    def __init__(self, *errors):
        self.errors, self.written = list(errors), []

    def update_item(self, **asked):
        if self.errors:
            raise self.errors.pop(0)
        self.written.append(asked)


def error(code, *reasons):
    answer = {"Error": {"Code": code, "Message": code}}
    if reasons:
        answer["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(answer, "UpdateItem")


CONFLICTS = [
    error("TransactionConflictException"),
    error("TransactionCanceledException", "None", "TransactionConflict"),
]


def test_a_write_that_meets_a_transaction_is_made_again_after_growing_pauses():
    client, slept = Client(*CONFLICTS * 3), []
    assert wrote(client, "update_item", sleep=slept.append, Key="k")
    assert client.written == [{"Key": "k"}]
    assert len(slept) == 6
    assert slept[0] < slept[-1]


def test_a_write_that_meets_transactions_without_end_is_given_up():
    client = Client(*CONFLICTS * 10)
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        wrote(client, "update_item", sleep=lambda seconds: None)
    assert client.written == []


@pytest.mark.parametrize(
    "refusal",
    [
        error("ConditionalCheckFailedException"),
        error("TransactionCanceledException", "ConditionalCheckFailed", "None"),
        error("TransactionCanceledException", "TransactionConflict", "ConditionalCheckFailed"),
    ],
)
def test_a_write_whose_condition_does_not_hold_is_not_made_again(refusal):
    client = Client(refusal)
    assert not wrote(client, "update_item", sleep=pytest.fail)
    assert client.written == []


@pytest.mark.parametrize("code", ["ThrottlingException", "TransactionCanceledException"])
def test_other_errors_are_those_of_the_caller(code):
    with pytest.raises(ClientError, match=code):
        wrote(Client(error(code, "ValidationError")), "update_item", sleep=pytest.fail)
