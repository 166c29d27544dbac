"""A local model of the transformers library (extra: local).

    MY_MODEL=Qwen/Qwen3-0.6B exec_aigc_evals my_transformers test-match --models examples/models/transformers_model.py

MY_MODEL is a name on the Hugging Face hub or a folder.
"""

from __future__ import annotations

import os
from typing import Any

from aigc_evals import NamedModel


class MyTransformersModel(NamedModel):
    """Asks with the chat template of the tokenizer where it has one, else with the conversation as text."""

    MODEL_NAME = "my_transformers"
    max_concurrency = 1  # a local model answers one question at a time
    timeout = 600

    def __init__(self) -> None:
        # Loaded once in a run, when it is first asked; on a GPU where there is one.
        from transformers import pipeline

        self.generate = pipeline("text-generation", model=os.environ["MY_MODEL"], device=self.device)

    def create(self, *args: Any, **kwargs: Any) -> str:
        templated = self.generate.tokenizer.chat_template is not None
        answers = self.generate(
            kwargs["messages"] if templated else kwargs["prompt"],
            max_new_tokens=kwargs.get("max_tokens") or 512,
            do_sample=False,
            return_full_text=False,
        )
        return str(answers[0]["generated_text"])
