"""``aigc_evals cache ls|rm|path``: what the cache of completions holds, and removing it."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say, say_json
from aigc_evals.cli.flags import CACHE_FLAGS, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from aigc_evals.sampling.cache import Kept

ACTIONS = ("ls", "rm", "path")

COMMAND = Command(
    "aigc_evals cache",
    "Show or remove what --cache has kept.",
    (("action", "ls lists entries and bytes by endpoint and model, rm removes them, path names the file"),),
    CACHE_FLAGS,
)


def cache(args: argparse.Namespace, command_line: str) -> int:
    """Do what ``args.action`` says; returns the exit code."""
    prepare_logging(False, None)
    from aigc_evals.errors import UsageError, nearest
    from aigc_evals.sampling.cache import cache_path, contents, remove

    path = cache_path()
    if args.action not in ACTIONS:
        raise UsageError(
            f"the cache has no command {args.action!r}; it has: {', '.join(ACTIONS)}",
            hint=nearest(args.action, ACTIONS) or None,
        )
    if args.action != "rm" and (args.model is not None or args.older_than is not None):
        raise UsageError("--model and --older-than say what is to be removed, so they go with rm", key="action")
    if args.older_than is not None and args.older_than < 0:
        raise UsageError(f"must not be negative, got {args.older_than:g}", key="older-than")
    if args.action == "path":
        say(str(path), sys.stdout)
    elif args.action == "rm":
        count, size = remove(path, model=args.model, older_than=args.older_than)
        if args.json:
            say_json({"removed": count, "bytes": size, "path": str(path)})
        else:
            say(f"{_entries(count)} removed, {size:,} bytes.", sys.stdout)
    elif args.json:
        say_json([vars(kept) for kept in contents(path)])
    else:
        _table(contents(path), str(path))
    return 0


def _table(kept: Sequence[Kept], path: str) -> None:
    from aigc_evals.columns import table

    rows = [("endpoint", "model", "entries", "bytes", "newest")]
    rows += [(one.endpoint, one.model, f"{one.entries:,}", f"{one.bytes:,}", _day(one.newest)) for one in kept]
    if kept:
        say("\n".join([*table(rows), ""]), sys.stdout)
    total = sum(one.entries for one in kept)
    say(f"{_entries(total)}, {sum(one.bytes for one in kept):,} bytes in {path}", sys.stdout)


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def _day(seconds: float) -> str:
    import time

    return time.strftime("%Y-%m-%d", time.localtime(seconds))
