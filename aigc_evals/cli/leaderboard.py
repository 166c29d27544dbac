"""``aigc_evals leaderboard LOG_OR_DIR...``: many runs as one table, models by evals."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say
from aigc_evals.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

COMMAND = Command(
    "aigc_evals leaderboard",
    "Make one table of many runs, models by evals, with intervals and ranks; on the terminal and in files.",
    (("log_or_dir...", "logs of runs, and folders with such logs at any depth"),),
    (
        Flag("metric", str, None, "show this metric (each eval's headline, if not given)", "NAME"),
        Flag("by", str, None, "the groups of one eval as columns: category, subject, ...", "GROUP"),
        Flag("eval", str, None, "only this eval; may be repeated, and says the order", "NAME", True),
        Flag("sort", str, "mean", "order of the models: mean, name, or the name of a column", "COLUMN"),
        Flag("lower_is_better", str, None, "a metric of which less is better; may be repeated", "NAME", True),
        Flag("title", str, None, "what stands above the table", "TEXT"),
        Flag("format", str, "table", "table, markdown, csv, html or json", "FORMAT"),
        Flag("out", str, None, "also write this file: .md, .csv, .html, .json or .png; may be repeated", "FILE", True),
        Flag("bom", bool, False, "begin a .csv with a byte order mark, which Excel needs to read Chinese"),
        Flag("font", str, None, "a font file for the labels of a .png", "FILE"),
    ),
)


def work(args: argparse.Namespace, command_line: str) -> int:
    """Print the table and write the files; the exit code is 0 whatever the table says."""
    prepare_logging(False, None)
    from aigc_evals.errors import UsageError
    from aigc_evals.tools.leaderboard import leaderboard
    from aigc_evals.tools.leaderboard.files import FORMATS, check_output, rendered, write

    if args.format not in FORMATS:
        raise UsageError(f"expected one of {', '.join(FORMATS)}, got {args.format!r}", key="format")
    for path in args.out or ():
        check_output(path)
    board = leaderboard(
        args.log_or_dir,
        metric=args.metric,
        by=args.by,
        evals=args.eval or (),
        lower_is_better=args.lower_is_better or (),
        sort=args.sort,
        title=args.title,
    )
    say(rendered(board, args.format), sys.stdout)
    for path in args.out or ():
        for warning in write(board, path, font=args.font, bom=args.bom):
            say(f"warning: {warning}")
        say(f"written: {path}")
    return 0
