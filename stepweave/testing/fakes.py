"""Python fakes: what a test gives in place of a service, as mocks of the engine."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from stepweave.engine.callables import failure
from stepweave.engine.failures import RUNTIME, FunctionError, StateError
from stepweave.engine.integrations.lambda_invoke import Function
from stepweave.engine.lambda_context import LambdaContext
from stepweave.engine.mocks import Mock, Outcome
from stepweave.errors import UsageError


class Error(StateError):
    """Raise it in a fake or a function to choose the error's name and cause: ``Error("CardDeclined", "no funds")``."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(error, cause)


class Fakes:
    """The fakes and functions of one run. What a test's own assertions raise in them is kept for the test."""

    def __init__(self) -> None:
        self.broken: list[BaseException] = []
        """Assertions that failed inside fakes; the first is the test's failure."""

    def mocks(self, fakes: Mapping[str, Any]) -> dict[str, Mock]:
        """The mocks of ``fakes``, by the same keys; raises ``UsageError`` for an empty list."""
        return {key: Mock(key, self._outcomes(key, fake)) for key, fake in fakes.items()}

    def _outcomes(self, key: str, fake: Any) -> list[Outcome]:
        if isinstance(fake, list) and not fake:
            raise UsageError(
                f"the fake {key!r} is an empty list, so it has no result; to return a list write [[]]"
            )
        return [self._outcome(each) for each in (fake if isinstance(fake, list) else [fake])]

    def _outcome(self, fake: Any) -> Outcome:
        async def outcome(arguments: Any) -> Any:
            try:
                return await _result(fake, arguments)
            except (StateError, FunctionError) as error:
                raise StateError(error.error, error.cause) from error
            except AssertionError as error:
                raise self._break(error) from error
            except Exception as error:
                raise StateError(*failure(_without_own_frames(error))) from error
            except BaseException as error:
                # pytest.fail() and pytest.skip() are meant for the test; a cancellation is meant for the run.
                if type(error).__module__.startswith(("_pytest", "pytest")):
                    raise self._break(error) from error
                raise

        return outcome

    def _break(self, error: BaseException) -> StateError:
        """The error, which no Retry or Catch matches, of an assertion that failed; the test gets the assertion."""
        self.broken.append(error)
        return StateError(RUNTIME, str(error))


def _without_own_frames(error: Exception) -> Exception:
    """The error, its trace beginning in the fake."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return error.with_traceback(trace)


async def _result(fake: Any, arguments: Any) -> Any:
    """What a fake gives for arguments of its own to change; a value is given as it is, an exception is raised."""
    if isinstance(fake, BaseException) or (isinstance(fake, type) and issubclass(fake, BaseException)):
        raise fake
    if not callable(fake):
        return fake
    found = fake(copy.deepcopy(arguments))
    return await found if inspect.isawaitable(found) else found


def to_function(name: str, function: Callable[..., Any]) -> Function:
    """A Python function or Lambda handler, ``(event)`` or ``(event, context)``, as the engine calls it."""
    wants_context = _positional(function) >= 2
    context = LambdaContext(
        function_name=name,
        invoked_function_arn=f"arn:aws:lambda:local:000000000000:function:{name}",
        aws_request_id="00000000-0000-4000-8000-000000000000",
        memory_limit_in_mb="128",
    )

    async def call(event: Any) -> Any:
        given = copy.deepcopy(event)
        found = function(given, context) if wants_context else function(given)
        return await found if inspect.isawaitable(found) else found

    return call


def _positional(function: Callable[..., Any]) -> int:
    """How many positional arguments a function needs; 1 where Python cannot tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in kinds and each.default is inspect.Parameter.empty for each in parameters)
