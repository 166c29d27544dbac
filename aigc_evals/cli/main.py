"""``aigc_evals``: what there is to do with logs besides making them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from aigc_evals.cli.console import guarded, leave, prepare_logging, say


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    return leave(guarded(_main, sys.argv[1:] if argv is None else argv))


def _main(argv: Sequence[str]) -> int:
    from aigc_evals.cli.run import print_version

    if print_version(argv):
        return 0
    made = argparse.ArgumentParser(prog="aigc_evals", description="Work with the logs of runs.", allow_abbrev=False)
    made.add_argument("--version", action="store_true", help="print the version and exit")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    replay = commands.add_parser("replay", help="send the events of a log that a receiver does not have yet")
    replay.add_argument("log", metavar="LOG", help="the log of a run")
    replay.add_argument("--url", required=True, help="where events are sent")
    replay.add_argument("--http-batch-size", type=int, default=100, metavar="N", help="events in one request")
    args = made.parse_args(argv)
    prepare_logging(False, None)
    from aigc_evals.sinks.http import replay as send

    delivery = send(args.log, args.url, batch_size=args.http_batch_size)
    say(f"{delivery.delivered} events delivered, {delivery.failed} not. {delivery.message}".strip(), sys.stdout)
    return 1 if delivery.failed else 0


if __name__ == "__main__":
    sys.exit(main())
