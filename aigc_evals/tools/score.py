"""Scoring again without asking again: an eval class is run over the answers that a log has recorded.

``rescore`` is an ordinary run whose completion functions replay the log's ``sampling`` events, sample by sample: the answer
to the same prompt if there is one, else the next in order. What the log has no answer for becomes an outcome.
"""

from __future__ import annotations

import inspect
import os
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aigc_evals.api import CompletionResult
from aigc_evals.base import JUDGE_VARIABLE, EvalSpec, JudgeRule, Outcome, RunResult
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.fastjson import decode, encode_text
from aigc_evals.files import is_there
from aigc_evals.log import read_samples, read_spec, require_spec
from aigc_evals.log.resume import differences
from aigc_evals.objects import load_object, python_object
from aigc_evals.prompt.base import chat_prompt_to_text_prompt, is_chat_prompt
from aigc_evals.record.scope import current_scope
from aigc_evals.registry import Registry
from aigc_evals.runner import run
from aigc_evals.sampling import NoAnswer

_OPEN_SAMPLES = 4096


@dataclass
class Rescored:
    """What scoring again gave: the new run's result, and how the answers were found.

    ``replayed`` answers were given to the calls of the eval, ``other_prompts`` of them to a prompt that is not word for
    word the recorded one; ``unanswered`` calls found none. ``dropped`` names arguments of the log's eval that the new class
    does not take; ``differences`` says what the new run differs in from the old.
    """

    result: RunResult
    replayed: int
    other_prompts: int
    unanswered: int
    dropped: list[str]
    differences: list[str]


class RecordedAnswers:
    """The ``sampling`` events of a log by sample; the file is read again where it is needed."""

    def __init__(self, path: Path) -> None:
        self.replayed = self.other_prompts = self.unanswered = 0
        self._path = path
        self._rows: dict[str, int] = {}
        self._starts: array[int] = array("q")
        self._ends: array[int] = array("q")
        self._open: dict[str, list[dict[str, Any]]] = {}
        before = 0
        for events, state in read_samples(path):
            if events:
                self._rows[str(events[-1].sample_id)] = len(self._starts)
                self._starts.append(before)
                self._ends.append(state.end)
            before = state.end
        self._file = path.open("rb")

    def close(self) -> None:
        self._file.close()

    def take(self, sample_id: str, prompt: Any, name: str) -> dict[str, Any]:
        """The recorded call that answers ``prompt``, which is used up with that.

        Raises NoAnswer (``skipped``) for a sample that the log does not have, EndpointError where no answer is left. A
        verdict is given only for the very question it was the answer to.
        """
        if sample_id not in self._rows:
            self.unanswered += 1
            raise NoAnswer(Outcome.SKIPPED)
        left = self._left(sample_id)
        wanted = _text(prompt)
        same = [i for i, call in enumerate(left) if _text(call.get("prompt")) == wanted]
        # Where several models were asked the same, each gets its own answer.
        chosen = next((i for i in same if left[i].get("model") == name), same[0] if same else None)
        if chosen is None:
            chosen = 0 if left and left[0].get("role") != "judge" else None
            self.other_prompts += chosen is not None
        if chosen is None:
            self.unanswered += 1
            raise EndpointError(
                "the log has no answer to this prompt" if left else "the log has no further answer", kind="code"
            )
        self.replayed += 1
        return left.pop(chosen)

    def _left(self, sample_id: str) -> list[dict[str, Any]]:
        left = self._open.get(sample_id)
        if left is None:
            while len(self._open) >= _OPEN_SAMPLES:
                # Samples that ended long ago, and did not use all their answers.
                del self._open[next(iter(self._open))]
            left = self._open[sample_id] = self._read(sample_id)
        return left

    def _read(self, sample_id: str) -> list[dict[str, Any]]:
        row = self._rows[sample_id]
        self._file.seek(self._starts[row])
        lines = self._file.read(self._ends[row] - self._starts[row]).splitlines()
        events = [decode(line) for line in lines]
        return [one["data"] for one in events if one.get("type") == "sampling" and one.get("sample_id") == sample_id]


class Replayed(CompletionResult):
    """A recorded call as a result: its first answers, and what else was recorded of it."""

    def __init__(self, call: Mapping[str, Any]) -> None:
        sampled = call.get("sampled")
        self._completions = list(sampled) if isinstance(sampled, list) else [] if sampled is None else [str(sampled)]
        self.cached = True
        for name in ("finish_reason", "reasoning", "refusal", "model", "tool_calls"):
            setattr(self, name, call.get(name))

    def get_completions(self) -> list[str]:
        return list(self._completions)


class ReplayFn:
    """Stands for the completion function ``name``, and answers from the log."""

    composite = True
    """Nothing is asked, so there is nothing to limit, time, repeat or count."""

    def __init__(self, name: str, answers: RecordedAnswers) -> None:
        self.name = name
        self._answers = answers

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        scope = current_scope()
        if scope is None:
            raise EndpointError("recorded answers belong to samples, and no sample is being evaluated", kind="code")
        call = self._answers.take(scope.sample_id, prompt, self.name)
        kept = {key: value for key, value in call.items() if key not in ("prompt", "sampled")}
        if "usage" in kept:
            # It was paid for when it was first asked.
            kept["usage_cached"] = kept.pop("usage")
        scope.count("cache_hits")
        scope.recorder.record_sampling(
            call.get("prompt"), call.get("sampled"), sample_id=scope.sample_id, **{**kept, "cached": True}
        )
        return Replayed(call)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return self(prompt, **kwargs)


class _ReplayRegistry(Registry):
    """The registry of the log's run: its eval as the log has it, and functions that replay.

    Functions made of others (chain of thought) are made as ever, of others that replay.
    """

    def __init__(
        self, paths: Sequence[str | Path] | None, spec: EvalSpec, answers: RecordedAnswers, wrap: Any = None
    ) -> None:
        super().__init__(paths, wrap=wrap)
        self._spec = spec
        self._answers = answers

    def wrapping(self, wrap: Callable[[Any], Any]) -> Registry:
        other = _ReplayRegistry(self._registry_paths, self._spec, self._answers, wrap)
        other._named = set(self._named)
        return other

    def eval(self, name: str) -> EvalSpec:
        return self._spec

    def _make(self, name: str, kwargs: dict[str, Any]) -> Any:
        return super()._make(name, kwargs) if self._is_composite(name) else ReplayFn(name, self._answers)

    def _is_composite(self, name: str) -> bool:
        try:
            spec = self.get_completion_fn(name)
            made = load_object(spec.cls) if spec is not None else python_object(name)
        except UsageError:
            # What cannot be loaded any more has answered all the same.
            return False
        return bool(getattr(made, "composite", False))


def rescore(
    log: str | Path,
    *,
    cls: str | None = None,
    args: Mapping[str, Any] | None = None,
    record_path: str | Path | None = None,
    registry_path: Sequence[str | Path] = (),
    user: str = "",
    max_invalid: float = 1.0,
    command: str | None = None,
    progress: bool | None = None,
) -> Rescored:
    """Score the answers of ``log`` again, into a new log.

    ``cls`` (``module:Class``) and ``args`` are those of the log's own eval where they are not given; ``args`` override single
    arguments. Seed, data, repeats and number of samples are the log's. Samples that the log does not have end as
    ``skipped``; a call that it has no answer for ends its sample as ``error`` or ``judge_failed``. UsageError where the file
    is no log, or the eval cannot be made.
    """
    path = Path(log)
    spec = require_spec(path)
    config = spec.get("run_config") or {}
    recorded = config.get("eval_spec") or {}
    judge = config.get("judge") or {}
    if not recorded.get("cls"):
        raise UsageError("this file is not a log of aigc_evals", path=path)
    if record_path is not None and is_there(record_path, key="record_path"):
        raise UsageError("this file is there already, and scores of two kinds do not mix", path=record_path)
    registry_paths = [*registry_path]
    eval_spec, dropped = _eval_spec(recorded, cls, args or {}, registry_paths)
    answers = RecordedAnswers(path)
    try:
        registry = _ReplayRegistry(None, eval_spec, answers)
        registry.add_registry_paths(registry_paths)
        result = run(
            [str(name) for name in spec.get("completion_fns") or ()],
            str(eval_spec.key),
            registry=registry,
            completion_args=config.get("completion_args") or {},
            seed=config.get("seed") or 0,
            max_samples=config.get("max_samples"),
            repeats=int(config.get("repeats") or 1),
            record_path=record_path,
            user=user,
            max_invalid=max_invalid,
            command=command,
            progress=progress,
            judge=judge.get("name") if judge.get("rule") in (JudgeRule.NAMED, JudgeRule.ENVIRONMENT) else None,
            environ={key: value for key, value in os.environ.items() if key != JUDGE_VARIABLE},
        )
    finally:
        answers.close()
    new = read_spec(result.log_path) if result.log_path is not None else None
    return Rescored(
        result,
        answers.replayed,
        answers.other_prompts,
        answers.unanswered,
        dropped,
        differences(spec, new) if new is not None else [],
    )


def _eval_spec(
    recorded: Mapping[str, Any], cls: str | None, args: Mapping[str, Any], registry_paths: Sequence[str | Path]
) -> tuple[EvalSpec, list[str]]:
    """The eval that scores, and which arguments of the log's eval its class does not take."""
    kept = dict(recorded.get("args") or {})
    dropped: list[str] = []
    if cls is not None and cls != recorded["cls"]:
        made = load_object(cls)
        dropped = [key for key in kept if not _takes(made, key)]
        kept = {key: value for key, value in kept.items() if key not in dropped}
    home = Path(str(recorded.get("registry_path") or "."))
    if not os.path.isdir(home):
        # The log may come from another machine, whose registry lies elsewhere.
        registry = Registry()
        registry.add_registry_paths(registry_paths)
        known = registry.get_eval(str(recorded.get("key")))
        home = Path(known.registry_path) if known is not None else home
    return EvalSpec(
        cls=cls or str(recorded["cls"]),
        registry_path=home,
        args={**kept, **args},
        key=recorded.get("key"),
        group=recorded.get("group"),
    ), dropped


def _takes(cls: Any, name: str) -> bool:
    """Whether an eval class takes an argument: itself, or the class that it hands its further arguments to."""
    for one in getattr(cls, "__mro__", ()):
        if "__init__" in vars(one):
            parameters = inspect.signature(one.__init__).parameters
            if name in parameters:
                return True
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
                return False
    return False


def _text(prompt: Any) -> str:
    """A prompt as one text, so that its text form and its chat form are the same."""
    if isinstance(prompt, str):
        return prompt
    if is_chat_prompt(prompt):
        return chat_prompt_to_text_prompt(prompt)
    return encode_text(prompt)
