"""``aigc_evals compare A B``: is the run of log B better than that of log A?"""

from __future__ import annotations

import sys

from aigc_evals.cli.console import prepare_logging, say, say_json
from aigc_evals.cli.flags import Command, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

COMMAND = Command(
    "aigc_evals compare",
    "Compare two runs of the same samples: the run of log B with that of log A, the baseline.",
    (("a", "the log of the baseline"), ("b", "the log that is compared with it")),
    (
        Flag(
            "metric", str, None, "compare this metric; may be repeated (all that both have, if not given)", "NAME", True
        ),
        Flag("margin", float, None, "the difference that would not matter", "X"),
        Flag("flips", int, 0, "list this many samples on which the first metric differs", "N"),
        Flag("lower_is_better", str, None, "a metric of which less is better; may be repeated", "NAME", True),
        Flag("seed", int, 20220722, "seed of the random flips of signs", "N"),
        Flag("json", bool, False, "print everything as JSON"),
    ),
)


def work(args: argparse.Namespace, command_line: str) -> int:
    """Compare and print; the exit code is 0 whatever the result says."""
    prepare_logging(False, None)
    from aigc_evals.tools.compare import compare

    found = compare(
        args.a,
        args.b,
        metrics=args.metric or (),
        margin=args.margin,
        flips=args.flips,
        lower_is_better=args.lower_is_better or (),
        seed=args.seed,
    )
    if args.json:
        say_json(found.as_dict())
    else:
        say("\n".join(_lines(found)), sys.stdout)
    return 0


def _lines(found: Any) -> Iterator[str]:
    from aigc_evals.columns import table

    yield from table([("A", *_run(found.a), "(baseline)"), ("B", *_run(found.b), "")])
    yield ""
    rows = [("metric", "A", "B", "B - A", "std. error", "95 % interval", "p", "result")]
    facts: list[tuple[str, str]] = []
    several = len(found.metrics) > 1
    for one in found.metrics:
        d = one.difference
        interval = f"{_signed(d.low)} to {_signed(d.high)}" if d.low == d.low else "-"
        p = one.p_adjusted if several else d.p
        rows.append(
            (
                one.metric,
                _number(d.mean_a),
                _number(d.mean_b),
                _signed(d.difference),
                _number(d.stderr),
                interval,
                _p(p),
                one.verdict,
            )
        )
        facts += _facts(one, several)
    yield from table(rows)
    yield ""
    yield from table([*facts, *_ledger(found)])
    if found.flips:
        yield ""
        yield f"differing in {found.flips[0].metric}, losses first"
        heads = ("sample", "A", "B", "expected", "answer of A", "answer of B")
        yield from table([heads, *(_flip(flip) for flip in found.flips)])


def _run(facts: Any) -> tuple[str, str, str]:
    return ",".join(facts["completion_fns"] or ()), str(facts["eval"]), str(facts["log"])


def _facts(one: Any, several: bool) -> Iterator[tuple[str, str]]:
    d = one.difference
    parts = [f"{d.n} pairs", f"B won {d.wins}, lost {d.losses}, tied {d.ties}"]
    if d.clusters is not None:
        parts.append(f"{d.clusters} clusters")
    parts.append(f"correlation {_number(d.correlation)}")
    yield one.metric, "; ".join(parts)
    tested = f"interval {d.interval}; test {d.test}"
    if several:
        tested += f", p {_p(d.p)} alone, {_p(one.p_adjusted)} with Holm's correction"
    if d.p_exact is not None:
        tested += f"; McNemar exact p {_p(d.p_exact)}"
    yield "", tested
    seen = f"smallest difference detectable with 80 % power: {_number(d.detectable)}"
    if d.p_same is not None:
        seen += f"; within {d.margin:g}: p {_p(one.p_same_adjusted)}"
    yield "", seen
    if one.note:
        yield "", one.note


def _ledger(found: Any) -> Iterator[tuple[str, str]]:
    pairs = found.pairs
    words = (
        ("compared", "scored in both"),
        ("only_a_scored", "only by A"),
        ("only_b_scored", "only by B"),
        ("neither_scored", "by neither"),
        ("only_in_a", "not in B's log"),
        ("only_in_b", "not in A's log"),
    )
    yield "samples", ", ".join(f"{pairs[key]} {word}" for key, word in words if pairs[key] or key == "compared")
    for difference in found.differences:
        yield "differs", difference
    for warning in found.warnings:
        yield "warning", warning


def _flip(flip: Any) -> tuple[str, ...]:
    texts = (_short(flip.expected), _short(flip.answer_a), _short(flip.answer_b))
    return (flip.sample_id, f"{flip.a:g}", f"{flip.b:g}", *texts)


def _short(value: Any) -> str:
    from aigc_evals.columns import wrapped
    from aigc_evals.fastjson import encode_text

    text = value if isinstance(value, str) else "-" if value is None else encode_text(value)
    lines = list(wrapped(" ".join(text.split()), 38))
    return lines[0] + (" ..." if len(lines) > 1 else "")


def _number(value: float) -> str:
    return f"{value:.4f}" if value == value else "-"


def _signed(value: float) -> str:
    return f"{value:+.4f}" if value == value else "-"


def _p(value: float) -> str:
    if value != value:
        return "-"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"
