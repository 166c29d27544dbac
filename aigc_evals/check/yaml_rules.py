"""Rules about YAML files: what keeps one from being read, and what stands in it twice or where nothing may stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from aigc_evals.check.findings import ERROR, WARNING, Problem
from aigc_evals.check.sources import Entry, YamlFile, as_written, entries, pairs, place
from aigc_evals.errors import UsageError
from aigc_evals.yaml_files import TOO_DEEP

_RESERVED = ("key", "group", "cls")


def syntax(file: YamlFile) -> Iterator[Problem]:
    """The file is not YAML, or has a value that cannot be built."""
    if isinstance(file.error, yaml.MarkedYAMLError):
        yield _marked(file.error)
    elif file.error is not None and not isinstance(file.error, (UnicodeDecodeError, OSError, UsageError)):
        yield Problem(_told(file.error))
    for entry in entries(file):
        if entry.value is None and entry.error is not None:
            marked = isinstance(entry.error, yaml.MarkedYAMLError)
            yield _marked(entry.error) if marked else Problem(_told(entry.error), *entry.place)


def _told(error: Exception) -> str:
    return TOO_DEEP if isinstance(error, RecursionError) else f"not valid YAML: {error}"


def _marked(error: Any) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
    return Problem(f"not valid YAML: {error.problem or error.context}", line, column)


def readable(file: YamlFile) -> Iterator[Problem]:
    """The file is not UTF-8, or cannot be read at all."""
    if isinstance(file.error, UnicodeDecodeError):
        before = file.content[: file.error.start]
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        yield Problem("the file is not UTF-8", before.count(b"\n") + 1, column, "Save it as UTF-8.")
    elif isinstance(file.error, OSError):
        yield Problem(f"cannot be read: {file.error.strerror}")
    elif isinstance(file.error, UsageError):
        yield Problem(file.error.message)


def mapping(file: YamlFile) -> Iterator[Problem]:
    """The file is not a mapping of names to entries, so nothing of it counts."""
    if file.error is None and file.root is not None and not isinstance(file.root, yaml.MappingNode):
        line, column = place(file.root)
        yield Problem("not a mapping of names to entries, so the file is passed over", line, column)


def entry_form(file: YamlFile) -> Iterator[Problem]:
    """An entry is neither a mapping nor the name of another."""
    for entry in entries(file):
        if entry.value is None and entry.error is None:
            message = f"{entry.name!r} must be a mapping, or the name of another {file.kind.noun}"
            yield Problem(message, *entry.place)


def duplicate_key(file: YamlFile) -> Iterator[Problem]:
    """A key stands twice in one mapping."""
    severity = WARNING if file.kind.folder == "modelgraded" else ERROR
    for line, column, key, first in sorted(_repeated(as_written(file))):
        message = f"the key {key!r} is here a second time (first in line {first})"
        yield Problem(message, line, column, "Only the last one would count: take one out.", severity)


def _repeated(root: yaml.Node | None) -> Iterator[tuple[int, int, str, int]]:
    """Line, column, key and first line of each."""
    # An alias of YAML leads to a node again; how deep they are nested is the file's affair.
    known: set[int] = set()
    todo = [root]
    while todo:
        node = todo.pop()
        if id(node) in known or isinstance(node, yaml.ScalarNode):
            continue
        known.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += node.value
        seen: dict[str, int] = {}
        for key_node, value in pairs(node):
            line, column = place(key_node)
            if str(key_node.value) in seen:
                yield line, column, str(key_node.value), seen[str(key_node.value)]
            seen.setdefault(str(key_node.value), line)
            todo.append(value)


def reserved_key(file: YamlFile) -> Iterator[Problem]:
    """An entry has a field that the registry itself makes."""
    for entry in entries(file):
        for key_node, _ in pairs(entry.node):
            if key_node.value in _RESERVED:
                hint = "Write class." if key_node.value == "cls" else "Leave it out; the registry adds it."
                yield Problem(f"{key_node.value!r} is a reserved key", *place(key_node), hint)


def duplicate_name(files: Sequence[YamlFile]) -> Iterator[tuple[YamlFile, Problem]]:
    """A name is defined in two files of one registry."""
    seen: dict[tuple[object, str, str], Entry] = {}
    for file in files:
        for entry in entries(file):
            first = seen.setdefault((file.registry_path, file.kind.folder, entry.name), entry)
            if first.file is not file:
                message = f"{entry.name!r} is also defined at {first.path}:{first.place.line}"
                yield file, Problem(message, *entry.place, "Give one of them another name.")
