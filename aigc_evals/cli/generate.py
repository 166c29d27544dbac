"""``aigc_evals generate NAME``: make an eval of a registry, of a public data set's rows or of a task's."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say
from aigc_evals.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

COMMAND = Command(
    "aigc_evals generate",
    "Make the data and the evals of a public data set or of a task; the same flags give the same rows everywhere.",
    (("[name]", "the data set or task (--list names all), or module:Class, file.py:Class of your own"),),
    (
        Flag("list", bool, False, "list the data sets and the tasks"),
        Flag("set", str, None, "instead of a name: make all data that this eval set lacks", "EVAL_SET"),
        Flag("samples", int, None, "how many rows (data set: all; task: as many as the built-in eval has)", "N"),
        Flag("seed", int, 20220722, "another seed takes or makes other rows", "K"),
        Flag("split", str, None, "data set: which split (validation, where there is one)", "S"),
        Flag("subset", str, None, "data set: only this subset (subject); may be repeated", "NAME", True),
        Flag("few_shot", int, None, "data set: so many examples before each question", "N"),
        Flag("source", str, None, "data set: take this instead of what the publisher serves", "FILE|DIR|URL"),
        Flag("accept_changed", bool, False, "data set: take a file that differs from datasets.lock, and record it"),
        Flag("folder", str, None, "data set: where downloads/ and datasets/ are (the working directory)", "DIR"),
        Flag("difficulty", int, None, "task: 1, 2 or 3 (2 if not given)", "D"),
        Flag("out", str, "registry", "the registry folder to write to", "DIR"),
        Flag("registry_path", str, None, "--set: a further registry folder; may be repeated", "DIR", True),
    ),
)

_OF_SETS = ("split", "subset", "few_shot", "source", "accept_changed", "folder")
_OF_TASKS = ("difficulty",)


def generate(args: argparse.Namespace, command_line: str) -> int:
    """Write the files and say how to run them, or list what there is; returns the exit code."""
    import shlex

    prepare_logging(False, None)
    _not_empty(args)
    if args.list:
        for line in listing():
            say(line, sys.stdout)
        return 0
    if args.set is not None:
        return _all_of(args)
    _only(args, ("registry_path",), "a name: it says where --set looks for evals")
    written, names = _made(args)
    for path in written:
        say(str(path), sys.stdout)
    count = sum(_rows_in(path) for path in written if path.suffix == ".jsonl")
    few = f", fewer than the {args.samples} asked for: there are no more" if count < (args.samples or 0) else ""
    say(f"{count} {'sample' if count == 1 else 'samples'}{few}")
    where = "" if _is_known(args.out) else f" --registry_path {shlex.quote(args.out)}"
    for name in names:
        say(f"Run it with: exec_aigc_evals COMPLETION_FN {name}{where}")
    return 0


def listing() -> list[str]:
    """One line for each data set (language, splits, licence, what it is) and for each task."""
    from aigc_evals.columns import table
    from aigc_evals.generate import DATASETS, get
    from aigc_evals.tasks import TASKS
    from aigc_evals.tasks import get as get_task

    sets = [get(name)() for name in sorted(DATASETS, key=str.lower)]
    rows = [
        (made.class_name, made.language, ", ".join(made.splits), made.licence or "licence not stated", made.told())
        for made in sets
    ]
    tasks = [(name, get_task(name).language, get_task(name).description) for name in sorted(TASKS)]
    indented = [[f"  {line}" for line in table(lines)] for lines in (rows, tasks)]
    return ["data sets", *indented[0], "", "tasks", *indented[1]]


def _made(args: argparse.Namespace) -> tuple[list[Path], list[str]]:
    """The files that were written, and the evals that are in them."""
    from aigc_evals.errors import UsageError
    from aigc_evals.tasks import TASKS

    if args.name is None:
        hint = "`aigc_evals generate --list` names all."
        raise UsageError("it must be said which data set or task", key="name", hint=hint)
    return _of_task(args) if args.name in TASKS else _of_set(args)


def _all_of(args: argparse.Namespace) -> int:
    """Run the commands that make the data which the evals of a set lack; one that fails does not keep the others from it."""
    import shlex

    from aigc_evals.errors import AigcEvalsError, UsageError
    from aigc_evals.evalset import evals_of
    from aigc_evals.made_data import lacking
    from aigc_evals.registry import Registry

    if args.name is not None:
        raise UsageError(f"give --set or a name, not both: {args.name!r}", key="name")
    for flag in COMMAND.flags:
        if flag.name not in ("set", "folder", "registry_path") and getattr(args, flag.dest) != flag.default:
            raise UsageError("means nothing for --set: the evals say how their data is made", key=flag.name)
    registry = Registry()
    registry.add_registry_paths(args.registry_path or ())
    evals = evals_of(registry, args.set)
    commands = dict.fromkeys(str(spec.made_by) for spec in evals if lacking(spec, str(spec.key)) is not None)
    failed: dict[str, str] = {}
    for number, command in enumerate(commands, 1):
        say(f"[{number}/{len(commands)}] {command}")
        try:
            words = shlex.split(command)
            if words[:2] != COMMAND.name.split():
                raise UsageError("this is another program's command; run it yourself")
            for path in _made(COMMAND.parse([*words[2:], *(["--folder", args.folder] if args.folder else [])]))[0]:
                say(str(path), sys.stdout)
        except AigcEvalsError as error:
            say(f"error: {error}")
            failed[command] = getattr(error, "message", str(error)).partition("\n")[0].rstrip(":")
        except ValueError as error:
            failed[command] = f"not a command line: {error}"
        except SystemExit:  # what it says has been told by then
            failed[command] = "not a command line that is understood"
    told = f"{len(commands) - len(failed)} of {len(commands)} made" if commands else "nothing was missing"
    say(f"{told} for the {len(evals)} evals of {args.set}")
    if failed:
        hint = "What was made stays; the same command makes the rest."
        reasons = (f"  {command}\n    {why}" for command, why in failed.items())
        raise UsageError("\n".join(["not made:", *reasons]), hint=hint)
    where = "".join(f" --registry_path {shlex.quote(path)}" for path in args.registry_path or ())
    say(f"Run them with: exec_aigc_evalset COMPLETION_FN {args.set}{where}")
    return 0


def _of_task(args: argparse.Namespace) -> tuple[list[Path], list[str]]:
    from aigc_evals.tasks import get
    from aigc_evals.tasks.task import write

    _only(args, _OF_SETS, "tasks, which are made by a program: they have no splits and no source")
    written = write(get(args.name), args.out, n=args.samples, seed=args.seed, difficulty=args.difficulty)
    return written, [args.name]


def _of_set(args: argparse.Namespace) -> tuple[list[Path], list[str]]:
    import inspect
    from functools import partial

    from aigc_evals.errors import UsageError, nearest
    from aigc_evals.generate import DATASETS, get
    from aigc_evals.objects import construct
    from aigc_evals.tasks import TASKS

    if ":" not in args.name and args.name.lower() not in map(str.lower, DATASETS):
        hint = nearest(args.name, [*TASKS, *DATASETS]) or "`aigc_evals generate --list` names all."
        if args.name.endswith(".py"):
            hint = f"Say which class of the file is meant: {args.name}:CLASS"
        raise UsageError(f"there is no data set and no task {args.name!r}", key="name", hint=hint)
    cls = get(args.name)
    _only(args, _OF_TASKS, "data sets, whose questions are as hard as they are")
    if args.samples is not None and args.samples < 1:
        raise UsageError(f"must be at least 1, got {args.samples}", key="samples")
    config = [args.split or cls.default_split, *([] if args.samples is None else [args.samples])]
    given = {
        "out": args.out,
        "folder": args.folder or ".",
        "seed": args.seed,
        "few_shot": args.few_shot or 0,
        "subset": args.subset,
        "source": args.source,
        "accept_changed": args.accept_changed,
        "made_as": args.name if ":" in args.name else None,
    }
    try:
        inspect.signature(cls).bind(config, **given)
    except TypeError as error:
        hint = "A constructor of its own must take *args and **kwargs, and hand them on to that of Generate."
        raise UsageError(f"{args.name} cannot be made: {error}", key="__init__", hint=hint) from None
    made = construct(partial(cls, config), given, args.name)
    if getattr(made, "written", None) is None or made.config is None:
        hint = "It must call super().__init__(*args, **kwargs) with what it was given; the eval is made there."
        raise UsageError(
            f"{args.name} was not made: its constructor did not hand its arguments on", key="__init__", hint=hint
        )
    return made.written, [f"{made.class_name}_{kind.kind}" for kind in made.eval_kinds()]


def _not_empty(args: argparse.Namespace) -> None:
    """UsageError for a flag whose value is empty, as when a variable of the shell is not set."""
    from aigc_evals.errors import UsageError

    for flag in COMMAND.flags:
        value = getattr(args, flag.dest)
        if value == "" or (isinstance(value, list) and "" in value):
            raise UsageError(f"--{flag.name} is empty", key=flag.name)


def _rows_in(path: Path) -> int:
    with open(path, "rb") as rows:
        return sum(1 for _ in rows)


def _only(args: argparse.Namespace, foreign: Sequence[str], told: str) -> None:
    """UsageError for a flag that means nothing for what was asked for."""
    from aigc_evals.errors import UsageError

    for flag in foreign:
        given = getattr(args, flag)
        if given is not None and given is not False:
            raise UsageError(f"--{flag} means nothing for {told}", key=flag)


def _is_known(out: str) -> bool:
    """Whether a registry folder is searched without being named."""
    from aigc_evals.files import expanded
    from aigc_evals.registry import default_paths

    return expanded(out, key="out").resolve() in [path.resolve() for path in default_paths()]
