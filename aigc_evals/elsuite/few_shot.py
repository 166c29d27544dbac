"""Examples put before a question, and what evals check about their samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from aigc_evals.errors import SampleError, UsageError
from aigc_evals.eval import Eval, check_keys
from aigc_evals.prompt.base import is_chat_prompt


class FewShot:
    """The first ``count`` rows of a JSONL file, each a list of messages under ``sample``; no file is read for a count of 0."""

    _all = False

    def __init__(self, owner: Eval, count: int, few_shot_jsonl: str | None) -> None:
        self.count = count
        self._owner = owner
        self.rows: list[dict[str, Any]] = []
        self.sha256: str | None = None
        if count <= 0:
            return
        if few_shot_jsonl is None:
            raise UsageError("num_few_shot needs to know where its examples are", key="few_shot_jsonl")
        from aigc_evals.data.samples import JsonlSamples

        samples = JsonlSamples.open(owner._prefix_registry_path(few_shot_jsonl))
        self.sha256 = samples.sha256
        for index, row in enumerate(samples if self._all else samples[:count]):
            if not isinstance(row, dict) or not isinstance(row.get("sample"), list):
                path, line = samples.place(index)
                raise UsageError("an example must have its messages as a list under 'sample'", path=path, line=line)
            self.rows.append(row)
        samples.close()

    def chosen(self, sample: Any) -> list[dict[str, Any]]:
        """The examples for a sample."""
        return self.rows

    def check(self, sample: Any) -> None:
        """SampleError where there are no examples for a sample that is to have some."""
        if self.count > 0 and not self.chosen(sample):
            raise SampleError(f"there is no example of its subject, {subject_of(sample)!r}, in few_shot_jsonl")

    def apply(self, prompt: Any, sample: Any = None) -> Any:
        """The examples' messages between all of the prompt but its last message, and that."""
        if self.count <= 0:
            return prompt
        if not is_chat_prompt(prompt):
            raise SampleError("examples can be put before a chat prompt only: 'input' must be a list of messages")
        return [*prompt[:-1], *[message for row in self.chosen(sample) for message in row["sample"]], *prompt[-1:]]

    def facts(self) -> Mapping[str, Any]:
        """What the log has of the examples. It is asked for when a run begins, which then is told of examples that lack."""
        told = shortage(self.rows, self.count, by_subject=self._all)
        if told is not None:
            self._owner.remark(told)
        return {"few_shot": {"rows": len(self.rows), "sha256": self.sha256}} if self.count > 0 else {}


class FewShotBySubject(FewShot):
    """The first ``count`` rows of the sample's own ``metadata.subject``; of all rows where the file has no subjects."""

    _all = True

    def __init__(self, owner: Eval, count: int, few_shot_jsonl: str | None) -> None:
        super().__init__(owner, count, few_shot_jsonl)
        by_subject: dict[Any, list[dict[str, Any]]] = {}
        for row in self.rows:
            by_subject.setdefault(subject_of(row), []).append(row)
        self._subjects = {subject: rows[:count] for subject, rows in by_subject.items()}
        self.rows = [row for rows in self._subjects.values() for row in rows]

    def chosen(self, sample: Any) -> list[dict[str, Any]]:
        if not any(subject is not None for subject in self._subjects):
            return self.rows
        return self._subjects.get(subject_of(sample), [])


def shortage(rows: Sequence[Any], count: int, *, by_subject: bool = False) -> str | None:
    """What to say where rows are too few for ``count`` examples before each question; None where they are enough.

    With ``by_subject`` each subject is to have so many, if the rows have subjects.
    """
    counts = Counter(subject_of(row) for row in rows) if by_subject else Counter()
    if any(subject is not None for subject in counts):
        few = [f"{subject} ({n})" for subject, n in counts.items() if subject is not None and n < count]
        if not few:
            return None
        shown = ", ".join(few[:5]) + (f" and {len(few) - 5} more subjects" if len(few) > 5 else "")
        return f"num_few_shot is {count}, but few_shot_jsonl has fewer examples of {shown}; their questions get what there is"
    if len(rows) >= count:
        return None
    told = "no examples" if not rows else "only 1 example" if len(rows) == 1 else f"only {len(rows)} examples"
    return f"num_few_shot is {count}, but few_shot_jsonl has {told}; questions get what there is"


def subject_of(row: Any) -> Any:
    """The ``metadata.subject`` of a row, or None."""
    metadata = row.get("metadata") if isinstance(row, dict) else None
    subject = metadata.get("subject") if isinstance(metadata, dict) else None
    return subject if isinstance(subject, (str, int)) else None


def one_function(owner: Eval) -> None:
    """UsageError unless the eval got exactly one completion function."""
    if len(owner.completion_fns) != 1:
        raise UsageError(
            f"{type(owner).__name__} asks exactly one completion function, got {len(owner.completion_fns)}",
            key="completion_fn",
        )


def check_input_and_ideals(sample: Any) -> None:
    """SampleError unless the sample has an ``input`` and an ``ideal`` that is a string or a list of strings."""
    check_keys(sample, "input", "ideal")
    check_prompt(sample["input"], "input")
    ideal = sample["ideal"]
    if isinstance(ideal, str):
        return
    if not isinstance(ideal, list) or not all(isinstance(item, str) for item in ideal):
        raise SampleError(f"'ideal' must be a string or a list of strings, got {ideal!r}")


def check_prompt(prompt: Any, key: str) -> None:
    """SampleError for what no function can be asked; objects pass, since a function of one's own may understand them."""
    if prompt is None or isinstance(prompt, (bool, int, float)) or prompt == []:
        raise SampleError(f"{key!r} must be a text or a list of messages, got {prompt!r}")
    if isinstance(prompt, list) and any(isinstance(item, dict) for item in prompt):
        for number, message in enumerate(prompt, 1):
            if not isinstance(message, dict) or not isinstance(message.get("role", ""), str):
                raise SampleError(f"message {number} of {key!r} is not an object with a role: {message!r:.80}")


def ideals(sample: Mapping[str, Any]) -> list[str]:
    """The ideal answers as a list."""
    ideal = sample["ideal"]
    return ideal if isinstance(ideal, list) else [ideal]
