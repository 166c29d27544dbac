"""``aigc_evals list [evals|sets|completion_fns|modelgraded] [FILTER]``: what the registries hold."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say, say_json
from aigc_evals.cli.flags import LIST_FLAGS, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

COMMAND = Command(
    "aigc_evals list",
    "List the evals, sets, completion functions and model-graded specs of the registries.",
    (
        ("[kind]", "evals, sets, completion_fns or modelgraded; all of them if left out"),
        ("[filter]", "a part of the name, or a pattern of the whole name with * for any text"),
    ),
    LIST_FLAGS,
)


def list_names(args: argparse.Namespace, command_line: str) -> int:
    """Print one line for each name, or a JSON list; exit code 1 where there is none."""
    prepare_logging(False, None)
    from aigc_evals.columns import terminal_columns
    from aigc_evals.errors import UsageError
    from aigc_evals.models.search import NamedModels
    from aigc_evals.tools.listing import FOLDERS, list_entries, render, search_path

    kind, pattern = args.kind, args.filter
    if kind is not None and kind not in FOLDERS:
        if pattern is not None:
            raise UsageError(f"expected one of {', '.join(FOLDERS)}, got {kind!r}", key="kind")
        kind, pattern = None, kind
    models = NamedModels()
    models.add(args.models or ())
    rows = list_entries(search_path(args.registry_path or ()), kind, pattern, everything=args.all, models=models)
    for problem in models.problems.values():
        say(f"warning: {problem}")
    if args.json:
        say_json([row.as_dict() for row in rows])
    elif rows:
        say(render(rows, terminal_columns()), sys.stdout)
    else:
        say("nothing in the registries has such a name")
    return 0 if rows else 1
