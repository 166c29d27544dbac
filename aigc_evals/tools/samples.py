"""Single samples of a log for a person to read: what was asked, answered, thought, expected, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aigc_evals.base import Event, Outcome
from aigc_evals.columns import padded, width, wrapped
from aigc_evals.errors import UsageError, nearest
from aigc_evals.fastjson import encode_text
from aigc_evals.log import read_samples, require_spec

_GUTTER = 2


@dataclass
class Call:
    """One call of a model: the prompt as sent, the first answer, its reasoning, and whether it was the judge's."""

    prompt: Any
    answer: str | None
    reasoning: str | None = None
    judge: bool = False
    flaw: str | None = None


@dataclass
class SampleView:
    """What a log tells of one sample. ``verdict`` is "right", "wrong", or the metrics as text; None where there is none."""

    sample_id: str
    outcome: str
    seconds: float | None
    calls: list[Call] = field(default_factory=list)
    expected: Any = None
    picked: Any = None
    correct: bool | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    cluster: Any = None

    @property
    def verdict(self) -> str | None:
        if self.correct is not None:
            # What was not scored counts as neither, whatever a comparison with nothing gave.
            return ("right" if self.correct else "wrong") if self.outcome == Outcome.SCORED.value else None
        return ", ".join(f"{key} {_short(value)}" for key, value in self.metrics.items() if value is not None) or None

    @property
    def wrong(self) -> bool:
        """Whether the sample was scored, and its answer found wrong: no match, or an accuracy or score of 0."""
        if self.outcome != Outcome.SCORED.value:
            return False
        if self.correct is not None:
            return not self.correct
        return any(self.metrics.get(key) == 0 for key in ("accuracy", "score"))

    def as_dict(self) -> dict[str, Any]:
        """The sample as plain values, for JSON."""
        own = {**vars(self), "calls": [vars(call) for call in self.calls]}
        policy = [call for call in self.calls if not call.judge]
        answer = policy[-1] if policy else None
        return {
            "sample_id": self.sample_id,
            "outcome": self.outcome,
            "verdict": self.verdict,
            "answer": answer.answer if answer else None,
            **{key: value for key, value in own.items() if key not in ("sample_id", "outcome")},
        }


def view(events: list[Event]) -> SampleView:
    """The sample that these events, the last one closing it, are of."""
    closing = events[-1]
    found = SampleView(str(closing.sample_id), closing.data["outcome"], closing.data.get("seconds"))
    found.cluster = closing.data.get("cluster")
    for event in events:
        data = event.data
        if event.sample_id != closing.sample_id or not isinstance(data, dict):
            continue
        if event.type == "sampling":
            found.calls.append(_call(data))
        elif event.type == "match":
            found.correct = bool(data.get("correct")) or bool(found.correct)
            found.expected, found.picked = data.get("expected"), data.get("picked")
            if not found.calls and isinstance(data.get("sampled"), str):
                found.calls.append(Call(None, data["sampled"]))
        elif event.type == "metrics":
            found.metrics.update(data)
        elif event.type == "error":
            found.errors.append(f"{data.get('type')}: {data.get('message')}")
    return found


def _call(data: dict[str, Any]) -> Call:
    sampled = data.get("sampled")
    first = sampled[0] if isinstance(sampled, list) and sampled else sampled
    flaw = (
        "refused"
        if data.get("refusal")
        else {"length": "cut", "content_filter": "filtered"}.get(str(data.get("finish_reason")))
    )
    answer = first if isinstance(first, str) else data.get("refusal")
    return Call(data.get("prompt"), answer, data.get("reasoning"), data.get("role") == "judge", flaw)


def views(
    path: str | Path, *, outcome: str | None = None, wrong: bool = False, sample_id: str | None = None, limit: int = 0
) -> Iterator[SampleView]:
    """The finished samples of a log in its order, at most ``limit`` (0: all).

    Only those that ended in ``outcome``, that are ``wrong``, or that ``sample_id`` names: a whole id, or the number of the
    row alone. UsageError where the file is no log, no such outcome exists, or no sample has the id.
    """
    path = Path(path)
    require_spec(path)
    known = [one.value for one in Outcome]
    if outcome is not None and outcome not in known:
        raise UsageError(
            f"no outcome is called {outcome!r}", key="outcome", hint=nearest(outcome, known) or f"One of {known}"
        )
    if limit < 0:
        raise UsageError(f"must not be negative, got {limit}", key="limit")
    shown = 0
    named = False
    for events, _ in read_samples(path):
        if not events or (sample_id is not None and not _is(events[-1].sample_id, sample_id)):
            continue
        named = True
        found = view(events)
        if (outcome is not None and found.outcome != outcome) or (wrong and not found.wrong):
            continue
        yield found
        shown += 1
        if shown == limit:
            return
    if sample_id is not None and not named:
        raise UsageError(f"the log has no finished sample {sample_id!r}", path=path, key="id")


def _is(name: str | None, wanted: str) -> bool:
    name = str(name)
    return wanted in (name, name.partition("~")[0]) or (
        wanted.partition("~")[0].isdecimal() and name.rpartition(".")[2] in (wanted, f"{wanted}")
    )


def lines(sample: SampleView, columns: int | None = None) -> Iterator[str]:
    """The sample as lines for a terminal of so many columns; None leaves long lines as they are."""
    head = [sample.sample_id, sample.outcome if sample.verdict is None else f"{sample.outcome}, {sample.verdict}"]
    if sample.seconds is not None:
        head.append(f"{sample.seconds:.2f} s")
    if sample.cluster is not None:
        head.append(f"cluster {_short(sample.cluster)}")
    yield "  ".join(head)
    yield ""
    fields = [*_fields(sample)]
    wide = max((width(name) for name, _ in fields), default=0)
    for name, text in fields:
        yield from _field(name, text, wide, columns)


def _fields(sample: SampleView) -> Iterator[tuple[str, str]]:
    for call in sample.calls:
        who = "judge" if call.judge else "answer"
        if call.prompt is not None:
            yield ("to judge" if call.judge else "prompt"), _prompt(call.prompt)
        if call.reasoning:
            yield "reasoning", call.reasoning
        yield (f"{who}, {call.flaw}" if call.flaw else who), "-" if call.answer is None else call.answer
    if sample.correct is not None:
        yield "expected", _short(sample.expected)
        yield "picked", _short(sample.picked)
    if sample.metrics and sample.correct is not None:
        yield "metrics", ", ".join(f"{key} {_short(value)}" for key, value in sample.metrics.items())
    for error in sample.errors:
        yield "error", error


def _prompt(prompt: Any) -> str:
    """A prompt as text; of a chat each message under its role."""
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list) and all(isinstance(message, dict) for message in prompt):
        return "\n".join(f"[{message.get('name') or message.get('role')}] {_text(message)}" for message in prompt)
    return _short(prompt)


def _text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else _short(content)


def _field(name: str, text: str, wide: int, columns: int | None) -> Iterator[str]:
    """The name, then the text beside it, its further lines under its first."""
    indent = " " * (_GUTTER + wide + _GUTTER)
    pieces = text.splitlines() or [""] if columns is None else [*wrapped(text, max(20, columns - len(indent)))]
    for i, piece in enumerate(map(_harmless, pieces)):
        yield (f"{' ' * _GUTTER}{padded(name, wide)}{' ' * _GUTTER}{piece}" if i == 0 else indent + piece).rstrip()


def _harmless(text: str) -> str:
    """What a model wrote must not steer the terminal: control characters are shown as escapes."""
    return (
        "".join(
            character if character.isprintable() or character in "\t\u3000" else f"\\x{ord(character):02x}"
            for character in text
        )
        if not text.isprintable()
        else text
    )


def _short(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else encode_text(value)
