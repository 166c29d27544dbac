"""``exec_aigc_evalset COMPLETION_FN EVAL_SET``: run the evals of a set, one after another, in one process."""

from __future__ import annotations

import os
import sys

from aigc_evals.cli.console import prepare_logging, run_command, safe, say, words_of
from aigc_evals.cli.flags import SET_FLAGS, Command
from aigc_evals.cli.run import config_of, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

COMMAND = Command(
    "exec_aigc_evalset",
    "Run every eval of an eval set.",
    (
        ("completion_fn", "names of completion functions, separated by commas"),
        ("eval_set", "name of an eval set in the registry"),
    ),
    SET_FLAGS,
)


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    return run_command(COMMAND, _run, words_of(argv), is_process=argv is None)


def _run(args: argparse.Namespace, command_line: str) -> int:
    prepare_logging(args.debug, args.log_to_file)
    from aigc_evals.errors import AigcEvalsError
    from aigc_evals.evalset import render_failures, render_set, run_set
    from aigc_evals.report.ci_output import BuildOutput

    def started(number: int, total: int, spec: Any) -> None:
        say(f"[{number + 1}/{total}] {spec.key}")

    def ended(spec: Any, result: Any) -> None:
        build.tell(str(spec.key), args.completion_fn, result)
        if isinstance(result, AigcEvalsError):
            # All of it is told at the end, where it does not get lost among reports.
            reason = getattr(result, "message", str(result)).partition("\n")[0].rstrip(":")
            say(safe(f"error: {spec.key}: {reason}"))
        else:
            show(result, f"{spec.key}  {args.completion_fn}", as_json=args.json)
            say("", sys.stderr if args.json else sys.stdout)

    config = config_of(args, command_line)
    with BuildOutput(args.junit, os.environ, say) as build:
        done = run_set(args.completion_fn, args.eval_set, on_start=started, on_end=ended, **config)
    if len(done.evals) > 1:
        say(render_set(done), sys.stderr if args.json else sys.stdout)
    failures = render_failures(done)
    if failures:
        say(safe(f"\n{failures}"))
        left = len(done.evals) - len(done.results) - len(done.failures)
        if left and args.exit_on_error:
            say(f"not run: {left} of {len(done.evals)} evals; --no-exit-on-error goes on after one that fails")
    if done.already:
        say(f"{len(done.already)} evals were finished before (use --no-resume to run them again)")
    return done.exit_code


if __name__ == "__main__":
    sys.exit(main())
