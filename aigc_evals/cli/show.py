"""``aigc_evals show NAME``: everything about one name, and a sample as a model will get it."""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say, say_json
from aigc_evals.cli.flags import SHOW_FLAGS, Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

COMMAND = Command(
    "aigc_evals show",
    "Show what a name of the registry stands for: spec, class, data, and the first sample as it will be sent.",
    (("name", "an eval, an eval set, a completion function, a model-graded spec or a named model"),),
    SHOW_FLAGS,
)


def show(args: argparse.Namespace, command_line: str) -> int:
    """Print one YAML document (or JSON object) for each thing of that name."""
    prepare_logging(False, None)
    from aigc_evals.models.search import NamedModels
    from aigc_evals.tools.listing import search_path
    from aigc_evals.tools.show import as_yaml
    from aigc_evals.tools.show import show as found

    models = NamedModels()
    models.add(args.models or ())
    shown = found(search_path(args.registry_path or ()), args.name, models)
    if args.json:
        say_json(shown)
    else:
        say(as_yaml(shown), sys.stdout)
    return 0
