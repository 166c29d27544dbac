"""``aigc_evals samples LOG``: read single samples in the terminal."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say, say_json
from aigc_evals.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

COMMAND = Command(
    "aigc_evals samples",
    "Show samples of a log: prompt, answer, reasoning, what was expected, and what came of it.",
    (("log", "the log of a run"),),
    (
        Flag("outcome", str, None, "only those that ended so: scored, refused, empty, ...", "OUTCOME"),
        Flag("wrong", bool, False, "only those whose answer was wrong"),
        Flag("id", str, None, "only this one: its id, or the number of its row", "ID"),
        Flag("limit", int, 10, "show so many at most; 0 shows all", "N"),
        Flag("json", bool, False, "print one JSON object per line"),
    ),
)


def work(args: argparse.Namespace, command_line: str) -> int:
    """Print the samples; lines are wrapped on a terminal only."""
    prepare_logging(False, None)
    from aigc_evals.columns import terminal_columns
    from aigc_evals.tools.samples import lines, views

    width = terminal_columns()
    shown = 0
    for sample in views(args.log, outcome=args.outcome, wrong=args.wrong, sample_id=args.id, limit=args.limit):
        if args.json:
            say_json(sample.as_dict())
        else:
            say("\n".join(([""] if shown else []) + [*lines(sample, width)]), sys.stdout)
        shown += 1
    if not shown:
        say("no sample is like that")
    elif shown == args.limit:
        say(f"the first {shown}; --limit 0 shows all")
    return 0
