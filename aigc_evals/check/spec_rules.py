"""Rules about entries: their fields, what they stand for, their classes and arguments, and what sets name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from aigc_evals.check.arguments import GIVEN, constructor_arguments
from aigc_evals.check.findings import Problem
from aigc_evals.check.sources import Entry, Sources
from aigc_evals.check.uses import FUZZY, FUZZY_2, Use
from aigc_evals.errors import DataError, UsageError, nearest
from aigc_evals.objects import check_arguments, is_ours, load_object

_REQUIRED = {
    "evals": ("class",),
    "eval_sets": ("evals",),
    "completion_fns": ("class",),
    "solvers": ("class",),
    "modelgraded": ("prompt", "choice_strings", "input_outputs"),
}
_TYPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "id": (str, "the name of another entry"),
    "class": (str, "module:Name"),
    "args": (dict, "a mapping"),
    "metrics": (list, "a list of names"),
    "evals": (list, "a list of names or patterns"),
    "input_outputs": (dict, "a mapping of inputs to completions"),
    "description": (str, "a text"),
    "made_by": (str, "the command that makes the data"),
    "prompt": ((str, list), "a text or a list of messages"),
    "choice_strings": ((str, list), "a list, a text of letters, or from_n"),
    "output_template": (str, "a text"),
}

_ACCURACY = ("accuracy", "boostrap_std")
REPORTED = {
    "aigc_evals.elsuite.basic.match:Match": _ACCURACY,
    "aigc_evals.elsuite.basic.includes:Includes": _ACCURACY,
    "aigc_evals.elsuite.basic.fuzzy_match:FuzzyMatch": ("accuracy", "f1_score"),
    "aigc_evals.elsuite.basic.json_match:JsonMatch": ("accuracy",),
    "aigc_evals.elsuite.basic.json_validator:JsonValidator": _ACCURACY,
    "aigc_evals.elsuite.basic.match_with_solvers:MatchWithSolvers": ("accuracy", "bootstrap_std"),
    "aigc_evals.elsuite.translate:Translate": ("accuracy", "sacrebleu_score", "sacrebleu_sentence_score"),
    "aigc_evals.elsuite.multiple_choice:MultipleChoice": ("accuracy",),
    "aigc_evals.elsuite.lambada:Lambada": ("accuracy",),
}
"""What the first version of each class reports; a test holds it to what runs report."""


def unknown_field(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """An entry has a field that means nothing."""
    known = entry.file.kind.known
    for name in entry.fields:
        if name not in known and name not in ("key", "group", "cls"):
            hint = nearest(str(name), known) or f"Known are: {', '.join(known)}"
            yield Problem(f"the field {name!r} means nothing here and is ignored", *entry.at(str(name)), hint)


def missing_field(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """An entry that is no alias lacks a field that it must have."""
    if entry.value is not None and entry.alias is None:
        missing = [name for name in _REQUIRED[entry.file.kind.folder] if entry.fields.get(name) is None]
        if missing:
            yield Problem(f"the {entry.file.kind.noun} lacks {', '.join(missing)}", *entry.place)


def field_type(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A field has a value of a kind that it cannot have."""
    for name, value in entry.fields.items():
        wanted, told = _TYPES.get(name, (object, ""))
        if value is not None and not isinstance(value, wanted):
            yield Problem(f"{name} must be {told}, got {value!r:.60}", *entry.at(name))
        elif name in ("evals", "metrics") and isinstance(value, list):
            for index, item in enumerate(value):
                if not isinstance(item, str):
                    yield Problem(f"{name} must hold texts, got {item!r:.60}", *entry.item(name, index))


def alias(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """An alias leads to nothing."""
    target = entry.alias
    folder = entry.file.kind.folder
    if isinstance(target, str) and target not in sources.entries[folder]:
        message = f"an alias of {target!r}, which does not exist"
        yield Problem(message, *entry.at("id"), sources.suggestion(folder, target))


def alias_cycle(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """Aliases lead back to where they began."""
    names = [step.name for step in sources.chain(entry.file.kind.folder, entry.name)]
    last = sources.entries[entry.file.kind.folder][names[-1]].alias if names else None
    if last == entry.name:
        yield Problem(f"alias cycle: {' -> '.join([*names, last])}", *entry.at("id"))


def eval_name(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """An eval's full name has no split."""
    if entry.file.kind.folder == "evals" and entry.alias is None and "class" in entry.fields and "." not in entry.name:
        hint = f"Call it {entry.name}.dev.v0, and let {entry.name} be an alias of that."
        yield Problem("an eval's full name must have at least the form base.split", *entry.place, hint)


def class_found(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A class cannot be imported."""
    path = entry.fields.get("class")
    if isinstance(path, str) and entry.alias is None:
        try:
            load_object(path)
        except UsageError as error:
            yield Problem(error.message, *entry.at("class"), error.hint)


def constructor_fits(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """The constructor does not take an argument, or wants one that is not given."""
    path = entry.fields.get("class")
    if not isinstance(path, str) or entry.alias is not None:
        return
    try:
        cls = load_object(path)
    except UsageError:
        return
    kind = entry.file.kind.folder
    args = dict(entry.args)
    if kind in ("completion_fns", "solvers") and entry.name.endswith("/*"):
        # The rest of each name that falls under it.
        args["model"] = ""
    if isinstance(cls, type):
        takes = constructor_arguments(cls)
        if takes.open or (kind == "evals" and not is_ours(cls)):
            unknown: list[str] = []
        else:
            unknown = [name for name in args if name not in takes.parameters]
        for name in unknown:
            hint = nearest(str(name), takes.names) or f"It takes: {', '.join(takes.names)}"
            yield Problem(f"{cls.__name__} takes no argument {name!r}", *entry.at("args", str(name)), hint)
            del args[name]
    given = dict.fromkeys(GIVEN) if kind == "evals" else {"registry": None}
    for _ in range(len(args) + 1):
        try:
            check_arguments(cls, {**args, **given}, getattr(cls, "__name__", path))
            return
        except UsageError as error:
            bad = re.search(r"unexpected keyword argument '(\w+)'", error.message)
            if bad and bad[1] in given and bad[1] not in args:
                del given[bad[1]]
            elif bad and bad[1] in args:
                yield Problem(error.message, *entry.at("args", bad[1]), error.hint)
                del args[bad[1]]
            else:
                yield Problem(error.message, *entry.at("args"), error.hint)
                return


def set_entry(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A name or pattern in a set matches no eval."""
    found = entry.fields.get("evals")
    if entry.file.kind.folder != "eval_sets" or not isinstance(found, list):
        return
    for index, name in enumerate(found):
        if isinstance(name, str) and not matching(name, sources.entries["evals"]):
            place = entry.item("evals", index)
            yield Problem(f"no eval matches {name!r}", *place, sources.suggestion("evals", name))


def matching(pattern: str, names: dict[str, Entry]) -> list[str]:
    """The names that a name or a pattern (``*`` is any text) stands for, in the registry's order."""
    if "*" not in pattern:
        return [pattern] if pattern in names else []
    fits = re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL).fullmatch
    return [name for name in names if fits(name)]


def metric_reported(sources: Sources, entry: Entry) -> Iterator[Problem]:
    """A metric that an eval is said to have is none that its class reports."""
    named = entry.fields.get("metrics")
    if entry.file.kind.folder != "evals" or not isinstance(named, list):
        return
    target = sources.resolved("evals", entry.name)
    reported = _reported(sources, target) if target is not None else None
    for index, name in enumerate(named if reported else ()):
        if reported and isinstance(name, str) and name not in reported:
            class_name = str(target and target.fields.get("class")).rpartition(":")[2]
            hint = f"It reports: {', '.join(reported)}"
            yield Problem(f"{class_name} reports no {name!r}", *entry.item("metrics", index), hint)


def _reported(sources: Sources, entry: Entry) -> tuple[str, ...] | None:
    """The metrics of an eval, or None where they are not known."""
    path = str(entry.fields.get("class")).strip()
    path = "aigc_" + path if path.startswith("evals.") else path
    if path == "aigc_evals.elsuite.modelgraded.classify:ModelBasedClassify":
        spec = sources.resolved("modelgraded", str(entry.args.get("modelgraded_spec")))
        found = ("score",) if spec is not None and spec.fields.get("choice_scores") is not None else ()
        return (*found, "metascore") if found and entry.args.get("metaeval") else found or None
    version = entry.args.get("version", 1)
    return REPORTED.get(path) if version == 1 else None


def can_be_made(use: Use) -> Iterator[Problem]:
    """The constructor refuses its arguments, for a reason that no other rule knows."""
    if use.evaluated is None and use.failure is not None:
        key = use.failure.key
        place = use.entry.at("args", key) if key else use.entry.at("args")
        yield Problem(use.failure.message, *place, use.failure.hint)


def data_exists(use: Use) -> Iterator[Problem]:
    """A data file does not exist."""
    from aigc_evals.data.sources import jsonl_files, open_raw

    if use.not_made:
        return
    for key, path in use.data_paths():
        try:
            for file in jsonl_files(path):
                open_raw(file).close()
        except DataError as error:
            yield Problem(f"{error.message}: {path}", *use.entry.at("args", key), error.hint)


def needs_ignore_case(use: Use) -> bool:
    """Whether an eval compares without regard to case."""
    return use.matcher in (FUZZY, FUZZY_2) or bool(use.args.get("ignore_case"))
