"""What evals share that measure by BLEU: sacrebleu's class, and the language that says how texts are cut into tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aigc_evals.elsuite.few_shot import ideals
from aigc_evals.errors import UsageError

HAN = "[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"

AS_OPENAI_EVALS = "13a"
"""sacrebleu's tokenizer for languages that write words apart, which openai/evals takes for all."""

_HAS_HAN = re.compile(HAN)
_HAS_KANA = re.compile("[\u3041-\u30ff]")
_LOOKED_AT = 100


def language_of(texts: Iterable[str]) -> str:
    """``zh`` where more than half of the texts have Chinese characters, else ``en``."""
    found = [_HAS_HAN.search(text) is not None for text in texts]
    return "zh" if 2 * sum(found) > len(found) else "en"


def first_ideals(samples: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ideals of the first 100 samples, which say for a whole run what its language is: corpus BLEU has one meaning."""
    return [" ".join(ideals(samples[i])) for i in range(min(_LOOKED_AT, len(samples)))]


def tokenizer_for(language: str) -> str:
    """The name of sacrebleu's tokenizer for a language."""
    return "zh" if language == "zh" else AS_OPENAI_EVALS


def tokenizer_of(texts: Sequence[str]) -> str:
    """The name of sacrebleu's tokenizer for these texts: ``char`` for Japanese, whose kana ``zh`` does not cut."""
    japanese = sum(_HAS_KANA.search(text) is not None for text in texts)
    return "char" if 2 * japanese > len(texts) else tokenizer_for(language_of(texts))


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
