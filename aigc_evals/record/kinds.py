"""The kinds of events that openai/evals has, and what each of them holds."""

from __future__ import annotations

import abc
from typing import Any


class RecordMethods(abc.ABC):
    """A method for each kind, on top of ``record_event``. Without a ``sample_id`` they record into the current sample."""

    @abc.abstractmethod
    def record_event(self, type: str, data: Any = None, sample_id: str | None = None) -> None:
        """Record an event of any type."""

    def record_match(
        self, correct: bool, *, expected: Any = None, picked: Any = None, sample_id: str | None = None, **extra: Any
    ) -> None:
        """Whether what was ``picked`` is what was ``expected``; a list of exactly one expected value is unwrapped."""
        if not isinstance(correct, bool):
            raise TypeError(f"correct must be a bool, got {type(correct).__name__}: {correct!r}")
        if isinstance(expected, list) and len(expected) == 1:
            expected = expected[0]
        self.record_event("match", {"correct": correct, "expected": expected, "picked": picked, **extra}, sample_id)

    def record_embedding(self, prompt: Any, embedding_type: str, sample_id: str | None = None, **extra: Any) -> None:
        self.record_event("embedding", {"prompt": prompt, "embedding_type": embedding_type, **extra}, sample_id)

    def record_sampling(self, prompt: Any, sampled: Any, sample_id: str | None = None, **extra: Any) -> None:
        """What a model answered to ``prompt``."""
        self.record_event("sampling", {"prompt": prompt, "sampled": sampled, **extra}, sample_id)

    def record_function_call(
        self, name: str, arguments: Any, return_value: Any, sample_id: str | None = None, **extra: Any
    ) -> None:
        data = {"name": name, "arguments": arguments, "return_value": return_value, **extra}
        self.record_event("function_call", data, sample_id)

    def record_cond_logp(
        self, prompt: Any, completion: Any, logp: float, sample_id: str | None = None, **extra: Any
    ) -> None:
        data = {"prompt": prompt, "completion": completion, "logp": logp, **extra}
        self.record_event("cond_logp", data, sample_id)

    def record_pick_option(
        self, prompt: Any, options: Any, picked: Any, sample_id: str | None = None, **extra: Any
    ) -> None:
        self.record_event("pick_option", {"prompt": prompt, "options": options, "picked": picked, **extra}, sample_id)

    def record_raw(self, data: Any) -> None:
        self.record_event("raw_sample", data)

    def record_metrics(self, **kwargs: Any) -> None:
        """Numbers (and labels) of the current sample; every number becomes a metric of the report."""
        self.record_event("metrics", kwargs)

    def record_error(self, msg: str, error: BaseException | None = None, **kwargs: Any) -> None:
        data: dict[str, Any] = {"type": type(error).__name__, "message": msg if error is None else str(error)}
        if error is not None and msg:
            data["context"] = msg
        self.record_event("error", {**data, **kwargs})

    def record_extra(self, data: Any, sample_id: str | None = None) -> None:
        self.record_event("extra", data, sample_id)
