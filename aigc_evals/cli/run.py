"""``exec_aigc_evals COMPLETION_FN EVAL``: run one eval."""

from __future__ import annotations

import os
import sys

from aigc_evals.cli.console import prepare_logging, run_command, say, say_json, words_of
from aigc_evals.cli.flags import RUN_FLAGS, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

COMMAND = Command(
    "exec_aigc_evals",
    "Run one eval on one or more completion functions.",
    (
        (
            "completion_fn",
            "names of completion functions, separated by commas: registry entries, module:attr, or models",
        ),
        ("eval", "name of an eval in the registry"),
    ),
    RUN_FLAGS,
)
_NOT_OF_THE_RUN = ("completion_fn", "eval", "eval_set", "log_to_file", "debug", "json", "junit")


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    return run_command(COMMAND, _run, words_of(argv), is_process=argv is None)


def _run(args: argparse.Namespace, command_line: str) -> int:
    prepare_logging(args.debug, args.log_to_file)
    from aigc_evals.errors import AigcEvalsError
    from aigc_evals.report.ci_output import BuildOutput
    from aigc_evals.runner import run

    config = config_of(args, command_line)
    with BuildOutput(args.junit, os.environ, say) as build:
        try:
            result = run(args.completion_fn, args.eval, **config)
        except AigcEvalsError as error:
            build.tell(args.eval, args.completion_fn, error)
            raise
        build.tell(args.eval, args.completion_fn, result)
    show(result, f"{args.eval}  {args.completion_fn}", as_json=args.json)
    return result.exit_code


def config_of(args: argparse.Namespace, command_line: str) -> dict[str, Any]:
    """The parsed flags as the keyword arguments of ``aigc_evals.run``."""
    from aigc_evals.cli.parameters import parse_parameters
    from aigc_evals.report.ci_output import parse_thresholds

    config = {key: value for key, value in vars(args).items() if key not in _NOT_OF_THE_RUN}
    for name in ("extra_eval_params", "completion_args"):
        config[name] = parse_parameters(config[name], name)
    config["registry_path"] = args.registry_path or ()
    config["models"] = args.models or ()
    config["fail_under"] = parse_thresholds(args.fail_under or ())
    config["recorder"] = args.recorder or ()
    config["command"] = command_line
    return config


def show(result: Any, title: str, *, as_json: bool) -> None:
    """The report: JSON on stdout where asked for (the table then goes to stderr), else the table on stdout."""
    from aigc_evals.report import render

    table = render(result.report, title=title, log_path=result.log_path)
    if as_json:
        say(table)
        say_json(result.report)
    else:
        say(table, sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
