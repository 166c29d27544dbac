"""``aigc_evals COMMAND``: what there is to do with logs besides making them."""

from __future__ import annotations

import sys

from aigc_evals.cli import cache, check, compare, generate, report, samples, score, show
from aigc_evals.cli import list as listing
from aigc_evals.cli.console import prepare_logging, run_command, say
from aigc_evals.cli.flags import REPLAY_FLAGS, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words and words[0] in COMMANDS:
        command, work = COMMANDS[words[0]]
        return run_command(command, work, words[1:])
    if words and words[0] not in ("--help", "-h", "--version"):
        say(f"error: aigc_evals has no command {words[0]!r}; it has: {', '.join(COMMANDS)}")
        return 2
    return run_command(_overview(), _replay, words or ["--help"])


def _overview() -> Command:
    return Command(
        "aigc_evals", "Work with the logs of runs.", [(name, made.purpose) for name, (made, _) in COMMANDS.items()], ()
    )


def _replay(args: argparse.Namespace, command_line: str) -> int:
    prepare_logging(False, None)
    from aigc_evals.errors import UsageError
    from aigc_evals.sinks.http import replay

    if args.url is None:
        raise UsageError("it must be said where events are to be sent", key="url")
    if args.http_batch_size < 1:
        raise UsageError(f"must be at least 1, got {args.http_batch_size}", key="http-batch-size")
    delivery = replay(args.log, args.url, batch_size=args.http_batch_size)
    say(f"{delivery.delivered} events delivered, {delivery.failed} not. {delivery.message}".strip(), sys.stdout)
    return 1 if delivery.failed else 0


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
    "score": (score.COMMAND, score.work),
}


if __name__ == "__main__":
    sys.exit(main())
