import importlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from functions.approvals.links import Link, new_link, signed, verified
from functions.shared import secrets as function_secrets
from stepweave.errors import UsageError
from stepweave.stores.objects import open_store
from stepweave.stores.run_table import ExecutionState, RunFacts, RunTable
from tests.functions.environment_fakes import TABLE, LambdaContext, Topic

RUN = {"dag": "sales", "id": "r1", "execution": "r1"}
ASK = {"run": RUN, "task": "ok", "args": '{"message": {"v": "Deploy <b>now</b>?"}}', "token": "secret-token"}
URL = "https://api.example.com"


class StepFunctions:
    """A client of Step Functions that keeps the answers."""

    class exceptions:  # noqa: N801
        ClientError = RuntimeError

    def __init__(self):
        self.sent = []

    def send_task_success(self, **answer):
        self.sent.append(answer)


class Secrets:
    """A client of Secrets Manager: texts by stage."""

    class exceptions:  # noqa: N801
        class ResourceNotFoundException(Exception):
            """There is no such version."""

    def __init__(self):
        self.stages = {"AWSCURRENT": "first secret"}

    def get_secret_value(self, *, SecretId, VersionStage):  # noqa: N803
        if VersionStage not in self.stages:
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": self.stages[VersionStage]}

    def rotate(self, text):
        self.stages = {"AWSCURRENT": text, "AWSPREVIOUS": self.stages["AWSCURRENT"]}
        function_secrets.forget_secrets()


class Approvals:
    """The function, and what it speaks to."""

    def __init__(self, module, topic, states, secrets, table, store):
        self.module, self.topic, self.states = module, topic, states
        self.secrets, self.table, self.store = secrets, table, store

    def call(self, event):
        return self.module.handler(event, LambdaContext())

    def link(self):
        """The path of the link that was published last."""
        told = json.loads(json.loads(self.topic.published[-1]["Message"])["default"])
        assert told["link"].startswith(f"{URL}/approvals/")
        return told["link"].removeprefix(URL)

    def page(self, path, method="GET", headers=None, **form):
        event = {
            "version": "2.0",
            "rawPath": path,
            "headers": {"host": "api.example.com", **(headers or {})},
            "requestContext": {"domainName": "api.example.com", "http": {"method": method, "path": path}},
            "body": urlencode(form),
            "isBase64Encoded": False,
        }
        return self.call(event)


@pytest.fixture
def approvals(dynamodb, monkeypatch, tmp_path):
    for name, value in {
        "STEPWEAVE_ENV": "dev",
        "STEPWEAVE_STORE": str(tmp_path),
        "STEPWEAVE_TABLE": TABLE,
        "STEPWEAVE_ASK_TOPIC": "arn:ask",
        "STEPWEAVE_APPROVALS_URL": URL,
        "STEPWEAVE_LINK_SECRET": "links",
    }.items():
        monkeypatch.setenv(name, value)
    module = importlib.import_module("functions.approvals.handler")
    module._parts.cache_clear()
    function_secrets.forget_secrets()
    topic, states, secrets = Topic(), StepFunctions(), Secrets()
    clients = {"dynamodb": dynamodb, "sns": topic, "stepfunctions": states}
    monkeypatch.setattr(module, "client", clients.__getitem__)
    monkeypatch.setattr(function_secrets, "client", {"secretsmanager": secrets}.__getitem__)
    yield Approvals(module, topic, states, secrets, RunTable(dynamodb, TABLE), open_store(str(tmp_path)))
    module._parts.cache_clear()
    function_secrets.forget_secrets()


def decision_of(approvals):
    (sent,) = approvals.states.sent
    return json.loads(json.loads(sent["output"])["value"])


def test_a_question_is_published_with_a_link_and_without_the_token(approvals):
    assert approvals.call({**ASK, "approvers": ["ana", "ben"]}) == {"answered": False}
    (told,) = approvals.topic.published
    message = json.loads(told["Message"])
    assert told["Subject"] == "[dev] sales waits for an approval: ok"
    assert "Look at it and decide: https://api.example.com/approvals/" in message["email"]
    assert "waits for ana, ben." in message["email"]
    assert "secret-token" not in told["Message"]


def test_looking_shows_the_question_escaped_and_decides_nothing(approvals):
    approvals.call(ASK)
    for _ in range(3):
        page = approvals.page(approvals.link())
        assert (page["statusCode"], "Deploy &lt;b&gt;now&lt;/b&gt;?" in page["body"]) == (200, True)
    assert approvals.states.sent == []


def test_a_page_may_run_nothing_load_nothing_and_be_framed_by_nobody(approvals):
    approvals.call(ASK)
    page = approvals.page(approvals.link())
    policy = page["headers"]["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert page["headers"]["Cache-Control"] == "no-store"
    assert page["headers"]["Referrer-Policy"] == "no-referrer"
    assert page["headers"]["X-Content-Type-Options"] == "nosniff"


class Form(HTMLParser):
    """What a browser would send."""

    def __init__(self):
        super().__init__()
        self.action, self.names = "", []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "form":
            assert found["method"] == "post"
            self.action = found["action"]
        if tag in ("input", "select", "textarea", "button"):
            self.names.append(found["name"])


@pytest.mark.parametrize("decision, approved", [("approve", True), ("reject", False)])
def test_the_form_decides_and_the_run_goes_on(approvals, decision, approved):
    approvals.call({**ASK, "approvers": ["ana"]})
    form = Form()
    form.feed(approvals.page(approvals.link())["body"])
    assert form.names == ["by", "comment", "decision", "decision"]
    page = approvals.page(form.action, "POST", decision=decision, by="ana", comment="why not")
    assert page["statusCode"] == 200
    made = decision_of(approvals)
    assert (made["approved"], made["by"], made["comment"]) == (approved, "ana", "why not")


def test_a_link_decides_once(approvals):
    approvals.call(ASK)
    link = approvals.link()
    assert approvals.page(link, "POST", decision="approve", by="ana")["statusCode"] == 200
    again = approvals.page(link, "POST", decision="reject", by="ben")
    looked = approvals.page(link)
    assert (again["statusCode"], looked["statusCode"], again["body"] == looked["body"]) == (410, 410, True)
    assert decision_of(approvals)["by"] == "ana"


def test_a_page_that_died_before_the_decision_can_be_sent_again(approvals, monkeypatch):
    deciding = importlib.import_module("functions.approvals.deciding")
    approvals.call(ASK)
    link = approvals.link()

    def die(*arguments):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(deciding, "decide", die)
        with pytest.raises(RuntimeError):
            approvals.page(link, "POST", decision="approve", by="ana")
    assert approvals.page(link, "POST", decision="reject", by="eve")["statusCode"] == 410
    assert approvals.page(link)["statusCode"] == 410
    assert approvals.page(link, "POST", decision="approve", by="ana")["statusCode"] == 200
    assert decision_of(approvals)["by"] == "ana"


@pytest.mark.parametrize(
    "form, headers",
    [
        ({}, {}),
        ({"decision": "approve"}, {}),
        ({"decision": "maybe", "by": "ana"}, {}),
        ({"decision": "approve", "by": "mallory"}, {}),
        ({"decision": "approve", "by": "ana"}, {"Origin": "https://evil.example"}),
        ({"decision": "approve", "by": "ana"}, {"sec-fetch-site": "cross-site"}),
    ],
)
def test_an_answer_that_cannot_be_taken_leaves_the_link_as_it_was(approvals, form, headers):
    approvals.call({**ASK, "approvers": ["ana"]})
    link = approvals.link()
    assert approvals.page(link, "POST", headers, **form)["statusCode"] == 400
    assert approvals.states.sent == []
    own = {"origin": "https://api.example.com", "sec-fetch-site": "same-origin"}
    assert approvals.page(link, "POST", own, decision="approve", by="ana")["statusCode"] == 200


def test_who_started_a_run_does_not_approve_it_but_may_reject_it(approvals):
    arn = "arn:aws:states:eu-central-1:1:execution:m:r1"
    state = ExecutionState(dag="sales", run_id="r1", execution=arn, status="running", started_ms=1)
    approvals.table.tell(state, RunFacts(by="ana"))
    approvals.call(ASK)
    link = approvals.link()
    refused = approvals.page(link, "POST", decision="approve", by="ana")
    assert (refused["statusCode"], "somebody else" in refused["body"]) == (400, True)
    answer = approvals.call({"run": RUN, "task": "ok", "answer": {"approved": True, "by": "ana"}})
    assert answer["error"]["type"] == "UsageError"
    assert "somebody else has to approve it" in answer["error"]["message"]
    assert approvals.page(link, "POST", decision="reject", by="ana")["statusCode"] == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path + "A",
        lambda path: path[:-1] + ("A" if path[-1] != "A" else "B"),
        lambda path: re.sub(r"\.(\d+)\.", lambda m: f".{int(m[1]) + 9999}.", path),
        lambda path: path.replace("/approvals/", "/approvals/x"),
        lambda path: "/approvals/",
        lambda path: "/elsewhere",
        lambda path: "/approvals/ä.1.b",
        lambda path: "/approvals/" + "9" * 5_000,
    ],
)
def test_a_forged_link_shows_nothing(approvals, change):
    approvals.call(ASK)
    page = approvals.page(change(approvals.link()))
    assert (page["statusCode"], "Deploy" in page["body"]) == (410, False)


def test_a_link_expires_with_its_question():
    link = Link(id="abc", expires=100)
    text = signed(link, "key")
    assert verified(text, ["key"], now=99.0) == link
    assert verified(text, ["key"], now=100.0) is None


def test_links_do_not_repeat():
    assert len({new_link(1).id for _ in range(100)}) == 100


def test_a_rotated_secret_still_opens_links_until_it_is_rotated_again(approvals):
    approvals.call(ASK)
    link = approvals.link()
    approvals.secrets.rotate("second secret")
    assert approvals.page(link)["statusCode"] == 200
    approvals.secrets.rotate("third secret")
    assert approvals.page(link)["statusCode"] == 410


def test_a_link_of_an_earlier_execution_does_not_answer_for_the_next_one(approvals):
    approvals.call(ASK)
    old = approvals.link()
    approvals.call({**ASK, "run": {**RUN, "execution": "r1-r1"}})
    assert approvals.page(old)["statusCode"] == 410
    assert approvals.page(approvals.link())["statusCode"] == 200


def test_a_question_that_is_answered_already_is_not_asked_again(approvals):
    approvals.call(ASK)
    approvals.call({"run": RUN, "task": "ok", "answer": {"approved": True, "by": "ana"}})
    assert approvals.call(ASK) == {"answered": True}
    assert len(approvals.topic.published) == 1


def test_a_person_decides_with_iam_and_late_silence_changes_nothing(approvals):
    approvals.call({**ASK, "approvers": ["ana"]})
    said = {"run": RUN, "task": "ok", "answer": {"approved": True, "by": "ana"}}
    assert approvals.call(said)["by"] == "ana"
    assert decision_of(approvals)["approved"] is True
    assert json.loads(approvals.call({**ASK, "decide": "reject"})["value"])["by"] == "ana"


def test_questions_are_only_kept_where_nobody_is_to_be_asked(approvals, monkeypatch):
    monkeypatch.delenv("STEPWEAVE_ASK_TOPIC")
    approvals.module._parts.cache_clear()
    assert approvals.call(ASK) == {"answered": False}
    assert approvals.topic.published == []


def test_without_an_api_a_question_says_how_else_to_answer(approvals, monkeypatch):
    monkeypatch.setenv("STEPWEAVE_APPROVALS_URL", "")
    approvals.module._parts.cache_clear()
    approvals.call(ASK)
    message = json.loads(approvals.topic.published[0]["Message"])
    assert "stepweave approve r1 ok --env dev" in message["email"]
    assert json.loads(message["default"])["link"] is None


def test_neither_tokens_nor_links_are_logged(approvals, capsys):
    approvals.call(ASK)
    link = approvals.link()
    approvals.page(link, "POST", decision="approve", by="ana")
    logged = capsys.readouterr().out
    assert "secret-token" not in logged
    assert link.rpartition("/")[2] not in logged


def test_approvals_say_what_is_not_set(approvals, monkeypatch):
    monkeypatch.delenv("STEPWEAVE_STORE")
    with pytest.raises(UsageError, match="STEPWEAVE_STORE is not set"):
        approvals.call({"run": {"dag": "d", "id": "r"}, "task": "ok"})


def test_an_empty_secret_signs_nothing(approvals):
    approvals.secrets.stages = {"AWSCURRENT": ""}
    with pytest.raises(UsageError, match="is empty"):
        approvals.call(ASK)


def test_a_decision_that_cannot_be_made_is_answered_and_no_failure_of_the_function(approvals):
    approvals.call({**ASK, "approvers": ["ana"]})
    said = {"run": RUN, "task": "ok", "answer": {"approved": True, "by": "mallory"}}
    assert approvals.call(said) == {
        "error": {"type": "UsageError", "message": "'mallory' may not decide this; expected one of ana"}
    }
