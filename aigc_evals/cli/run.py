"""``exec_aigc_evals COMPLETION_FN EVAL``: run one eval."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from aigc_evals.cli.console import guarded, leave, prepare_logging, say
from aigc_evals.cli.flags import RUN_FLAGS, parser, spelled_out

_POSITIONALS = (
    ("completion_fn", "names of completion functions, separated by commas: registry entries, module:attr, or models"),
    ("eval", "name of an eval in the registry"),
)
_CLI_ONLY = ("version", "completion_fn", "eval", "eval_set", "log_to_file", "debug", "json", "registry_path")


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    return leave(guarded(_main, sys.argv[1:] if argv is None else argv))


def _main(argv: Sequence[str]) -> int:
    if print_version(argv):
        return 0
    made = parser("exec_aigc_evals", "Run one eval on one or more completion functions.", _POSITIONALS, RUN_FLAGS)
    args = made.parse_args(spelled_out(argv, RUN_FLAGS))
    prepare_logging(args.debug, args.log_to_file)
    from aigc_evals.runner import run

    result = run(args.completion_fn, args.eval, **config_of(args, "exec_aigc_evals", argv))
    show(result, f"{args.eval}  {args.completion_fn}", as_json=args.json)
    return result.exit_code


def print_version(argv: Sequence[str]) -> bool:
    """Print the version when it is asked for."""
    if "--version" in argv:
        from aigc_evals import __version__

        say(__version__, sys.stdout)
        return True
    return False


def config_of(args: Any, program: str, argv: Sequence[str]) -> dict[str, Any]:
    """The parsed flags as the keyword arguments of ``aigc_evals.run``."""
    import shlex

    from aigc_evals.cli.parameters import parse_parameters

    config = {key: value for key, value in vars(args).items() if key not in _CLI_ONLY}
    for name in ("extra_eval_params", "completion_args"):
        config[name] = parse_parameters(config[name], name)
    config["registry_path"] = args.registry_path or ()
    config["command"] = shlex.join([program, *argv])
    return config


def show(result: Any, title: str, *, as_json: bool) -> None:
    """The report: JSON on stdout where asked for (the table then goes to stderr), else the table on stdout."""
    from aigc_evals.report import render

    table = render(result.report, title=title, log_path=result.log_path)
    if as_json:
        from aigc_evals.fastjson import encode

        say(table)
        say(encode(result.report).decode("utf-8", "replace"), sys.stdout)
    else:
        say(table, sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
