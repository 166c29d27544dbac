"""Mathematics of the grade school: problems in words whose answer is a number."""

from __future__ import annotations

import re

from aigc_evals.generate.base import Generate, Item, Message
from aigc_evals.generate.readers import find, read_jsonl

_ADDRESS = "https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data/{}.jsonl"


class gsm8k(Generate):  # noqa: N801 - the name of the set, and of its evals
    """Problems in words that take two to eight steps of arithmetic.

    GSM8K, raw rows: ``{"question": "...", "answer": "He runs 3*60=<<3*60=180>>180 meters.\\n#### 180"}``: the solution by
    steps, with what a calculator was asked between ``<<`` and ``>>``, and after ``####`` the number, perhaps with commas. 7,473
    rows to train, 1,319 to test. Examples show the solution, without the calculator.
    """

    d_url = {f"{split}.jsonl": _ADDRESS.format(split) for split in ("train", "test")}
    licence = "MIT"
    homepage = "https://github.com/openai/grade-school-math"
    citation = "Cobbe et al.: Training Verifiers to Solve Math Word Problems. arXiv:2110.14168, 2021."
    splits = ("train", "test")
    default_split = "test"
    evals = ("number",)
    suggested_samples = None
    instruction = (
        "Solve the problem step by step. Then write one last line that has only #### and the answer as a number, "
        "without a unit, like this:\n#### 42"
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split in self.splits:
            self.save_split(split, read_jsonl(find(folder, f"{split}.jsonl")))

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(item["question"].strip())

    def format_ideal(self, item: Item) -> str:
        return self._parts(item)[1]

    def format_example(self, item: Item, ideal: str) -> str:
        return f"{self._parts(item)[0]}\n#### {ideal}"

    def _parts(self, item: Item) -> tuple[str, str]:
        """The solution, and the number without its separators."""
        steps, mark, number = item["answer"].rpartition("####")
        if not mark:
            raise ValueError(f"no #### in {item['answer'][-40:]!r}")
        return re.sub(r"<<[^<>]*>>", "", steps).strip(), number.strip().replace(",", "").removeprefix("$")
