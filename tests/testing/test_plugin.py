"""The pytest plugin, as pytest itself loads it from the entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.building import call, machine, passing

pytest_plugins = ["pytester"]

GREET = machine(
    ("Begin", passing()),
    ("Greet", call("greet", "{% $states.input %}", Output="{% $states.result.Payload %}")),
)


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """An empty suite beside ``greeting.asl.json``."""
    (pytester.path / "greeting.asl.json").write_text(json.dumps(GREET))
    return pytester


def test_the_fixture_runs_a_definition_beside_the_test_from_any_folder(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    suite.makepyfile(
        """
        def test_greeting(stepweave_engine):
            run = stepweave_engine("greeting.asl.json", {"name": "Ann"}, fakes={"greet": lambda event: event["name"]})
            assert run.succeeded() == "Ann"
            assert stepweave_engine.runs == [run]
            assert stepweave_engine.state("greeting.asl.json", "Begin").next == "Greet"
            assert len(stepweave_engine.runs) == 2

        def test_nested(stepweave_engine):
            start = {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Arguments": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:greeting"},
                "End": True,
            }
            definition = {"QueryLanguage": "JSONata", "StartAt": "Nested", "States": {"Nested": start}}
            run = stepweave_engine(definition, machines={"greeting": "greeting.asl.json"}, fakes={"Greet": 1})
            assert len(run.calls) == 2
        """
    )
    monkeypatch.chdir(tmp_path)

    suite.runpytest_inprocess(str(suite.path)).assert_outcomes(passed=2)


def test_a_definition_that_is_not_beside_the_test_is_found_in_the_working_directory(
    suite: pytest.Pytester,
) -> None:
    folder = suite.mkdir("tests")
    (folder / "test_here.py").write_text(
        "def test_greeting(stepweave_engine):\n"
        '    assert stepweave_engine("greeting.asl.json", fakes={"greet": 7}).succeeded() == 7\n'
    )

    suite.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_failed_test_shows_what_its_machines_did(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from stepweave.testing import Error

        def test_greeting(stepweave_engine):
            stepweave_engine("greeting.asl.json", fakes={"greet": "fine"})
            run = stepweave_engine("greeting.asl.json", fakes={"greet": Error("TooShy", "cannot speak")})
            assert run.output == "hello"
        """
    )

    result = suite.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*state machine run 1 of 2*",
            "greeting: SUCCEEDED",
            "  path    Begin → Greet",
            "*state machine run 2 of 2*",
            "greeting: FAILED at Greet: TooShy",
            "  error   TooShy",
            "  cause   cannot speak",
            "*TaskScheduled  lambda:invoke*",
            "*ExecutionFailed*",
        ]
    )


def test_a_report_that_the_error_holds_is_not_shown_again(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from stepweave.testing import Error

        def test_greeting(stepweave_engine):
            stepweave_engine("greeting.asl.json", fakes={"greet": Error("TooShy", "cannot speak")}).succeeded()
        """
    )

    result = suite.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*greeting: FAILED at Greet: TooShy"])
    result.stdout.no_fnmatch_line("*state machine run*")
    result.stdout.no_fnmatch_line("*def succeeded*")


def test_a_test_that_passes_shows_nothing(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        def test_greeting(stepweave_engine):
            stepweave_engine("greeting.asl.json", fakes={"greet": 1})
        """
    )

    result = suite.runpytest_inprocess("-rA")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*state machine run*")


def test_a_fake_that_refuses_its_arguments_fails_the_test_where_it_does(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        def test_greeting(stepweave_engine):
            def greet(event):
                assert event == {"name": "Ann"}

            stepweave_engine("greeting.asl.json", {"name": "Bob"}, fakes={"greet": greet})
        """
    )

    result = suite.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*assert event == {"name": "Ann"}', "E*AssertionError*"])


def test_a_definition_that_step_functions_would_refuse_is_the_failure(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        def test_it(stepweave_engine):
            stepweave_engine({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"B": {"Type": "Succeed"}}})
        """
    )

    result = suite.runpytest_inprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*DefinitionError:*StartAt*"])


def test_every_test_has_runs_of_its_own(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_greeting(stepweave_engine, number):
            assert stepweave_engine("greeting.asl.json", fakes={"greet": number}).output == number
            assert len(stepweave_engine.runs) == 1
        """
    )

    suite.runpytest_inprocess().assert_outcomes(passed=6)


def test_the_fixture_is_listed_with_what_it_is_for(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("--fixtures")

    result.stdout.fnmatch_lines(["*stepweave_engine*plugin.py*", "*Runs state machines*"])


def test_a_suite_without_state_machines_loads_nothing_but_the_plugin() -> None:
    code = (
        "import sys, pytest\n"
        "pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider'])\n"
        "print(sorted(name for name in sys.modules if name.startswith('stepweave')))"
    )

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert output.splitlines()[-1] == "['stepweave', 'stepweave.testing', 'stepweave.testing.plugin']"


def test_what_is_offered_by_name_exists() -> None:
    code = (
        "import stepweave.testing as testing\n"
        "print([name for name in testing.__all__ if not hasattr(testing, name)])\n"
        "print(hasattr(testing, 'nonsense'))"
    )

    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert output.split() == ["[]", "False"]
