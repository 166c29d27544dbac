"""An eval as the rules see it: its class, its arguments, the eval itself where it can be made, and its data."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.check.arguments import GIVEN
from aigc_evals.check.sources import KINDS, Entry, Readable, Sources
from aigc_evals.errors import UsageError
from aigc_evals.made_data import locate_data, missing_data
from aigc_evals.objects import check_arguments, construct, load_object
from aigc_evals.registry import Registry

MATCH, INCLUDES, FUZZY, JSON = "match", "includes", "fuzzy", "json"
MATCH_2, INCLUDES_2, FUZZY_2 = "match 2", "includes 2", "fuzzy 2"
SECOND = {MATCH: MATCH_2, INCLUDES: INCLUDES_2, FUZZY: FUZZY_2}
"""The way of matching that ``version: 2`` makes of another."""
_SOLVERS = "aigc_evals.elsuite.basic.match_with_solvers:MatchWithSolvers"
_MATCHERS = {
    "aigc_evals.elsuite.basic.match:Match": MATCH,
    _SOLVERS: MATCH,
    "aigc_evals.elsuite.basic.includes:Includes": INCLUDES,
    "aigc_evals.elsuite.basic.fuzzy_match:FuzzyMatch": FUZZY,
    "aigc_evals.elsuite.basic.json_match:JsonMatch": JSON,
}
_SAMPLES = ("samples_jsonl", "dataset", "subset")
_EXAMPLES = "few_shot_jsonl"


def silent(prompt: Any, **kwargs: Any) -> CompletionResult:
    """A completion function that nobody asks: evals are made with it to be looked at."""
    return TextResult("")


class QuietRegistry(Registry):
    """The entries that can be read, and no completion function that could cost anything: all of them are ``fn``."""

    def __init__(self, sources: Sources, fn: Any = silent) -> None:
        super().__init__([])
        self._fn = fn
        self._loaded.update({folder: Readable(KINDS[folder].noun, found) for folder, found in sources.entries.items()})

    def make_completion_fn(self, name: str, **kwargs: Any) -> Any:
        return self._fn


def make_eval(cls: Any, args: Mapping[str, Any], name: str, path: Path, registry: Registry, fn: Any = silent) -> Any:
    """The eval, made as a run makes it but for its completion functions; UsageError where that cannot be.

    One that compares several models gets as many as it wants.
    """
    given = {"seed": 0, "name": name, "eval_registry_path": path, "registry": registry}
    whose = f"eval {name}"
    check_arguments(cls, {**args, **given, "completion_fns": [fn]}, whose)
    several = [fn] * 3 if args.get("multicomp_n") == "from_models" else [fn]
    return construct(cls, {**args, **given, "completion_fns": several}, whose)


@dataclass
class Use:
    """An eval of the registry. ``evaluated`` is None, with a reason in ``failure``, where it cannot be made."""

    entry: Entry
    sources: Sources
    registry: Registry
    failure: UsageError | None = None
    few_shot: dict[str, str] = field(default_factory=dict)
    """Texts of the examples before the question, each with the place it stands at."""

    @property
    def args(self) -> dict[str, Any]:
        return self.entry.args

    @cached_property
    def cls(self) -> Any:
        """The class, or None where it cannot be had."""
        try:
            return load_object(str(self.entry.fields.get("class")))
        except UsageError:
            return None

    @cached_property
    def evaluated(self) -> Any:
        if self.cls is None:
            return None
        try:
            name = self.entry.name if "." in self.entry.name else f"{self.entry.name}.default"
            return make_eval(self.cls, self.args, name, self.entry.file.registry_path, self.registry)
        except UsageError as error:
            self.failure = error
            return None

    @cached_property
    def matcher(self) -> str | None:
        """How golds are compared with answers; None where that is not known."""
        version = self.args.get("version", 1)
        first = _MATCHERS.get(self._matching_class)
        if version == 2:
            return SECOND.get(first or "")
        return first if version == 1 else None

    @cached_property
    def has_second(self) -> bool:
        """Whether ``version: 2`` would make the eval compare in another way than it does."""
        return self.matcher in SECOND and self._matching_class != _SOLVERS

    @cached_property
    def _matching_class(self) -> str:
        names = (f"{base.__module__}:{base.__qualname__}" for base in getattr(self.cls, "__mro__", ()))
        return next((name for name in names if name in _MATCHERS), "")

    @cached_property
    def is_modelgraded(self) -> bool:
        bases = getattr(self.cls, "__mro__", ())
        return any(base.__module__ == "aigc_evals.elsuite.modelgraded.classify" for base in bases)

    @cached_property
    def modelgraded(self) -> Entry | None:
        """The model-graded spec that the eval names."""
        name = self.args.get("modelgraded_spec")
        return self.sources.resolved("modelgraded", name) if isinstance(name, str) else None

    def data_paths(self) -> Iterator[tuple[str, str]]:
        """Argument -> local path, for each that names a JSONL file; remote ones are left alone."""
        for key, value in self.args.items():
            if not isinstance(value, str) or "://" in value or not value or key in GIVEN:
                continue
            if key.endswith("_jsonl") or (key in _SAMPLES and ".jsonl" in value):
                yield key, str(locate_data(value, self.entry.file.registry_path))

    @property
    def not_made(self) -> bool:
        """Whether data that a command makes (``made_by``) is not there yet, which is nothing wrong."""
        return "made_by" in self.entry.fields and any(missing_data(self.args, self.entry.file.registry_path))

    @property
    def samples_path(self) -> str | None:
        return next((path for key, path in self.data_paths() if key in _SAMPLES), None)

    @property
    def examples_path(self) -> str | None:
        return next((path for key, path in self.data_paths() if key == _EXAMPLES), None)

    def read_examples(self) -> None:
        """Fill ``few_shot``; what is wrong with the file itself is another rule's business."""
        if self.examples_path is None:
            return
        from aigc_evals.data.samples import JsonlSamples

        count = self.args.get("num_few_shot")
        with contextlib.suppress(UsageError):
            samples = JsonlSamples.open(self.examples_path)
            for index in range(min(len(samples), count) if isinstance(count, int) and count > 0 else len(samples)):
                row = samples[index]
                file, line = samples.place(index)
                messages = row.get("sample") if isinstance(row, dict) else None
                for message in messages if isinstance(messages, list) else ():
                    text = message.get("content") if isinstance(message, dict) else None
                    if isinstance(text, str) and text.strip():
                        self.few_shot.setdefault(text.strip(), f"{Path(file).name}:{line}")
            samples.close()
