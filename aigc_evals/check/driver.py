"""``check_registry``: every rule over everything it is meant for, and the findings in the order of the files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aigc_evals.check import rules
from aigc_evals.check.data_rules import Summary
from aigc_evals.check.findings import ERROR, SHOWN_LINES, Finding, Problem, Rule
from aigc_evals.check.sources import KINDS, Entry, Sources, YamlFile
from aigc_evals.check.spec_rules import matching
from aigc_evals.check.uses import QuietRegistry, Use
from aigc_evals.data.lines import BOM, spans
from aigc_evals.data.sources import jsonl_files, open_source
from aigc_evals.errors import DataError, UsageError, nearest
from aigc_evals.fastjson import decode
from aigc_evals.registry import Registry

Key = tuple[str, str]
_LONGEST = 300


def check_registry(
    registry: Registry | Sequence[str | Path],
    names: Sequence[str] = (),
    *,
    within: Sequence[str | Path] | None = None,
) -> Iterator[Finding]:
    """Every problem of the registries on a search path, errors and warnings, each with its place.

    ``names`` (``*`` is any text) restricts the check to these entries and what they lead to: aliases, the evals of sets,
    model-graded specs, data. ``within`` restricts it to the entries of these registries; the others then only give
    meaning to names. Nothing is asked of any model. UsageError for a name that nothing has.
    """
    paths = registry._registry_paths if isinstance(registry, Registry) else list(registry)
    sources = Sources.read(paths)
    inside = set(map(Path, paths if within is None else within))
    chosen = _chosen(sources, names, inside)
    homes = {sources.entries[folder][name].path for folder, name in chosen}
    yield from _of_files([f for f in sources.files if (f.path in homes if names else f.registry_path in inside)])
    entries = [sources.entries[folder][name] for folder, name in chosen]
    broken: set[tuple[str, str]] = set()
    for entry in entries:
        for finding in _of_entry(sources, entry):
            if finding.severity == ERROR:
                broken.add((entry.file.kind.folder, entry.name))
            yield finding
    yield from _of_evals(sources, entries, broken)


def _chosen(sources: Sources, names: Sequence[str], within: set[Path]) -> list[Key]:
    every = [
        (folder, name)
        for folder, found in sources.entries.items()
        for name, entry in found.items()
        if entry.file.registry_path in within
    ]
    if not names:
        return every
    wanted: dict[Key, None] = {}
    for name in names:
        hits = [(folder, hit) for folder in KINDS for hit in matching(name, sources.entries[folder])]
        if not hits:
            known = {name for _, name in every}
            raise UsageError(f"nothing in the registry is named {name!r}", hint=nearest(name, known) or None)
        for hit in hits:
            _follow(sources, hit, wanted)
    return list(wanted)


def _follow(sources: Sources, key: Key, wanted: dict[Key, None]) -> None:
    """Add an entry, and all that it leads to."""
    folder, name = key
    for entry in sources.chain(folder, name):
        if (folder, entry.name) in wanted:
            continue
        wanted[folder, entry.name] = None
        if folder == "eval_sets" and isinstance(entry.fields.get("evals"), list):
            for pattern in entry.fields["evals"]:
                for hit in matching(str(pattern), sources.entries["evals"]):
                    _follow(sources, ("evals", hit), wanted)
        spec = entry.args.get("modelgraded_spec")
        if folder == "evals" and isinstance(spec, str):
            _follow(sources, ("modelgraded", spec), wanted)


def short(message: str) -> str:
    """A message on one line of bearable length: golds and samples can be pages long."""
    message = " ".join(message.split("\n"))
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"


def _finding(rule: Rule, problem: Problem, path: Path, key: str | None) -> Finding:
    severity = problem.severity or rule.severity
    return Finding(rule.name, severity, short(problem.message), path, problem.line, problem.column, key, problem.hint)


def _of_files(files: Sequence[YamlFile]) -> Iterator[Finding]:
    for file in files:
        for rule in rules.FILE_RULES:
            for problem in rule.function(file):
                yield _finding(rule, problem, file.path, None)
    for rule in rules.FILES_RULES:
        for file, problem in rule.function(files):
            yield _finding(rule, problem, file.path, None)


def _of_entry(sources: Sources, entry: Entry) -> Iterator[Finding]:
    for rule in rules.ENTRY_RULES:
        for problem in rule.function(sources, entry):
            yield _finding(rule, problem, entry.path, entry.name)


def _of_evals(sources: Sources, entries: Iterable[Entry], broken: set[tuple[str, str]]) -> Iterator[Finding]:
    registry = QuietRegistry(sources)
    by_path: dict[str, list[Use]] = {}
    for entry in entries:
        if entry.file.kind.folder != "evals" or entry.alias is not None or "class" not in entry.fields:
            continue
        use = Use(entry, sources, registry)
        bad = ("evals", entry.name) in broken
        for rule in rules.EVAL_RULES:
            for problem in rule.function(use):
                bad = bad or (problem.severity or rule.severity) == ERROR
                yield _finding(rule, problem, entry.path, entry.name)
        spec = use.modelgraded
        if not bad and (spec is None or ("modelgraded", spec.name) not in broken) and _is_worth_making(use):
            for problem in rules.MADE.function(use):
                yield _finding(rules.MADE, problem, entry.path, entry.name)
        else:
            use.__dict__["evaluated"] = None
        path = use.samples_path
        if path is not None:
            by_path.setdefault(path, []).append(use)
    for path, uses in by_path.items():
        try:
            files = jsonl_files(path)
        except DataError:
            continue
        for file in files:
            if os.path.exists(file):
                yield from _of_data(file, _different(uses))


def _is_worth_making(use: Use) -> bool:
    """A stranger's eval is made only where it has something to say about samples: making it may cost."""
    from aigc_evals.eval import Eval

    return isinstance(use.cls, type) and issubclass(use.cls, Eval) and use.cls.check_sample is not Eval.check_sample


def _different(uses: Sequence[Use]) -> list[Use]:
    """One of all evals that look at a file in the same way."""
    found: dict[str, Use] = {}
    for use in uses:
        found.setdefault(f"{use.entry.fields.get('class')} {use.args}", use)
    return list(found.values())


@dataclass
class _Seen:
    """What a rule saw in the rows of a file, gathered into one finding."""

    rule: Rule
    first: Problem
    keys: dict[str, None] = field(default_factory=dict)
    lines: dict[int, None] = field(default_factory=dict)


class _Gathered:
    """The findings of one data file: one for each rule, however many rows and evals it concerns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: dict[str, _Seen] = {}

    def add(self, rule: Rule, problem: Problem, key: str | None = None) -> None:
        seen = self._seen.setdefault(rule.name, _Seen(rule, problem))
        if key is not None:
            seen.keys[key] = None
        if problem.line is not None:
            seen.lines[problem.line] = None

    def findings(self) -> Iterator[Finding]:
        for seen in self._seen.values():
            lines = sorted(seen.lines)
            key = ", ".join(list(seen.keys)[:3]) + (", ..." if len(seen.keys) > 3 else "")
            severity = seen.first.severity or seen.rule.severity
            count, first = max(1, len(lines)), seen.first
            yield Finding(
                seen.rule.name,
                severity,
                short(first.message),
                self.path,
                first.line,
                first.column,
                key or None,
                first.hint,
                count,
                tuple(lines[:SHOWN_LINES]),
            )


def _of_data(path: str, uses: Sequence[Use]) -> Iterator[Finding]:
    gathered = _Gathered(Path(path))
    for use in uses:
        use.read_examples()
    judged = [(use, _gold_rules(use)) for use in uses]
    summary = Summary(whole_rows=all(use.is_modelgraded for use in uses))
    try:
        with closing(open_source(path)) as stream:
            for number, (line, _end) in enumerate(spans(stream), 1):
                _look_at(line, number, judged, summary, gathered)
    except DataError as error:
        gathered.add(rules.RULES["data-not-json"], Problem(error.message, error.line, None, error.hint))
    message = rules.RULES[rules.EMPTY].function(summary.rows)
    if message and not gathered._seen:
        gathered.add(rules.RULES[rules.EMPTY], Problem(message))
    for rule in rules.DATA_SET_RULES:
        for problem in rule.function(summary):
            gathered.add(rule, problem)
    for use in uses:
        for rule in rules.GOLD_SET_RULES:
            if use.matcher in rule.matchers:
                for problem in rule.function(use, summary):
                    gathered.add(rule, problem, use.entry.name)
    yield from gathered.findings()


def _gold_rules(use: Use) -> list[Rule]:
    return [rule for rule in rules.GOLD_RULES if use.matcher in rule.matchers]


def _look_at(
    line: bytes, number: int, judged: Sequence[tuple[Use, Sequence[Rule]]], summary: Summary, gathered: _Gathered
) -> None:
    """One line: read once, and shown to every rule."""
    content = line[len(BOM) :] if number == 1 and line.startswith(BOM) else line
    try:
        sample = decode(content)
    except (ValueError, RecursionError):
        sample = None
    if sample is None or content is not line:
        for rule in rules.LINE_RULES:
            problem = rule.function(line, number)
            if problem is not None:
                gathered.add(rule, problem)
        if sample is None and content.strip() != b"null":
            return
    golds = _golds(sample)
    summary.add(number, sample, golds or [])
    for use, gold_rules in judged:
        for rule in rules.ROW_RULES:
            message = rule.function(use, sample)
            if message is not None:
                gathered.add(rule, Problem(message, number), use.entry.name)
        for rule in gold_rules if golds is not None else ():
            problem = rule.function(use, sample, golds)
            if problem is not None:
                gathered.add(rule, replace(problem, line=number), use.entry.name)


def _golds(sample: Any) -> list[str] | None:
    """The ideals of a row; None where it has none of the right form."""
    ideal = sample.get("ideal") if isinstance(sample, dict) else None
    if isinstance(ideal, str):
        return [ideal]
    return ideal if isinstance(ideal, list) and all(isinstance(item, str) for item in ideal) else None
