"""Registries read with patience: every entry that can be read, with the place of each of its fields, and what could not.

A run stops at the first broken file; whoever looks at a registry (``list``, ``show``, ``check``) wants to see all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from aigc_evals.base import BaseEvalSpec, CompletionFnSpec, EvalSetSpec, EvalSpec
from aigc_evals.elsuite.modelgraded.base import ModelGradedSpec
from aigc_evals.errors import UsageError, nearest
from aigc_evals.yaml_files import MERGE, Entries, files_of

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"
_MADE = ("key", "group", "registry_path")


class Kind(NamedTuple):
    """A kind of entry: its folder, what one is called, and the types whose fields it may have."""

    folder: str
    noun: str
    types: tuple[type, ...]

    @property
    def known(self) -> list[str]:
        """The fields an entry may have, as they are spelled in YAML."""
        names = dict.fromkeys(["id", *(item.name for cls in self.types for item in fields(cls))])
        return ["class" if name == "cls" else name for name in names if name not in _MADE]


KINDS: Mapping[str, Kind] = {
    kind.folder: kind
    for kind in (
        Kind("evals", "eval", (EvalSpec, BaseEvalSpec)),
        Kind("eval_sets", "eval set", (EvalSetSpec,)),
        Kind("completion_fns", "completion function", (CompletionFnSpec,)),
        Kind("solvers", "solver", (CompletionFnSpec,)),
        Kind("modelgraded", "model-graded spec", (ModelGradedSpec,)),
    )
}


class Place(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int


@dataclass(eq=False)
class YamlFile:
    """One file of a registry: its root node, or the error that kept it from being read."""

    path: Path
    registry_path: Path
    kind: Kind
    root: yaml.Node | None = None
    error: Exception | None = None
    content: bytes = b""


@dataclass(eq=False)
class Entry:
    """One entry: ``value`` is a mapping as written, the name it is an alias of, or None where it cannot be built."""

    name: str
    file: YamlFile
    key_node: yaml.Node
    node: yaml.Node
    error: Exception | None = None

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def place(self) -> Place:
        return place(self.key_node)

    @cached_property
    def value(self) -> Any:
        if isinstance(self.node, yaml.ScalarNode):
            return None if self.node.tag == _NULL else str(self.node.value)
        if not isinstance(self.node, yaml.MappingNode):
            return None
        loader = _LOADER("")
        try:
            return loader.construct_document(self.node)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self.error = error
            return None
        finally:
            loader.dispose()

    @property
    def fields(self) -> Mapping[str, Any]:
        return self.value if isinstance(self.value, dict) else {}

    @property
    def args(self) -> dict[str, Any]:
        args = self.fields.get("args")
        return args if isinstance(args, dict) else {}

    @property
    def alias(self) -> Any:
        """What the entry says it stands for; None where it is no alias."""
        return self.value if isinstance(self.value, str) else self.fields.get("id")

    def at(self, *keys: str) -> Place:
        """The place of a field, by its keys from the outside in; of the entry where it has none."""
        found, node = self.place, self.node
        for key in keys:
            pair = next((pair for pair in pairs(node) if pair[0].value == key), None)
            if pair is None:
                return found
            found, node = place(pair[0]), pair[1]
        return found

    def item(self, key: str, index: int) -> Place:
        """The place of one item of a list."""
        for key_node, node in pairs(self.node):
            if key_node.value == key and isinstance(node, yaml.SequenceNode) and index < len(node.value):
                return place(node.value[index])
        return self.at(key)


@dataclass
class Sources:
    """All registries on a search path; later ones override earlier ones, as in a run."""

    files: list[YamlFile] = field(default_factory=list)
    entries: dict[str, dict[str, Entry]] = field(default_factory=lambda: {folder: {} for folder in KINDS})

    @classmethod
    def read(cls, registry_paths: Sequence[str | Path], folders: Sequence[str] = tuple(KINDS)) -> Sources:
        """Read the given kinds of all registries; nothing is raised, errors are kept with their files."""
        sources = cls()
        for registry_path in map(Path, registry_paths):
            for folder in folders:
                for file in _files(registry_path, KINDS[folder]):
                    sources.files.append(file)
                    for entry in entries(file):
                        sources.entries[folder][entry.name] = entry
        return sources

    def chain(self, folder: str, name: str) -> list[Entry]:
        """The entry of that name, what it is an alias of, and so on, as far as it leads; empty for an unknown name."""
        found: list[Entry] = []
        step: Any = name
        while isinstance(step, str) and step in self.entries[folder]:
            entry = self.entries[folder][step]
            if entry in found:
                break
            found.append(entry)
            step = entry.alias
        return found

    def resolved(self, folder: str, name: str) -> Entry | None:
        """The entry that a name leads to in the end; None where it leads to nothing."""
        chain = self.chain(folder, name)
        return chain[-1] if chain and chain[-1].alias is None else None

    def suggestion(self, folder: str, name: str) -> str | None:
        return nearest(name, self.entries[folder]) or None


class Readable(Entries):
    """The entries of one kind that can be built, as ``Registry`` wants them."""

    def __init__(self, noun: str, found: Mapping[str, Entry]) -> None:
        super().__init__(noun)
        self._found = {name: entry for name, entry in found.items() if entry.value is not None}

    def __getitem__(self, name: str) -> Any:
        entry = self._found[name]
        if isinstance(entry.value, str):
            return entry.value
        spec = {**entry.value, "key": name, "group": entry.path.name.split(".")[0]}
        spec["registry_path"] = entry.file.registry_path
        if "class" in spec:
            spec["cls"] = spec.pop("class")
        return spec

    def built(self, name: str) -> Any:
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def place(self, name: str | None) -> tuple[Path | None, int | None]:
        entry = self._found.get(name) if name is not None else None
        return (entry.path, entry.place.line) if entry is not None else (None, None)


def entries(file: YamlFile) -> Iterator[Entry]:
    """The entries of a file, in order; of a name that stands there twice, both."""
    for key_node, node in pairs(file.root):
        yield Entry(str(key_node.value), file, key_node, node)


def pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    """The keys and values of a mapping; none of anything else."""
    return node.value if isinstance(node, yaml.MappingNode) else []


def as_written(file: YamlFile) -> yaml.Node | None:
    """The root of a file as it stands there: building an entry writes what it merges (``<<``) into its nodes."""
    if file.root is None or MERGE.encode() not in file.content:
        return file.root
    root: yaml.Node | None = yaml.compose(file.content.decode("utf-8-sig"), Loader=_LOADER)
    return root


def place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _files(registry_path: Path, kind: Kind) -> list[YamlFile]:
    """The files of a kind in a registry; the folder itself, with the error, where it cannot be read."""
    folder = registry_path / kind.folder
    try:
        paths = files_of(folder)
    except UsageError as error:
        return [YamlFile(Path(error.path or folder), registry_path, kind, error=error)]
    return [_read(path, registry_path, kind) for path in paths]


def _read(path: Path, registry_path: Path, kind: Kind) -> YamlFile:
    file = YamlFile(path, registry_path, kind)
    try:
        file.content = path.read_bytes()
        file.root = yaml.compose(file.content.decode("utf-8-sig"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError, OSError, RecursionError) as error:
        file.error = error
    return file
