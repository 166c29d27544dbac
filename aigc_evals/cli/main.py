"""``aigc_evals COMMAND``: what there is to do besides running evals."""

from __future__ import annotations

import os
import sys

from aigc_evals.cli import cache, check, compare, generate, leaderboard, report, samples, score, show, sync
from aigc_evals.cli import list as listing
from aigc_evals.cli.console import prepare_logging, run_command, say, words_of
from aigc_evals.cli.flags import REPLAY_FLAGS, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    words, is_process = words_of(argv), argv is None
    if words and words[0] in COMMANDS:
        command, work = COMMANDS[words[0]]
        return run_command(command, work, words[1:], is_process=is_process)
    if words and words[0] not in ("--help", "-h", "--version"):
        from aigc_evals.errors import nearest

        say(f"error: aigc_evals has no command {words[0]!r}")
        say(nearest(words[0], COMMANDS, 1) or f"It has: {', '.join(COMMANDS)}")
        return 2
    return run_command(_overview(), _replay, words or ["--help"], is_process=is_process)


def _overview() -> Command:
    purpose = "Look at registries, make and move data, read and compare results. Evals are run with exec_aigc_evals."
    return Command("aigc_evals", purpose, [(name, made.purpose) for name, (made, _) in COMMANDS.items()], ())


def _replay(args: argparse.Namespace, command_line: str) -> int:
    prepare_logging(False, None)
    from aigc_evals.errors import UsageError
    from aigc_evals.sinks import SQL_URL

    database = args.sql_run_url or (os.environ.get(SQL_URL) if args.url is None else None)
    deliveries = []
    if args.url is not None:
        from aigc_evals.sinks import http

        deliveries.append(http.replay(args.log, args.url, batch_size=args.http_batch_size))
    if database:
        from aigc_evals.sinks import sql

        deliveries.append(sql.replay(args.log, database))
    if not deliveries:
        raise UsageError("it must be said where events are to be sent", key="url", hint="Give --url or --sql-run-url.")
    for delivery in deliveries:
        say(f"{delivery.delivered} events delivered, {delivery.failed} not. {delivery.message}".strip(), sys.stdout)
    return 1 if any(delivery.over_threshold for delivery in deliveries) else 0


COMMANDS = {
    "replay": (
        Command(
            "aigc_evals replay",
            "Send the events of a log that a receiver does not have yet.",
            (("log", "the log of a run"),),
            REPLAY_FLAGS,
        ),
        _replay,
    ),
    "cache": (cache.COMMAND, cache.cache),
    "generate": (generate.COMMAND, generate.generate),
    "list": (listing.COMMAND, listing.list_names),
    "show": (show.COMMAND, show.show),
    "check": (check.COMMAND, check.check),
    "report": (report.COMMAND, report.work),
    "samples": (samples.COMMAND, samples.work),
    "compare": (compare.COMMAND, compare.work),
    "leaderboard": (leaderboard.COMMAND, leaderboard.work),
    "score": (score.COMMAND, score.work),
    "sync": (sync.COMMAND, sync.work),
}


if __name__ == "__main__":
    sys.exit(main())
