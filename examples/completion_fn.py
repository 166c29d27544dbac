"""Two completion functions: a plain one, and a class that can be configured and asked many times at once.

From the root of the checkout:

    exec_aigc_evals examples/completion_fn.py:converter units --registry_path examples/my_eval
    exec_aigc_evals examples/completion_fn.py:Converter units --registry_path examples/my_eval --completion_args delay=0
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from aigc_evals import EndpointError, TextResult

FACTORS = {"centimetres": 100, "厘米": 100, "minutes": 60, "分钟": 60}


def converter(prompt: Any, **kwargs: Any) -> str:
    """A plain function runs in threads; what it returns is the answer."""
    question = prompt[-1]["content"]
    number = float(re.findall(r"[\d.]+", question)[0])
    factor = next((factor for unit, factor in FACTORS.items() if unit in question), None)
    return "I do not know." if factor is None else f"{number * factor:g}"


class Converter:
    """``acall`` is awaited, so calls need no threads. Attributes say how the runner may call."""

    max_concurrency = 16

    def __init__(self, delay: float = 0.01) -> None:
        self.delay = delay

    async def acall(self, prompt: Any, **kwargs: Any) -> TextResult:
        await asyncio.sleep(self.delay)
        if not prompt:
            raise EndpointError("there is no question", kind="bad_request")
        return TextResult(converter(prompt), usage={"total_tokens": 12}, model="converter-1")

    def __call__(self, prompt: Any, **kwargs: Any) -> TextResult:
        return asyncio.run(self.acall(prompt, **kwargs))
