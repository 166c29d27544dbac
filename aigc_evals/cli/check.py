"""``aigc_evals check [NAME ...]``: every problem of a registry at once."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say, say_json
from aigc_evals.cli.flags import CHECK_FLAGS, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

COMMAND = Command(
    "aigc_evals check",
    "Name every problem of a registry: YAML, specs, classes, arguments, data, golds. Exit code 1 on errors.",
    (("[name...]", "names or patterns (* is any text) to check, with all they lead to; everything if left out"),),
    CHECK_FLAGS,
)


def check(args: argparse.Namespace, command_line: str) -> int:
    """Print a line for each finding (or one JSON object); the summary goes to stderr."""
    prepare_logging(False, None)
    from aigc_evals.check import check_registry
    from aigc_evals.check.report import as_dict, counts, render, summary
    from aigc_evals.tools.listing import search_path

    more = args.registry_path or ()
    findings = list(check_registry(search_path(more), args.name, within=more or None))
    if args.json:
        say_json(as_dict(findings))
    else:
        for line in render(findings, everything=args.all):
            say(line, sys.stdout)
    say(summary(findings))
    return 1 if counts(findings)["error"] else 0
