"""The ways of scoring that a data set's rows can be put under, and the YAML that makes evals of them."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aigc_evals.errors import UsageError


@dataclass(frozen=True)
class EvalKind:
    """One way of scoring: the eval ``<name>_<kind>``, an alias of ``<name>.<kind>1.v0``.

    ``cls`` is the eval's class as ``module:Name``, ``args`` its arguments besides ``samples_jsonl``; the first of
    ``metrics`` is the headline. ``about`` says in a sentence, in the data set's language, when an answer is right.
    """

    kind: str
    cls: str
    metrics: tuple[str, ...] = ("accuracy",)
    args: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""


_MATCH = "aigc_evals.elsuite.basic.match:Match"
_FUZZY = "aigc_evals.elsuite.basic.fuzzy_match:FuzzyMatch"
_INCLUDES = "aigc_evals.elsuite.basic.includes:Includes"
_FACT = "aigc_evals.elsuite.modelgraded.classify:ModelBasedClassify"
_CHOICE = "aigc_evals.elsuite.choice_match:ChoiceMatch"
_NUMBER = "aigc_evals.elsuite.final_number:FinalNumber"
_OVERLAP = "aigc_evals.elsuite.overlap:Overlap"
_ROUGE = ("rougeL", "rouge1", "rouge2")


def _by_name(*kinds: EvalKind) -> Mapping[str, EvalKind]:
    return {kind.kind: kind for kind in kinds}


ENGLISH: Mapping[str, EvalKind] = _by_name(
    EvalKind("match", _MATCH, about="right when the reply starts with the expected answer"),
    EvalKind("fuzzy", _FUZZY, ("f1_score",), about="the reply's words are compared with those of the expected answer"),
    EvalKind("includes", _INCLUDES, about="right when the expected answer occurs in the reply"),
    EvalKind(
        "fact",
        _FACT,
        ("score",),
        args={"modelgraded_spec": "fact", "eval_type": "cot_classify"},
        about="a judge compares the reply with the expected answer by content",
    ),
    EvalKind("choice", _CHOICE, about="right when the letter read from the reply is the expected one"),
    EvalKind("number", _NUMBER, about="right when the number read from the reply has the expected value"),
    EvalKind(
        "rouge",
        _OVERLAP,
        _ROUGE,
        {"metrics": list(_ROUGE), "language": "en", "stem": True},
        about="the reply's word sequences are compared with those of the expected text",
    ),
)

CHINESE: Mapping[str, EvalKind] = _by_name(
    EvalKind("match", _MATCH, about="回答以标准答案开头为正确"),
    EvalKind("fuzzy", _FUZZY, ("f1_score",), about="比较回答与标准答案的用词"),
    EvalKind("includes", _INCLUDES, about="回答中出现标准答案为正确"),
    EvalKind(
        "fact",
        _FACT,
        ("score",),
        args={"modelgraded_spec": "fact_zh", "eval_type": "cot_classify_zh"},
        about="由评审模型比较回答与标准答案的内容",
    ),
    EvalKind("choice", _CHOICE, about="从回答中读出的选项与标准答案一致为正确"),
    EvalKind("number", _NUMBER, about="从回答中读出的数值与标准答案相等为正确"),
    EvalKind(
        "rouge",
        _OVERLAP,
        _ROUGE,
        {"metrics": list(_ROUGE), "language": "zh"},
        about="按字比较回答与标准答案的片段",
    ),
)


def named(evals: Iterable[Any], known: Mapping[str, EvalKind], whose: str) -> list[EvalKind]:
    """The ways of scoring that a data set names; UsageError for what is none."""
    if isinstance(evals, str):
        hint = f"One alone is ({evals!r},)"
        raise UsageError(f"{whose}: expected a list of ways of scoring", key="evals", hint=hint)
    found = []
    for kind in evals:
        kind = known.get(kind, kind) if isinstance(kind, str) else kind
        if not isinstance(kind, EvalKind):
            hint = f"Known are: {', '.join(known)}; or give an EvalKind."
            raise UsageError(f"{whose} names a way of scoring {kind!r}", key="evals", hint=hint)
        found.append(kind)
    return found


def most_letters(kinds: Iterable[EvalKind]) -> int:
    """How many letters of its options an answer may have, so that all of these can score it; 0 where none reads letters."""
    return min(
        (len(string.ascii_uppercase) if kind.args.get("multiple") else 1 for kind in kinds if kind.cls == _CHOICE),
        default=0,
    )


def own_yaml(made: Any, name: str) -> str:
    """What a data set's ``format_one_yaml`` gave, as the text of a registry's file; UsageError where it can be none."""
    import yaml

    try:
        text = made if isinstance(made, str) else yaml.safe_dump(made, allow_unicode=True, sort_keys=False, width=120)
        entries = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        why = getattr(error, "problem", None) or ": ".join(map(str, error.args))
        raise UsageError(f"{name}: format_one_yaml gave what is no YAML{where}: {why}", key="format_one_yaml") from None
    if not isinstance(made, (str, Mapping)) or not isinstance(entries, dict):
        message = f"{name}: format_one_yaml gave {type(entries).__name__} where names with their entries are wanted"
        raise UsageError(message, key="format_one_yaml", hint="A mapping of evals' names to entries, or such YAML.")
    return text


def as_yaml(
    name: str, kinds: Iterable[EvalKind], *, description: str, data: str, made_by: str | None, head: Iterable[str] = ()
) -> str:
    """The entries of a data set's evals as YAML: an alias and a full name for each kind; ``head`` are lines of comment."""

    # JSON scalars are YAML scalars, and their quoting is the same everywhere.
    def text(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    lines = [f"# {line}".rstrip() for line in head]
    for kind in kinds:
        full = f"{name}.{kind.kind}1.v0"
        joint = "；" if any("一" <= letter <= "鿿" for letter in description) else "; "
        told = joint.join(part.rstrip("。.") for part in (description, kind.about) if part)
        lines += [
            "",
            f"{name}_{kind.kind}:",
            f"  id: {full}",
            f"  description: {text(told + ('。' if joint == '；' else '.'))}",
            f"  metrics: [{', '.join(kind.metrics)}]",
            f"{full}:",
            f"  class: {kind.cls}",
            *([f"  made_by: {text(made_by)}"] if made_by else []),
            "  args:",
            *(f"    {key}: {text(value)}" for key, value in {"samples_jsonl": data, **kind.args}.items()),
        ]
    return "\n".join(lines).lstrip("\n") + "\n"
