"""Who judges: the rules by which an eval that needs a grading model gets one, in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aigc_evals.base import JUDGE_VARIABLE, JudgeRule, Settings
from aigc_evals.errors import UsageError
from aigc_evals.models.named import function_name


@dataclass(frozen=True)
class Judge:
    """The grading model of an eval, and the rule it was chosen by; ``name`` is None where only the run knows it."""

    fn: Any
    rule: JudgeRule
    name: str | None = None


def choose(
    completion_fns: Sequence[Any],
    settings: Settings,
    make: Callable[[Any], Any],
    *,
    eval_model: Any = None,
    under_test: bool = False,
) -> tuple[Judge, list[Any]]:
    """The judge, and the completion functions that are left to be asked.

    ``make`` gives a completion function for a name (or a callable). With ``under_test`` it is judges that are measured, so the
    model that was named is never replaced by the one of ``AIGC_EVALS_JUDGE``. UsageError for a name that nothing has.
    """
    given = [(eval_model, JudgeRule.EVAL_MODEL, "eval_model"), (settings.judge, JudgeRule.NAMED, "judge")]
    if len(completion_fns) == 1 and not under_test:
        given.append((settings.default_judge, JudgeRule.ENVIRONMENT, JUDGE_VARIABLE))
    for wanted, rule, key in given:
        if wanted is None:
            continue
        try:
            fn = make(wanted)
        except UsageError as error:
            error.key = error.key or key
            raise
        return Judge(fn, rule, wanted if isinstance(wanted, str) else function_name(wanted)), list(completion_fns)
    if len(completion_fns) > 1:
        return Judge(completion_fns[-1], JudgeRule.LAST), list(completion_fns[:-1])
    return Judge(completion_fns[0], JudgeRule.ITSELF), list(completion_fns)


def unused(judge: Judge | None, wanted: Any, eval_name: str) -> str | None:
    """Why ``--judge`` has no effect on an eval, in a sentence; None where it has, or was not given."""
    if wanted is None or (judge is not None and judge.rule == JudgeRule.NAMED):
        return None
    name = wanted if isinstance(wanted, str) else function_name(wanted)
    if judge is None:
        return f"--judge {name} is not used: {eval_name} has no judge"
    return f"--judge {name} is not used: the eval's argument eval_model, {judge.name}, goes before it"
