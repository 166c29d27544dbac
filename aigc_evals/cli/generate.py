"""``aigc_evals generate NAME``: make the rows of a task, in any number, as an eval of a registry."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say
from aigc_evals.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

COMMAND = Command(
    "aigc_evals generate",
    "Make the data and the eval of a task; the same flags give the same rows everywhere.",
    (("[name]", "the task (--list names all)"),),
    (
        Flag("list", bool, False, "list the tasks"),
        Flag("samples", int, None, "how many rows (as many as the built-in eval has, if not given)", "N"),
        Flag("seed", int, 20220722, "another seed makes other rows", "K"),
        Flag("difficulty", int, None, "1, 2 or 3 (2 if not given)", "D"),
        Flag("out", str, "registry", "the registry folder to write to", "DIR"),
    ),
)


def generate(args: argparse.Namespace, command_line: str) -> int:
    """Write the files and say how to run them, or list the tasks; returns the exit code."""
    prepare_logging(False, None)
    from aigc_evals.errors import UsageError
    from aigc_evals.tasks import TASKS, get
    from aigc_evals.tasks.task import write

    if args.list:
        width = max(map(len, TASKS))
        for name in sorted(TASKS):
            task = get(name)
            say(f"{name:<{width}}  {task.language}  {task.description}", sys.stdout)
        return 0
    if args.name is None:
        raise UsageError("it must be said which task", key="name", hint="`aigc_evals generate --list` names all.")
    for path in write(get(args.name), args.out, n=args.samples, seed=args.seed, difficulty=args.difficulty):
        say(str(path), sys.stdout)
    say(f"Run it with: exec_aigc_evals COMPLETION_FN {args.name} --registry_path {args.out}")
    return 0
