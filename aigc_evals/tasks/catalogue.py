"""The page that lists what the package has: evals with the figures of the baselines, eval classes, metrics.

``python -m aigc_evals.tasks.catalogue`` writes ``docs/catalogue.md``. Everything on it comes from the registry and from
docstrings, or is measured: the baselines, and the oracle that answers with a task's solver, are run on all rows.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aigc_evals.base import BaseEvalSpec
from aigc_evals.data import get_jsonl
from aigc_evals.errors import AigcEvalsError
from aigc_evals.registry import BUILT_IN, Registry
from aigc_evals.runner import run
from aigc_evals.schemas.generate import eval_classes
from aigc_evals.tasks import TASKS, get
from aigc_evals.tasks.task import Row
from aigc_evals.yaml_files import load_kind

FIGURES = ("random", "lexical", "oracle")
METRIC_MODULES = ("metrics", "statistics", "statistics.paired")
NOTHING = "–"

_HEAD = """# Catalogue

What the built-in registry holds. Written by `python -m aigc_evals.tasks.catalogue`; a test holds it in step.

## Evals

Chance is the accuracy that guessing has in expectation; `random` and `lexical` are what `baseline/random` and
`baseline/lexical` reach on all rows, and the oracle answers with the task's own solver, which sees the prompt only. {dash}
stands where there is nothing to say: no solver, no known chance, a judge needed, data that is made by a command first.

| eval | rows | language | class | chance | random | lexical | oracle |
|---|---|---|---|---|---|---|---|
"""


def oracle(name: str) -> Any:
    """A completion function that answers the prompts of a task by its solver."""
    task = get(name)

    def solver(prompt: Any, **kwargs: Any) -> str:
        # Nothing but the prompt: an ideal that the text does not lead to would show.
        row: Row = {"input": list(prompt), "ideal": ""}
        return task.solve(row)

    return solver


def figures(name: str) -> tuple[str, ...]:
    """The measured columns of an eval, in the order of ``FIGURES``."""
    if _judged(name):
        return (NOTHING,) * len(FIGURES)
    found = [_headline(name, "baseline/random"), _headline(name, "baseline/lexical")]
    return (*found, _headline(name, oracle(name)) if name in TASKS else NOTHING)


def _headline(name: str, fn: Any) -> str:
    # The user's own registries are no part of the page.
    try:
        report = run(
            fn, name, registry=Registry([BUILT_IN]), environ={}, dry_run=True, dry_run_logging=False, progress=False
        ).report
    except AigcEvalsError:
        return NOTHING
    value = report.get("metrics", {}).get(report.get("headline") or "", {}).get("value")
    return NOTHING if value is None else f"{value:.3f}"


def _judged(name: str) -> bool:
    return "modelgraded" in str(Registry([BUILT_IN]).eval(name).cls)


def eval_names() -> list[str]:
    """The base names of all evals of the package, in order."""
    return sorted(name for name in load_kind([BUILT_IN], "evals") if "." not in name)


def page(measured: Mapping[str, Sequence[str]]) -> str:
    """The whole page; ``measured`` maps the name of every eval to its columns ``FIGURES``."""
    registry = Registry([BUILT_IN])
    lines = [_HEAD.format(dash=f"`{NOTHING}`")]
    described = []
    for name in eval_names():
        spec = registry.eval(name)
        rows = _rows(registry, name)
        base = registry.get_base_eval(name) or BaseEvalSpec()
        cells = [f"`{name}`", str(len(rows) or NOTHING), _language(rows), f"`{str(spec.cls).split(':')[-1]}`"]
        chance = f"{get(name).chance(rows):.3f}" if name in TASKS else NOTHING
        lines.append(_line([*cells, chance, *measured[name]]))
        described.append(_line([f"`{name}`", base.description or ""]))
    lines += ["\n| eval | what it asks |\n|---|---|\n", *described]
    lines.append("\n## Eval sets\n\n| set | evals |\n|---|---|\n")
    for name in sorted(load_kind([BUILT_IN], "eval_sets")):
        evals = registry.eval_set(name).evals
        lines.append(_line([f"`{name}`", ", ".join(f"`{entry}`" for entry in evals)]))
    lines.append("\n## Eval classes\n\n| class | what it does | range of its metrics |\n|---|---|---|\n")
    for cls in sorted(eval_classes(), key=lambda cls: cls.__module__):
        ranges = ", ".join(f"{metric} {low:g} to {high:g}" for metric, (low, high) in cls.metric_ranges.items())
        lines.append(_line([f"`{cls.__module__}:{cls.__name__}`", first_paragraph(cls), ranges]))
    lines.append("\n## Metrics and statistics\n\n| function | what it gives |\n|---|---|\n")
    for module, function in metric_functions():
        lines.append(_line([f"`{module}.{function.__name__}`", first_paragraph(function)]))
    return "".join(lines)


def read_figures(text: str) -> dict[str, tuple[str, ...]]:
    """The measured columns as a page has them."""
    cells = (line.strip("| ").split(" | ") for line in text.split("\n") if re.match(r"\| `[^`]+` \| [\d–]+ \|", line))
    return {row[0].strip("`"): tuple(row[-len(FIGURES) :]) for row in cells}


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _rows(registry: Registry, name: str) -> list[Any]:
    spec = registry.eval(name)
    path = (spec.args or {}).get("samples_jsonl")
    return get_jsonl(BUILT_IN / "data" / path) if isinstance(path, str) and spec.made_by is None else []


def _language(rows: Sequence[Any]) -> str:
    chinese = [bool(re.search("[\u4e00-\u9fff]", str(row))) for row in rows]
    if not rows:
        return NOTHING
    return "zh" if all(chinese) else "en, zh" if any(chinese) else "en"


def metric_functions() -> Iterator[tuple[str, Any]]:
    """The public functions of the modules that calculate, with their module's short name."""
    for name in METRIC_MODULES:
        module = importlib.import_module(f"aigc_evals.{name}")
        for key, value in vars(module).items():
            if inspect.isfunction(value) and not key.startswith("_") and value.__module__ == module.__name__:
                yield name, value


def first_paragraph(thing: Any) -> str:
    """The first paragraph of a docstring as one line."""
    return " ".join(inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0].split())


def main(argv: Sequence[str] | None = None) -> int:
    """Measure everything and write the page, to the file named or to ``docs/catalogue.md``."""
    words = sys.argv[1:] if argv is None else list(argv)
    path = Path(words[0] if words else "docs/catalogue.md")
    names = eval_names()
    path.write_text(page({name: figures(name) for name in names}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
