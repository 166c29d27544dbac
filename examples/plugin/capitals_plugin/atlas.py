"""A completion function that looks capitals up.

exec_aigc_evals atlas plugin-capitals
"""

from __future__ import annotations

from typing import Any

_CAPITALS = {"France": "Paris", "Japan": "Tokyo", "中国": "北京", "法国": "巴黎"}


class Atlas:
    """Answers with the capital of the first country it finds in the prompt; ``unknown`` where it finds none."""

    def __init__(self, unknown: str = "I do not know.") -> None:
        self._unknown = unknown

    def __call__(self, prompt: Any, **kwargs: Any) -> str:
        text = str(prompt)
        return next((capital for country, capital in _CAPITALS.items() if country in text), self._unknown)
