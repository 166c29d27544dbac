"""Evals from public data sets: ``Generate`` and ``GenerateZh`` to derive from, and the sets that are known.

A set's module is loaded when the set is asked for: ``from aigc_evals.generate import BoolQ``, or ``get("BoolQ")``. Its name
stands in the table below, and above it for type checkers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aigc_evals.generate.base import Generate as Generate
    from aigc_evals.generate.base import GenerateZh as GenerateZh
    from aigc_evals.generate.datasets.clue import cmrc as cmrc
    from aigc_evals.generate.datasets.clue import csl as csl
    from aigc_evals.generate.datasets.clue import iflytek as iflytek
    from aigc_evals.generate.datasets.clue import tnews as tnews
    from aigc_evals.generate.datasets.commonsense import StoryCloze as StoryCloze
    from aigc_evals.generate.datasets.commonsense import WinoGrande as WinoGrande
    from aigc_evals.generate.datasets.commonsense import arc as arc
    from aigc_evals.generate.datasets.commonsense import hellaswag as hellaswag
    from aigc_evals.generate.datasets.exams import ceval as ceval
    from aigc_evals.generate.datasets.exams import cmmlu as cmmlu
    from aigc_evals.generate.datasets.exams import mmlu as mmlu
    from aigc_evals.generate.datasets.grade_school import gsm8k as gsm8k
    from aigc_evals.generate.datasets.reading import DROP as DROP
    from aigc_evals.generate.datasets.reading import RACE as RACE
    from aigc_evals.generate.datasets.reading import CoQA as CoQA
    from aigc_evals.generate.datasets.reading import SQuAD as SQuAD
    from aigc_evals.generate.datasets.sentences_zh import ChnSentiCorp as ChnSentiCorp
    from aigc_evals.generate.datasets.sentences_zh import lcqmc as lcqmc
    from aigc_evals.generate.datasets.sentences_zh import waimai_10k as waimai_10k
    from aigc_evals.generate.datasets.summaries import CNNDailyMail as CNNDailyMail
    from aigc_evals.generate.datasets.superglue import COPA as COPA
    from aigc_evals.generate.datasets.superglue import WSC as WSC
    from aigc_evals.generate.datasets.superglue import BoolQ as BoolQ
    from aigc_evals.generate.datasets.superglue import MultiRC as MultiRC
    from aigc_evals.generate.datasets.superglue import ReCoRD as ReCoRD
    from aigc_evals.generate.datasets.superglue import WiC as WiC
    from aigc_evals.generate.kinds import EvalKind as EvalKind

DATASETS: dict[str, str] = {
    "arc": "commonsense",
    "BoolQ": "superglue",
    "ceval": "exams",
    "ChnSentiCorp": "sentences_zh",
    "cmmlu": "exams",
    "cmrc": "clue",
    "CNNDailyMail": "summaries",
    "COPA": "superglue",
    "CoQA": "reading",
    "csl": "clue",
    "DROP": "reading",
    "gsm8k": "grade_school",
    "hellaswag": "commonsense",
    "iflytek": "clue",
    "lcqmc": "sentences_zh",
    "mmlu": "exams",
    "MultiRC": "superglue",
    "RACE": "reading",
    "ReCoRD": "superglue",
    "SQuAD": "reading",
    "StoryCloze": "commonsense",
    "tnews": "clue",
    "waimai_10k": "sentences_zh",
    "WiC": "superglue",
    "WinoGrande": "commonsense",
    "WSC": "superglue",
}
"""The name of every data set, and the module of ``datasets`` whose class of that name describes it."""

_HOME = {"Generate": "base", "GenerateZh": "base", "EvalKind": "kinds"}

__all__ = ["DATASETS", "EvalKind", "Generate", "GenerateZh", "get"]


def get(name: str) -> type[Generate]:
    """The data set of this name (whatever its case), or a class of one's own as ``module:Class`` or ``file.py:Class``.

    UsageError with the nearest names where there is none.
    """
    import importlib

    from aigc_evals.errors import UsageError, nearest

    known = {key.lower(): key for key in DATASETS}
    if name.lower() in known:
        key = known[name.lower()]
        module = importlib.import_module(f"{__name__}.datasets.{DATASETS[key]}")
        found: type[Generate] = getattr(module, key)
        return found
    from aigc_evals.generate.base import Generate as Base
    from aigc_evals.objects import python_object

    own = python_object(name)
    if own is None:
        hint = nearest(name, DATASETS) or "`aigc_evals generate --list` names all."
        raise UsageError(f"there is no data set {name!r}", key="name", hint=hint)
    if not (isinstance(own, type) and issubclass(own, Base)):
        raise UsageError(f"{name!r} is not a class derived from aigc_evals.generate.Generate", key="name")
    return own


def __getattr__(name: str) -> Any:
    import importlib

    if name in DATASETS:
        return get(name)
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *DATASETS})
