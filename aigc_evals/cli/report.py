"""``aigc_evals report LOG...``: the reports of runs, made from their logs."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say
from aigc_evals.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

COMMAND = Command(
    "aigc_evals report",
    "Show the reports of runs, made from their logs alone; of a run that was killed, of what it had come to.",
    (("log...", "the logs of runs; several make a table"),),
    (Flag("format", str, "table", "table, markdown, csv or json", "FORMAT"),),
)


def work(args: argparse.Namespace, command_line: str) -> int:
    """Print the reports; the exit code is 0 whatever they say."""
    prepare_logging(False, None)
    from aigc_evals.errors import UsageError
    from aigc_evals.tools.report import FORMATS, rendered, report_of

    if args.format not in FORMATS:
        raise UsageError(f"expected one of {', '.join(FORMATS)}, got {args.format!r}", key="format")
    say(rendered([report_of(log) for log in args.log], args.format), sys.stdout)
    return 0
