import importlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from functions.notifier.messages import read
from functions.notifier.payloads import pager_duty, slack
from functions.shared import secrets as function_secrets
from stepweave.errors import UsageError
from tests.functions.environment_fakes import LambdaContext

ALARM = {
    "AlarmName": "stepweave-dev-runs-failing",
    "AlarmDescription": "Many runs fail; see https://runbook#runs-failing",
    "NewStateValue": "ALARM",
    "OldStateValue": "OK",
    "NewStateReason": "Threshold Crossed: 1 datapoint [9.0] was greater than the threshold (3.0).",
    "StateChangeTime": "2026-11-21T06:00:00.000+0000",
    "Region": "EU (Frankfurt)",
    "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:stepweave-dev-runs-failing",
}
RUN = {
    "stepweave": "run-ended",
    "env": "dev",
    "dag": "sales",
    "run_id": "r1",
    "status": "failed",
    "error": "DagRunFailed: failed: load <b>",
    "failed": ["load"],
    "started": "s",
    "ended": "e",
    "links": {"runbook": "docs/operating.md", "execution": "https://console/x"},
}
APPROVAL = {
    "stepweave": "approval",
    "env": "dev",
    "dag": "sales",
    "run_id": "r1",
    "task": "ok",
    "message": "Deploy?",
    "approvers": ["ana"],
    "expires": "soon",
    "link": "https://api/approvals/abc",
}
BLOCKED = {
    "stepweave": "queue-blocked",
    "env": "dev",
    "queue": "gpu",
    "job": "j1",
    "reason": "no capacity",
    "runbook": "https://r",
}
TOPICS = {"warn": "arn:warn", "page": "arn:page", "ask": "arn:ask"}


def test_an_alarm_says_what_happened_and_where_to_look():
    alert = read(json.dumps(ALARM))
    assert (alert.title, alert.is_over) == ("ALARM: stepweave-dev-runs-failing", False)
    assert "https://runbook#runs-failing" in alert.text
    assert "Threshold Crossed" in alert.text
    assert alert.links["Alarm"].startswith("https://eu-central-1.console.aws.amazon.com/cloudwatch/")


def test_an_alarm_that_is_over_resolves_what_it_had_raised():
    raised, over = read(json.dumps(ALARM)), read(json.dumps({**ALARM, "NewStateValue": "OK"}))
    events = [pager_duty(alert, "key", "dev") for alert in (raised, over)]
    assert [event["event_action"] for event in events] == ["trigger", "resolve"]
    assert events[0]["dedup_key"] == events[1]["dedup_key"] == "dev/alarm/stepweave-dev-runs-failing"


def test_a_failed_run_names_its_tasks():
    alert = read(json.dumps(RUN))
    assert (alert.title, alert.facts["Failed tasks"]) == ("sales failed in dev", "load")
    broken = read(json.dumps({**RUN, "failed": [], "status": "timed_out"}))
    assert (broken.title, broken.facts["Failed tasks"]) == (
        "sales ran out of time in dev",
        "none; the run itself broke off",
    )


def test_a_question_has_the_link_to_decide():
    alert = read(json.dumps(APPROVAL))
    assert (alert.text, alert.facts["Asked"], alert.links) == (
        "Deploy?",
        "ana",
        {"Decide": "https://api/approvals/abc"},
    )


def test_a_blocked_queue_is_told_of():
    alert = read(json.dumps(BLOCKED))
    assert (alert.title, alert.text) == ("Job queue gpu is blocked in dev", "no capacity")


@pytest.mark.parametrize(
    "message, text",
    [
        ("plain words\nmore", "plain words\nmore"),
        ("[1, 2]", "[1, 2]"),
        ('{"a": 1}', '{\n  "a": 1\n}'),
        ("", ""),
    ],
)
def test_any_other_message_is_handed_on(message, text):
    alert = read(message, "A subject")
    assert (alert.title, alert.key, alert.text) == ("A subject", "A subject", text)


def test_a_message_without_a_subject_has_its_first_line():
    assert read("plain words\nmore").title == "plain words"


def test_slack_gets_blocks_in_which_nothing_is_markup_that_is_not_ours():
    body = slack(read(json.dumps(RUN)))
    text = json.dumps(body, ensure_ascii=False)
    assert "load &lt;b&gt;" in text
    assert body["blocks"][0]["text"]["text"] == "🔴 sales failed in dev"
    assert body["blocks"][-1]["text"]["text"] == "<https://console/x|Execution>"


def test_payloads_keep_the_limits_of_slack_and_pagerduty():
    long = {**RUN, "error": "x" * 50_000, "dag": "d" * 5_000, "failed": ["t" * 5_000]}
    blocks = slack(read(json.dumps(long)))["blocks"]
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(
        len(block["text"]["text"]) <= 3000
        for block in blocks
        if block["type"] == "section" and "text" in block
    )
    assert all(len(field["text"]) <= 2000 for block in blocks for field in block.get("fields", ()))
    event = pager_duty(read(json.dumps(long)), "key", "dev")
    assert (len(event["payload"]["summary"]) <= 1024, len(event["dedup_key"]) <= 255) == (True, True)


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; refuses the paths that it is told to."""

    got: list = []  # noqa: RUF012 (one server at a time)
    refusing: set = set()  # noqa: RUF012

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Receiver.got.append((self.path, body))
        self.send_response(500 if self.path in Receiver.refusing else 200)
        self.end_headers()

    def log_message(self, *arguments):
        """Nothing."""


@pytest.fixture
def server():
    Receiver.got, Receiver.refusing = [], set()
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Secrets:
    """A client of Secrets Manager."""

    class exceptions:  # noqa: N801
        class ResourceNotFoundException(Exception):
            """There is none."""

    def __init__(self, text):
        self.text = text
        self.asked = 0

    def get_secret_value(self, **asked):
        self.asked += 1
        if self.text is None:
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": self.text}


@pytest.fixture
def notifier(monkeypatch):
    monkeypatch.setenv("STEPWEAVE_ENV", "dev")
    monkeypatch.setenv("STEPWEAVE_TOPICS", json.dumps(TOPICS))
    monkeypatch.setenv("STEPWEAVE_NOTIFY_SECRET", "notify")
    function_secrets.forget_secrets()
    yield importlib.import_module("functions.notifier.handler")
    function_secrets.forget_secrets()


def secret_of(monkeypatch, text):
    secrets = Secrets(text)
    monkeypatch.setattr(function_secrets, "client", {"secretsmanager": secrets}.__getitem__)
    return secrets


def delivered(kind, message):
    return {"Records": [{"Sns": {"TopicArn": TOPICS[kind], "Message": json.dumps(message), "Subject": None}}]}


def where(url):
    return json.dumps(
        {"slack_webhook": f"{url}/slack", "pagerduty_key": "K", "pagerduty_url": f"{url}/pager"}
    )


def test_pages_go_to_both_and_warnings_to_slack_alone(notifier, server, monkeypatch):
    secrets = secret_of(monkeypatch, where(server))
    assert notifier.handler(delivered("page", ALARM), LambdaContext()) == {"sent": 2}
    assert notifier.handler(delivered("warn", RUN), LambdaContext()) == {"sent": 1}
    assert [path for path, _ in Receiver.got] == ["/pager", "/slack", "/slack"]
    assert Receiver.got[0][1]["routing_key"] == "K"
    assert secrets.asked == 1


def test_a_refusal_makes_lambda_deliver_again_and_the_page_is_told_first(notifier, server, monkeypatch):
    secret_of(monkeypatch, where(server))
    Receiver.refusing = {"/slack"}
    with pytest.raises(OSError, match="500"):
        notifier.handler(delivered("page", ALARM), LambdaContext())
    assert [path for path, _ in Receiver.got] == ["/pager", "/slack"]


def test_nobody_is_told_where_nobody_is_set(notifier, monkeypatch):
    secret_of(monkeypatch, "{}")
    assert notifier.handler(delivered("page", ALARM), LambdaContext()) == {"sent": 0}
    monkeypatch.delenv("STEPWEAVE_NOTIFY_SECRET")
    assert notifier.handler(delivered("page", ALARM), LambdaContext()) == {"sent": 0}


@pytest.mark.parametrize(
    "text, told",
    [
        ("top-secret", "is not a JSON object"),
        (None, "there is no secret"),
        ('{"slack_webhook": "file:///etc/passwd"}', "none of a web server"),
    ],
)
def test_a_secret_that_cannot_be_used_is_told_without_its_text(notifier, monkeypatch, text, told):
    secret_of(monkeypatch, text)
    with pytest.raises(UsageError, match=told) as error:
        notifier.handler(delivered("warn", RUN), LambdaContext())
    assert "top-secret" not in str(error.value)
