"""The constructors that evals share which ask one completion function about the rows of a file, perhaps after examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from aigc_evals.elsuite.few_shot import FewShot, one_function
from aigc_evals.eval import Eval


class AsksOne(Eval):
    """Asks exactly one completion function, about the rows of ``samples_jsonl``."""

    def __init__(self, completion_fns: Sequence[Any], samples_jsonl: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(completion_fns, *args, **kwargs)
        self.samples_jsonl = samples_jsonl
        one_function(self)


class AsksAfterExamples(AsksOne):
    """Asks after the first ``num_few_shot`` examples of ``few_shot_jsonl``, as ``FewShot`` has them."""

    few_shot_rows: ClassVar[type[FewShot]] = FewShot
    """How examples are chosen for a sample."""

    def __init__(self, *args: Any, num_few_shot: int = 0, few_shot_jsonl: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.num_few_shot = num_few_shot
        self.few_shot_jsonl = few_shot_jsonl
        self._examples = self.few_shot_rows(self, num_few_shot, few_shot_jsonl)
        self.few_shot = self._examples.rows

    def facts(self) -> Mapping[str, Any]:
        return self._examples.facts()
