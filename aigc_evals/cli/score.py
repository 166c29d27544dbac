"""``aigc_evals score LOG``: score recorded answers again, with nothing asked."""

from __future__ import annotations

from aigc_evals.cli.console import prepare_logging, say
from aigc_evals.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

COMMAND = Command(
    "aigc_evals score",
    "Score the answers of a log again, by the same or another eval class, into a new log; no model is asked.",
    (("log", "the log of a run"),),
    (
        Flag("class", str, None, "the eval class (that of the log, if not given)", "MODULE:CLASS"),
        Flag("arg", str, None, "an argument of the class, over that of the log; may be repeated", "K=V", True),
        Flag("record_path", str, None, "where the new log goes", "FILE"),
        Flag("registry_path", str, None, "a further registry folder; may be repeated", "DIR", True),
        Flag("user", str, "", "who runs this; kept in the log", "NAME"),
        Flag("max_invalid", float, 1.0, "share of samples that may end without a score", "X"),
        Flag("json", bool, False, "print the final report as JSON on stdout"),
    ),
)


def work(args: argparse.Namespace, command_line: str) -> int:
    """Score and show the report; the exit code is that of a run."""
    prepare_logging(False, None)
    from aigc_evals.cli.parameters import parse_parameters
    from aigc_evals.cli.run import show
    from aigc_evals.tools.score import rescore

    arguments: dict[str, Any] = {}
    for text in args.arg or ():
        arguments.update(parse_parameters(text, "arg"))
    done = rescore(
        args.log,
        cls=getattr(args, "class"),
        args=arguments,
        record_path=args.record_path,
        registry_path=args.registry_path or (),
        user=args.user,
        max_invalid=args.max_invalid,
        command=command_line,
    )
    show(done.result, f"answers of {args.log}, scored again", as_json=args.json)
    for name in done.dropped:
        say(f"note: the class takes no {name}, which the log's eval had")
    for difference in done.differences:
        say(f"note: {difference}")
    if done.other_prompts:
        say(f"warning: {done.other_prompts} of {done.replayed} answers were given to other prompts than are asked now")
    if done.unanswered:
        say(f"warning: {done.unanswered} calls found no answer in the log")
    return done.result.exit_code
