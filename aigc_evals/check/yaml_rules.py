"""Rules about YAML files: what keeps one from being read, and what stands in it twice or where nothing may stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from aigc_evals.check.findings import ERROR, WARNING, Problem
from aigc_evals.check.sources import Entry, YamlFile, entries, pairs, place

_RESERVED = ("key", "group", "cls")


def syntax(file: YamlFile) -> Iterator[Problem]:
    """The file is not YAML, or has a value that cannot be built."""
    if isinstance(file.error, yaml.MarkedYAMLError):
        yield _marked(file.error)
    elif isinstance(file.error, yaml.YAMLError):
        yield Problem(f"not valid YAML: {file.error}")
    for entry in entries(file):
        if entry.value is None and entry.error is not None:
            marked = isinstance(entry.error, yaml.MarkedYAMLError)
            yield _marked(entry.error) if marked else Problem(f"not valid YAML: {entry.error}", *entry.place)


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
    for line, column, key, first in _repeated(file.root, set()):
        message = f"the key {key!r} is here a second time (first in line {first})"
        yield Problem(message, line, column, "Only the last one would count: take one out.", severity)


def _repeated(node: yaml.Node | None, known: set[int]) -> Iterator[tuple[int, int, str, int]]:
    """Line, column, key and first line of each; ``known`` are the nodes seen (an alias of YAML leads to one again)."""
    if id(node) in known:
        return
    known.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(item, known)
    seen: dict[str, int] = {}
    for key_node, value in pairs(node):
        line, column = place(key_node)
        if str(key_node.value) in seen:
            yield line, column, str(key_node.value), seen[str(key_node.value)]
        seen.setdefault(str(key_node.value), line)
        if not isinstance(value, yaml.ScalarNode):
            yield from _repeated(value, known)


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
