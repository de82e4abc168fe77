"""The state machine of orders, tested: copy this beside a machine of your own."""

from stepweave.testing import Error, StepweaveEngine

ORDER = {"id": "o-1", "items": [{"sku": "tea", "quantity": 2}, {"sku": "cup", "quantity": 1}]}
PRICES = {"tea": "4.5", "cup": "12"}


def price(arguments):
    return {"Item": {"price": {"N": PRICES[arguments["Key"]["sku"]["S"]]}}}


FAKES = {
    "Look up price": price,
    "Charge card": {"Payload": {"id": "charge-1"}},
    "sns:publish": {"MessageId": "m-1"},
    "Ship": {"Payload": {"parcel": "p-1"}},
}


def test_an_order_is_priced_charged_and_shipped(stepweave_engine: StepweaveEngine) -> None:
    run = stepweave_engine("orders.asl.json", ORDER, fakes=FAKES)

    assert run.succeeded() == {"order": "o-1", "total": 21, "charge": "charge-1", "parcel": "p-1"}
    assert run.path == ["Anything ordered?", "Price items", "Charge card", "Deliver"]
    assert run.path_of("Deliver", 1) == ["Time to change one's mind", "Ship"]
    assert [call.arguments["Payload"] for call in run.calls_to("Charge card")] == [
        {"order": "o-1", "amount": 21}
    ]
    assert run.elapsed == 3600


def test_the_card_network_is_asked_again_with_longer_and_longer_pauses(
    stepweave_engine: StepweaveEngine,
) -> None:
    broken = Error("CardNetworkError")
    charge = [broken, broken, {"Payload": {"id": "charge-1"}}]

    run = stepweave_engine("orders.asl.json", ORDER, fakes={**FAKES, "Charge card": charge})

    run.succeeded()
    assert len(run.calls_to("Charge card")) == 3
    assert run.elapsed == 5 + 10 + 3600


def test_a_declined_card_ends_the_order_before_anything_is_shipped(stepweave_engine: StepweaveEngine) -> None:
    declined = Error("CardDeclined", "no funds")

    run = stepweave_engine("orders.asl.json", ORDER, fakes={**FAKES, "Charge card": declined})

    assert run.failed_with("OrderDeclined") == "no funds"
    assert run.calls_to("Ship") == []


def test_an_empty_order_calls_nothing(stepweave_engine: StepweaveEngine) -> None:
    run = stepweave_engine("orders.asl.json", {"id": "o-2", "items": []}, fakes=FAKES)

    run.failed_with("EmptyOrder")
    assert run.calls == []


def test_the_amount_that_is_charged(stepweave_engine: StepweaveEngine) -> None:
    state = stepweave_engine.state(
        "orders.asl.json", "Charge card", variables={"order": "o-1", "total": 21}, fakes=FAKES
    )

    assert state.calls[0].arguments["Payload"] == {"order": "o-1", "amount": 21}
    assert state.next == "Deliver"
    assert state.variables == {"charge": "charge-1"}
