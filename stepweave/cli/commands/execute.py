"""``stepweave execute``: a state machine that somebody wrote, here and now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, cast

from stepweave.cli.answer import Answer
from stepweave.cli.execution.order import Order
from stepweave.cli.lazy import module_named
from stepweave.cli.options import add_json


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", metavar="FILE", help="the definition: FILE.asl.json, JSONata mode")
    _add(parser, "--input", "-i", metavar="INPUT", help="a file, - for standard input, or JSON (default: {})")
    _add(parser, "--name", help="name of the execution (default: the machine's, with a number)")
    _add_many(parser, "--machine", "machines", "NAME=FILE", "a machine that tasks may start")
    _add_many(
        parser, "--function", "functions", "NAME=MODULE:HANDLER", "a Lambda function; FILE.py:HANDLER too"
    )
    _add_many(parser, "--job", "jobs", "NAME=COMMAND", "a Batch job definition, as a command line")
    _add_many(parser, "--set", "values", "NAME=VALUE", "the value of the placeholder ${NAME}")
    _add(parser, "--mock", metavar="FILE", help="JSON file with answers in place of services")
    _add(parser, "--case", metavar="NAME", help="test case of a mock file of AWS Step Functions Local")
    _add(parser, "--buckets", metavar="FOLDER", help="S3: a folder with a folder for each bucket")
    _add(parser, "--endpoint", metavar="URL", help="an AWS that tasks call, real (aws) or local (its URL)")
    inline = "run functions in this process: for a debugger"
    parser.add_argument("--inline", action="store_true", help=inline)
    virtual = "waits and retries take no time; functions run in this process"
    parser.add_argument("--virtual-time", action="store_true", help=virtual)
    parser.add_argument("--seed", type=int, default=0, help="for jitter, $random and $uuid (default: 0)")
    _add(parser, "--journal", metavar="FOLDER", help="record executions, to go on with after a crash")
    _add(parser, "--resume", metavar="NAME", help="go on with an execution of the journal that was cut off")
    _add(parser, "--redrive", metavar="NAME", help="go on where an execution of the journal failed")
    parser.add_argument("--history", action="store_true", help="show the execution history, as AWS tells it")
    add_json(parser)


def command(**options: Any) -> Answer:
    """Run a state machine (Amazon States Language, JSONata mode) on this machine, as Step Functions runs it.

    A task calls what --function, --job, --machine and --buckets give it, a mock, or else an AWS: the one behind
    --endpoint, or without it an empty one in this process.

    Examples:
      stepweave execute orders.asl.json --input '{"total": 20}'
      stepweave execute orders.asl.json --mock mocks.json --virtual-time
      stepweave execute orders.asl.json --function charge=app:handler --json
      stepweave execute orders.asl.json --journal .journals --name nightly
      stepweave execute orders.asl.json --journal .journals --resume nightly
    """
    order = Order(**options)
    order.check()
    # The engine is imported here, after --help and wrong usage have been answered.
    return cast(Answer, module_named("stepweave.cli.execution.running").run_order(order))


def _add(parser: ArgumentParser, *names: str, metavar: str | None = "NAME", help: str) -> None:
    parser.add_argument(*names, metavar=metavar, help=help)


def _add_many(parser: ArgumentParser, option: str, dest: str, metavar: str, what: str) -> None:
    again = f"{what}; may be repeated"
    parser.add_argument(option, dest=dest, action="append", default=[], metavar=metavar, help=again)
