"""``aigc_evals sync pull|push BUCKET PATH``, also installed as ``datasets_sync``: data in an object store."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, run_command, say, say_json, words_of
from aigc_evals.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from aigc_evals.sync import SyncResult

COMMAND = Command(
    "aigc_evals sync",
    "Push a file or folder to a bucket of an S3-compatible object store, or pull it. Exit code 1 if a file failed.",
    (
        ("direction", "push or pull"),
        ("bucket", "the bucket's name; push makes it if it is not there"),
        ("path", "a file or folder relative to the working directory; keys are such paths too"),
        ("[mode]", "no_overwrite (the default) leaves what is there, overwrite replaces what differs"),
    ),
    (
        Flag("dry-run", bool, False, "show what would be done, and do nothing"),
        Flag("jobs", int, 8, "files at a time", "N"),
        Flag("json", bool, False, "print everything as JSON"),
    ),
)


def work(args: argparse.Namespace, command_line: str) -> int:
    """Sync and print what was done; files that failed are named on stderr."""
    prepare_logging(False, None)
    from aigc_evals.sync import sync

    done = sync(
        args.direction,
        args.bucket,
        args.path,
        args.mode or "no_overwrite",
        dry_run=args.dry_run,
        jobs=args.jobs,
        progress=True,
    )
    if args.json:
        say_json(done.as_dict())
    else:
        say("\n".join(_lines(done)), sys.stdout)
    for line in _failures(done):
        say(line)
    return 1 if done.failed else 0


def _lines(done: SyncResult) -> Iterator[str]:
    from aigc_evals.columns import table
    from aigc_evals.sync.names import shown

    if done.dry_run:
        listed = done.of("move", "kept")
        if listed:
            yield from table(
                [(done.direction if i.action == "move" else "keep", f"{i.size:,}", shown(i.key)) for i in listed]
            )
            yield ""
    if done.bucket_created:
        yield f"bucket {done.bucket} {'would be made' if done.dry_run else 'made'}"
    bytes_ = f"{done.moved:,} of {len(done.items):,}, {done.moved_bytes:,} bytes"
    rows = [("to move" if done.dry_run else "moved", bytes_), ("unchanged", f"{done.unchanged:,}")]
    kept = f", different {'here' if done.direction == 'pull' else 'there'}; overwrite would replace them"
    rows += [("kept", f"{done.kept:,}{kept if done.kept else ''}"), ("failed", f"{done.failed:,}")]
    yield from table(rows)


def _failures(done: SyncResult) -> Iterator[str]:
    from aigc_evals.sync.names import shown

    for item in done.of("failed"):
        yield f"failed: {shown(item.key)}: {item.reason}"
    if done.failed and not done.dry_run:
        yield "The same command goes on with what has not been moved."


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point of ``datasets_sync``; returns the exit code."""
    command = Command("datasets_sync", COMMAND.purpose, COMMAND.positionals, COMMAND.flags)
    return run_command(command, work, words_of(argv), is_process=argv is None)


if __name__ == "__main__":
    sys.exit(main())
