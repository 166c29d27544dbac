"""Everything about one name of the registries: its spec, where it comes from, its data, and a sample as it will be sent."""

from __future__ import annotations

import contextlib
import inspect
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.base import DEFAULT_SEED, Outcome
from aigc_evals.check.sources import KINDS, Entry, Sources
from aigc_evals.check.spec_rules import matching
from aigc_evals.check.uses import QuietRegistry, make_eval
from aigc_evals.completion_fns.http_template import literal_secrets
from aigc_evals.completion_fns.login import secrets_in
from aigc_evals.errors import AigcEvalsError, UsageError, nearest
from aigc_evals.fastjson import decode, encode
from aigc_evals.made_data import missing_data
from aigc_evals.models.named import as_completion_fn
from aigc_evals.models.search import ModelClass, NamedModels
from aigc_evals.objects import load_object
from aigc_evals.redact import MARK, Redactor, names_a_secret
from aigc_evals.registry import in_family
from aigc_evals.sampling import NoAnswer

STAND_IN = "(the model's answer)"
"""What the judge is shown in place of an answer."""

_TRIED = 20
"""How many evals are tried for a sample that shows what a model-graded spec makes of it."""


class Listener:
    """A completion function that only listens: it keeps the first prompt, and answers with ``answer`` or ends the sample."""

    def __init__(self, answer: str | None = None) -> None:
        self.answer = answer
        self.prompt: Any = None
        self.kwargs: dict[str, Any] = {}
        self.asked = False

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return self(prompt, **kwargs)

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        if not self.asked:
            self.prompt, self.kwargs, self.asked = prompt, kwargs, True
        if self.answer is None:
            raise NoAnswer(Outcome.SKIPPED)
        return TextResult(self.answer)


def show(paths: Sequence[str | Path], name: str, models: NamedModels | None = None) -> list[dict[str, Any]]:
    """What there is of that name, one mapping for each kind of thing that has it; UsageError where nothing has.

    Nothing is asked of any model. What cannot be shown (data that is not there, a class that is not installed) is told
    under ``problem``; secrets are masked.
    """
    sources = Sources.read(paths)
    folders = [folder for folder in KINDS if name in sources.entries[folder]]
    classes = [] if models is None else [_model(one) for one in models.every() if one.name == name]
    if not folders and not classes:
        member = _of_family(sources, name)
        if member is not None:
            return [Redactor.from_environment(os.environ).value(member)]
        known = {known for found in sources.entries.values() for known in found}
        known |= set() if models is None else set(models.names())
        unread = sum(file.error is not None for file in sources.files)
        hint = nearest(name, known) or f"{len(known)} names are known; are you missing a --registry_path?"
        more = f"\n{unread} files cannot be read: aigc_evals check says why." if unread else ""
        raise UsageError(f"nothing in the registry is named {name!r}", hint=hint + more)
    masked = Redactor.from_environment(os.environ).value
    return [masked(shown) for shown in (*(_SHOWN[folder](sources, folder, name) for folder in folders), *classes)]


def _model(found: ModelClass) -> dict[str, Any]:
    """A named model: its class, where that is, who told of it, and what it says of its limits."""
    shown: dict[str, Any] = {"kind": "named model", "name": found.name, "defined": [found.place], "from": found.told_by}
    shown |= {"class": found.class_name, **({"about": found.about} if found.about else {})}
    try:
        fn = as_completion_fn(found.load())
    except UsageError as error:
        return {**shown, "problem": str(error)}
    limits = {key: getattr(fn, key, None) for key in ("endpoint", "max_concurrency", "timeout", "retries")}
    return {**shown, **{key: value for key, value in limits.items() if value is not None}}


def _of_family(sources: Sources, name: str) -> dict[str, Any] | None:
    """What the entry ``<provider>/*`` makes of a name; None where the name falls under none."""
    for folder in ("completion_fns", "solvers"):
        entry = max((found for found in sources.entries[folder] if in_family(name, found)), key=len, default=None)
        if entry is not None:
            return {**_function(sources, folder, entry), "asked_as": name, "model": name.removeprefix(entry[:-1])}
    return None


def _head(sources: Sources, folder: str, name: str) -> dict[str, Any]:
    """Kind, name, the way its aliases go, and where each step is defined."""
    chain = sources.chain(folder, name)
    shown: dict[str, Any] = {"kind": KINDS[folder].noun, "name": name}
    if len(chain) > 1:
        shown["leads_to"] = [entry.name for entry in chain[1:]]
    shown["defined"] = [f"{entry.path}:{entry.place.line}" for entry in chain]
    if chain[-1].alias is not None:
        shown["problem"] = f"an alias of {chain[-1].alias!r}, which leads to nothing"
    for entry in chain:
        for key in ("description", "disclaimer", "metrics"):
            if entry.fields.get(key) is not None:
                shown.setdefault(key, entry.fields[key])
    return shown


def _class(entry: Entry) -> dict[str, Any]:
    """The class of an entry with the first line of its documentation, and its arguments."""
    path = entry.fields.get("class")
    shown: dict[str, Any] = {"class": path}
    try:
        documentation = inspect.getdoc(load_object(str(path))) or ""
        if documentation:
            shown["about"] = documentation.splitlines()[0]
    except UsageError as error:
        shown["problem"] = str(error)
    if entry.fields.get("args") is not None:
        shown["args"] = entry.fields["args"]
    return shown


def _eval(sources: Sources, folder: str, name: str) -> dict[str, Any]:
    shown = _head(sources, folder, name)
    entry = sources.resolved(folder, name)
    if entry is None:
        return shown
    shown.update(_class(entry))
    if entry.fields.get("made_by") is not None:
        shown["made_by"] = entry.fields["made_by"]
        missing = [str(path) for _, path in missing_data(entry.args, entry.file.registry_path)]
        if missing:
            return {**shown, "not_made_yet": missing}
    if "problem" not in shown:
        shown.update(_sample(sources, entry))
    return shown


def _sample(sources: Sources, entry: Entry) -> dict[str, Any]:
    """The data of an eval, and its first sample as a completion function gets it."""
    shown: dict[str, Any] = {}
    judge = Listener()
    try:
        cls = load_object(str(entry.fields["class"]))
        policy = Listener()
        evaluated = make_eval(
            cls, entry.args, entry.name, entry.file.registry_path, QuietRegistry(sources, judge), policy
        )
        if hasattr(evaluated, "eval_completion_fn"):
            policy.answer = STAND_IN
            evaluated.eval_completion_fn = evaluated.sampler.wrap(judge)
        samples = evaluated.get_samples()
        shown.update(_data(samples))
        facts = evaluated.facts()
        if facts:
            shown["depends_on"] = dict(facts)
        if len(samples):
            shown.update(_asked(evaluated, samples[0], policy, judge))
    except AigcEvalsError as error:
        shown["problem"] = str(error)
    except Exception as error:
        shown["problem"] = f"{type(error).__name__}: {error}"
    return shown


def _data(samples: Any) -> dict[str, Any]:
    """How many samples there are, and the files they come from with their checksums."""
    shown: dict[str, Any] = {"samples": len(samples)}
    files = getattr(samples, "files", None) or getattr(getattr(samples, "samples", None), "files", None)
    if files:
        shown["data"] = [{"file": str(file), "sha256": digest} for file, digest in files.items()]
    return shown


def _asked(evaluated: Any, sample: Any, policy: Listener, judge: Listener) -> dict[str, Any]:
    """The messages that the first sample leads to; the judge's too, with a stand-in for the answer."""
    parts = [*str(evaluated.name).split("."), "default"]
    sample_id = f"{parts[0]}.{parts[1]}.0"
    shown: dict[str, Any] = {"sample_id": sample_id}
    if isinstance(sample, Mapping):
        shown.update({key: sample[key] for key in ("ideal", "choice") if key in sample})
    # The listener ends the sample, once it has heard what it wants to.
    with contextlib.suppress(NoAnswer, AigcEvalsError):
        evaluated.eval_sample(sample, random.Random(f"{sample_id}:{DEFAULT_SEED}".encode()))
    if policy.asked:
        shown["prompt"] = policy.prompt
        shown["call"] = policy.kwargs
    if judge.asked:
        shown["judge_prompt"] = judge.prompt
        shown["judge_call"] = judge.kwargs
    return shown


def _set(sources: Sources, folder: str, name: str) -> dict[str, Any]:
    shown = _head(sources, folder, name)
    entry = sources.resolved(folder, name)
    patterns = entry.fields.get("evals") if entry is not None else None
    if isinstance(patterns, list):
        hits = {str(pattern): matching(str(pattern), sources.entries["evals"]) for pattern in patterns}
        shown["evals"] = patterns
        keys: dict[str, None] = {}
        for hit in (hit for found in hits.values() for hit in found):
            target = sources.resolved("evals", hit)
            keys[target.name if target is not None else f"{hit} (leads to nothing)"] = None
        shown["runs"] = list(keys)
        nothing = [pattern for pattern, found in hits.items() if not found]
        if nothing:
            shown["problem"] = f"matches nothing: {', '.join(nothing)}"
    return shown


def _function(sources: Sources, folder: str, name: str) -> dict[str, Any]:
    entry = sources.resolved(folder, name)
    shown = {**_head(sources, folder, name), **(_class(entry) if entry is not None else {})}
    args = shown.get("args")
    if not isinstance(args, Mapping):
        return shown
    request = {key: args[key] for key in ("body", "form", "params") if key in args}
    shown["args"] = Redactor([*_of_headers(args), *literal_secrets(request)]).value(_masked(args))
    return shown


def _masked(value: Any) -> Any:
    """Arguments with the headers in them masked that are secret by their names, however short they are."""
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: {name: MARK if names_a_secret(str(name), anywhere=True) else text for name, text in item.items()}
        if _is_headers(key, item)
        else _masked(item)
        for key, item in value.items()
    }


def _of_headers(value: Any) -> Iterator[str]:
    """What of the headers in arguments must never be shown, as a run knows it."""
    if isinstance(value, list):
        for item in value:
            yield from _of_headers(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if _is_headers(key, item):
                yield from secrets_in({str(name): str(text) for name, text in item.items()})
            else:
                yield from _of_headers(item)


def _is_headers(key: Any, value: Any) -> bool:
    return isinstance(value, Mapping) and str(key).lower().endswith("headers")


def _spec(sources: Sources, folder: str, name: str) -> dict[str, Any]:
    shown = _head(sources, folder, name)
    entry = sources.resolved(folder, name)
    if entry is None:
        return shown
    shown.update(entry.fields)
    users = [
        other
        for other in sources.entries["evals"].values()
        if other.alias is None and other.args.get("modelgraded_spec") == name
    ]
    shown["used_by"] = [user.name for user in users]
    for user in users[:_TRIED]:
        found = _sample(sources, user)
        if "judge_prompt" in found:
            return {**shown, "sample_id": found["sample_id"], "judge_prompt": found["judge_prompt"]}
    return shown


_SHOWN = {
    "evals": _eval,
    "eval_sets": _set,
    "completion_fns": _function,
    "solvers": _function,
    "modelgraded": _spec,
}


def as_yaml(shown: Sequence[Mapping[str, Any]]) -> str:
    """The mappings as YAML documents, texts of several lines as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Texts of several lines as blocks, and no anchors."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    options: dict[str, Any] = {"Dumper": Dumper, "allow_unicode": True, "sort_keys": False, "width": 120}
    # By way of JSON: a call may carry objects that YAML has no word for.
    parts = [yaml.dump(decode(encode(part)), **options) for part in shown]
    return "---\n".join(parts).rstrip("\n")
