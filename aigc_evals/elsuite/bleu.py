"""What evals share that measure by BLEU: sacrebleu's class, and the language that says how texts are cut into tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aigc_evals.elsuite.few_shot import ideals
from aigc_evals.errors import UsageError

HAN = "[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"

_HAS_HAN = re.compile(HAN)
_LOOKED_AT = 100


def language_of(texts: Iterable[str]) -> str:
    """``zh`` where more than half of the texts have Chinese characters, else ``en``."""
    found = [_HAS_HAN.search(text) is not None for text in texts]
    return "zh" if 2 * sum(found) > len(found) else "en"


def language_of_samples(samples: Sequence[Mapping[str, Any]]) -> str:
    """The language of the first 100 samples' ideals: one for a whole run, so that its corpus BLEU has one meaning."""
    return language_of(" ".join(ideals(samples[i])) for i in range(min(_LOOKED_AT, len(samples))))


def tokenizer_for(language: str) -> str:
    """The name of sacrebleu's tokenizer for a language."""
    return "zh" if language == "zh" else "13a"


def bleu_class(wanted_by: str, extra: str) -> Any:
    """sacrebleu's ``BLEU``; UsageError where it is not installed, with the extra that has it."""
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ModuleNotFoundError:
        raise missing(wanted_by, "sacrebleu", extra) from None
    return BLEU


def missing(wanted_by: str, library: str, extra: str) -> UsageError:
    """The error where an eval's library is not installed."""
    return UsageError(
        f"{wanted_by} needs {library}, which is not installed", hint=f'Install it: pip install "aigc_evals[{extra}]"'
    )
