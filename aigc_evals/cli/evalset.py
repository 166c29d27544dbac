"""``exec_aigc_evalset COMPLETION_FN EVAL_SET``: run the evals of a set, one after another, in one process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from aigc_evals.cli.console import guarded, leave, prepare_logging, say
from aigc_evals.cli.flags import SET_FLAGS, parser, spelled_out
from aigc_evals.cli.run import config_of, print_version, show

_POSITIONALS = (
    ("completion_fn", "names of completion functions, separated by commas"),
    ("eval_set", "name of an eval set in the registry"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    return leave(guarded(_main, sys.argv[1:] if argv is None else argv))


def _main(argv: Sequence[str]) -> int:
    if print_version(argv):
        return 0
    made = parser("exec_aigc_evalset", "Run every eval of an eval set.", _POSITIONALS, SET_FLAGS)
    args = made.parse_args(spelled_out(argv, SET_FLAGS))
    prepare_logging(args.debug, args.log_to_file)
    from aigc_evals.errors import AigcEvalsError
    from aigc_evals.evalset import run_set

    def started(number: int, total: int, spec: Any) -> None:
        say(f"[{number + 1}/{total}] {spec.key}")

    def ended(spec: Any, result: Any) -> None:
        if isinstance(result, AigcEvalsError):
            say(f"error: {spec.key}: {result}")
        else:
            show(result, f"{spec.key}  {args.completion_fn}", as_json=args.json)
            say("", sys.stderr if args.json else sys.stdout)

    done = run_set(
        args.completion_fn, args.eval_set, on_start=started, on_end=ended, **config_of(args, "exec_aigc_evalset", argv)
    )
    if done.already:
        say(f"{len(done.already)} evals were finished before (use --no-resume to run them again)")
    return done.exit_code


if __name__ == "__main__":
    sys.exit(main())
