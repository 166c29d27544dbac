"""Rules about model-graded specs, and about the evals that use them."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Any

from aigc_evals.check.findings import Problem
from aigc_evals.check.sources import Entry, Sources
from aigc_evals.check.uses import Use
from aigc_evals.errors import nearest

_LAYOUT = ("i", "i_abc", "i_ABC", "output", "n")


def _is_spec(entry: Entry) -> bool:
    return entry.file.kind.folder == "modelgraded" and entry.alias is None


def _choices(entry: Entry) -> list[str]:
    """The verdicts that are spelled out; none where they are made from the number of completions."""
    found = entry.fields.get("choice_strings")
    if isinstance(found, str) and found.startswith("from_n"):
        return []
    return [str(choice) for choice in found] if isinstance(found, (str, list)) else []


def placeholders(prompt: Any) -> list[str]:
    """The fields that a text or chat prompt wants filled; ValueError where it is malformed."""
    messages = prompt if isinstance(prompt, list) else ()
    texts = [prompt] if isinstance(prompt, str) else [m.get("content") for m in messages if isinstance(m, dict)]
    names = (name for text in texts for _, name, _, _ in string.Formatter().parse(str(text)) if name is not None)
    return list(dict.fromkeys(names))


def choice_punctuation(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A choice has punctuation, which is taken out of replies before they are read."""
    for index, choice in enumerate(_choices(entry) if _is_spec(entry) else ()):
        bare = "".join(c for c in choice if c not in string.punctuation)
        if bare != choice:
            place = entry.item("choice_strings", index)
            yield Problem(
                f"the choice {choice!r} has punctuation, so no reply can match it", *place, f"Write {bare!r}."
            )


def choice_scores(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A choice has no score, or one that is not a number."""
    scores = entry.fields.get("choice_scores")
    if not _is_spec(entry) or scores is None:
        return
    choices = _choices(entry)
    if isinstance(scores, dict):
        table = {str(name): value for name, value in scores.items()}
        for name in choices:
            if name not in table:
                yield Problem(f"the choice {name!r} has no score", *entry.at("choice_scores"), nearest(name, table))
        for name, value in table.items():
            if not _is_number(value):
                yield Problem(f"the score of {name!r} is no number: {value!r}", *entry.at("choice_scores", name))
    elif scores != "from_strings":
        message = f"choice_scores must be a mapping or from_strings, got {scores!r:.60}"
        yield Problem(message, *entry.at("choice_scores"))
    else:
        for name in choices:
            if not _is_number(name):
                yield Problem(f"from_strings: the choice {name!r} is no number", *entry.at("choice_scores"))


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def score_of_nothing(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A score belongs to no choice."""
    scores, choices = entry.fields.get("choice_scores"), _choices(entry)
    if _is_spec(entry) and isinstance(scores, dict) and choices:
        for name in scores:
            if str(name) not in choices:
                place = entry.at("choice_scores", str(name))
                hint = "YAML reads yes, no, on and off as true and false: quote them." if isinstance(name, bool) else ""
                yield Problem(f"there is no choice {name!r}", *place, hint or nearest(str(name), choices) or None)


def template_form(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A template cannot be read: a brace that is not closed, or not doubled."""
    for key in ("prompt", "output_template") if _is_spec(entry) else ():
        if entry.fields.get(key) is None:
            continue
        try:
            names = placeholders(entry.fields[key])
        except ValueError as error:
            yield Problem(f"{key} is malformed: {error}", *entry.at(key), "A brace that is text is written twice.")
            continue
        for name in names:
            if key == "output_template" and name not in _LAYOUT:
                message = f"output_template has a placeholder {{{name}}} that has no value"
                yield Problem(message, *entry.at(key), f"It has: {', '.join(_LAYOUT)}")


def answer_shown(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A completion is asked for and never shown to the judge."""
    outputs = entry.fields.get("input_outputs")
    if not _is_spec(entry) or not isinstance(outputs, dict) or entry.fields.get("prompt") is None:
        return
    try:
        shown = placeholders(entry.fields["prompt"])
    except ValueError:
        return
    for key, output in outputs.items():
        if output not in shown:
            place = entry.at("input_outputs", str(key))
            yield Problem(f"the prompt has no {{{output}}}, so the judge never sees the answer", *place)


def eval_type(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """An eval or spec names a way of giving the verdict that does not exist."""
    from aigc_evals.elsuite.modelgraded.classify_utils import ANSWER_PROMPTS

    keys = ("eval_type",) if _is_spec(entry) else ("args", "eval_type")
    value = (entry.fields if _is_spec(entry) else entry.args).get("eval_type")
    graded = _is_spec(entry) or "modelgraded_spec" in entry.args
    if graded and value is not None and not (isinstance(value, str) and value in ANSWER_PROMPTS):
        hint = nearest(str(value), ANSWER_PROMPTS) or f"It is one of: {', '.join(ANSWER_PROMPTS)}"
        yield Problem(f"there is no eval_type {value!r}", *entry.at(*keys), hint)


def spec_exists(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """An eval names a model-graded spec that does not exist."""
    name = entry.args.get("modelgraded_spec")
    if entry.file.kind.folder == "evals" and isinstance(name, str) and not sources.chain("modelgraded", name):
        place = entry.at("args", "modelgraded_spec")
        yield Problem(f"no model-graded spec is named {name!r}", *place, sources.suggestion("modelgraded", name))


def verdict_asked(use: Use) -> Iterator[Problem]:
    """Neither the eval nor its spec says how the verdict is given."""
    spec = use.modelgraded
    if use.is_modelgraded and spec is not None and not (use.args.get("eval_type") or spec.fields.get("eval_type")):
        hint = "Add eval_type: cot_classify (or cot_classify_zh) to its args."
        yield Problem(f"neither the eval nor the spec {spec.name!r} has an eval_type", *use.entry.at("args"), hint)


def several_answers(use: Use) -> Iterator[Problem]:
    """Several completions are asked for, and the spec has no output_template to lay them out."""
    spec, count = use.modelgraded, use.args.get("multicomp_n", 1)
    if use.is_modelgraded and spec is not None and count != 1 and not spec.fields.get("output_template"):
        message = f"the spec {spec.name!r} has no output_template for several completions"
        yield Problem(message, *use.entry.at("args", "multicomp_n"))


def missing_values(use: Use, sample: Any) -> list[str]:
    """The placeholders of the judge's prompt that nothing gives a value for this sample."""
    spec = use.modelgraded
    if not use.is_modelgraded or spec is None or not isinstance(sample, dict):
        return []
    try:
        wanted = placeholders(spec.fields.get("prompt"))
    except ValueError:
        return []
    outputs = spec.fields.get("input_outputs")
    filled = outputs.values() if isinstance(outputs, dict) else ()
    given = use.args.get("modelgraded_spec_args")
    extra = given if isinstance(given, dict) else {}
    return [name for name in wanted if name not in sample and name not in filled and name not in extra and name != "n"]
