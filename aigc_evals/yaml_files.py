"""The YAML files of registries: names with the place they are defined at, each spec built only when it is asked for."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aigc_evals.errors import UsageError
from aigc_evals.files import is_file, is_folder, listed, unreadable

logger = logging.getLogger(__name__)

NOUNS = {
    "evals": "eval",
    "eval_sets": "eval set",
    "completion_fns": "completion function",
    "solvers": "solver",
    "modelgraded": "model-graded spec",
}
"""What one of each kind is called, by the folder that the kind lives in."""

_KEY = "registry_path"
_SHOWN = 5

MERGE = "<<"
"""What a file that merges mappings into others has in it."""

TOO_DEEP = "nested too deeply"

_RESERVED = ("key", "group", "cls")
_NULL = "tag:yaml.org,2002:null"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class _Entry:
    node: yaml.Node
    path: Path
    line: int
    registry_path: Path
    lenient: bool = False
    merges: bool = False
    value: Any = None


class Entries(Mapping[str, Any]):
    """Name -> spec (a dict with ``key``, ``group``, ``registry_path``, and ``cls`` for ``class``) or alias (a str).

    ``noun`` is what one of them is called.
    """

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._entries: dict[str, _Entry] = {}

    def __getitem__(self, name: str) -> Any:
        entry = self._entries[name]
        if entry.value is None:
            entry.value = _spec(name, entry)
        return entry.value

    def built(self, name: str) -> Any:
        """The spec made anew, for whoever may change it: what is got by ``[name]`` is the same for all."""
        return _spec(name, self._entries[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def place(self, name: str | None) -> tuple[Path | None, int | None]:
        """File and line where ``name`` is defined."""
        entry = self._entries.get(name) if name is not None else None
        return (entry.path, entry.line) if entry is not None else (None, None)

    def _override(self, entries: dict[str, _Entry]) -> list[str]:
        known = self._entries
        overridden = [name for name in entries if name in known and known[name].path != entries[name].path]
        self._entries.update(entries)
        return overridden


def load_kind(
    registry_paths: Sequence[Path], folder: str, *, lenient: bool = False, named: Collection[Path] = ()
) -> Entries:
    """All entries of one kind, later registries overriding earlier ones.

    The same name twice in one registry is a UsageError; with ``lenient``, twice in one file is a warning and the last
    one counts (one file of openai/evals relies on it). ``named`` are the registries that the user has named: what they
    override is told, and what cannot be read in them is a UsageError; in the others it is passed over with a warning.
    """
    entries = Entries(NOUNS[folder])
    for registry_path in registry_paths:
        found: dict[str, _Entry] = {}
        for path, content in _contents(registry_path / folder, strict=registry_path in named):
            for name, entry in _load_file(path, content, registry_path, lenient):
                other = found.get(name)
                if other is not None and other.path != path:
                    raise UsageError(
                        f"{name!r} is defined here and at {other.path}:{other.line}",
                        path=path,
                        line=entry.line,
                        key=name,
                    )
                found[name] = entry
        overridden = entries._override(found)
        if overridden:
            some = ", ".join(overridden[:_SHOWN]) + (", ..." if len(overridden) > _SHOWN else "")
            what = f"1 {entries.noun}" if len(overridden) == 1 else f"{len(overridden)} {entries.noun}s"
            level = logging.WARNING if registry_path in named else logging.INFO
            logger.log(level, "%s overrides %s of earlier registries: %s", registry_path, what, some)
    return entries


def files_of(path: Path) -> list[Path]:
    """The files that the folder of a kind stands for: those in it that are YAML and not hidden, as the lock files of
    editors are; or one file of that name. UsageError where that cannot be read.
    """
    if is_folder(path, key=_KEY):
        names = ((one, os.path.normcase(one.name)) for one in listed(path, key=_KEY))
        return [one for one, name in names if name.endswith(".yaml") and not name.startswith(".")]
    single = path.with_name(path.name + ".yaml")
    return [candidate for candidate in (path, single) if is_file(candidate, key=_KEY)][:1]


def _contents(folder: Path, *, strict: bool) -> Iterator[tuple[Path, bytes]]:
    """The files of a kind with what is in them; without ``strict`` what cannot be read is passed over."""
    try:
        paths = files_of(folder)
    except UsageError as error:
        _pass_over(error, strict)
        return
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as error:
            _pass_over(unreadable(path, error), strict)
        else:
            yield path, content


def _pass_over(error: UsageError, strict: bool) -> None:
    if strict:
        raise error from None
    logger.warning("passed over: %s", error)


def _load_file(path: Path, content: bytes, registry_path: Path, lenient: bool) -> Iterator[tuple[str, _Entry]]:
    try:
        text = content.decode("utf-8-sig")
        root = yaml.compose(text, Loader=_LOADER)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError("the file is not UTF-8", path=path, line=line, hint="Save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UsageError(
            f"not valid YAML: {error.problem or error.context}",
            path=path,
            line=None if mark is None else mark.line + 1,
            column=None if mark is None else mark.column + 1,
        ) from None
    except yaml.YAMLError as error:
        raise UsageError(f"not valid YAML: {error}", path=path) from None
    except RecursionError:
        raise UsageError(TOO_DEEP, path=path) from None
    if not isinstance(root, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key_node, node in root.value:
        name = str(key_node.value)
        line = key_node.start_mark.line + 1
        _once(seen, name, path, line, lenient)
        if isinstance(node, yaml.MappingNode):
            inner: dict[str, int] = {}
            for field_node, _value in node.value:
                field_line = field_node.start_mark.line + 1
                if field_node.value in _RESERVED:
                    raise UsageError(
                        f"{field_node.value!r} is a reserved key",
                        path=path,
                        line=field_line,
                        key=f"{name}.{field_node.value}",
                    )
                _once(inner, str(field_node.value), path, field_line, lenient)
        elif not isinstance(node, yaml.ScalarNode) or node.tag == _NULL:
            raise UsageError("an entry must be a mapping or the name of another", path=path, line=line, key=name)
        yield name, _Entry(node, path, line, registry_path, lenient, MERGE in text)


def _once(seen: dict[str, int], name: str, path: Path, line: int, lenient: bool) -> None:
    if name in seen:
        if not lenient:
            raise UsageError(
                f"the key is here a second time (first in line {seen[name]})", path=path, line=line, key=name
            )
        logger.warning("%s:%d: %r is here a second time; the last one counts", path, line, name)
    seen[name] = line


def _check_nested(root: yaml.MappingNode, entry: _Entry, name: str) -> None:
    """No mapping below an entry may have a key twice, and no part may hold itself (an alias inside its own anchor).

    Looked at when the entry is used, since it means walking all of it.
    """
    above: set[yaml.Node] = set()
    done: set[yaml.Node] = set()
    todo: list[tuple[yaml.Node, bool]] = [(root, False)]
    while todo:
        node, leaving = todo.pop()
        if leaving:
            above.discard(node)
            done.add(node)
            continue
        if node in above:
            raise UsageError(
                "an alias stands inside the very part that it names",
                path=entry.path,
                line=node.start_mark.line + 1,
                key=name,
            )
        if node in done or isinstance(node, yaml.ScalarNode):
            continue
        above.add(node)
        todo.append((node, True))
        if isinstance(node, yaml.MappingNode):
            # The fields of the entry itself were looked at when the file was read.
            seen: dict[str, int] = {}
            for key_node, _ in node.value if node is not root else ():
                _once(seen, str(key_node.value), entry.path, key_node.start_mark.line + 1, entry.lenient)
            todo += [(value, False) for _, value in reversed(node.value)]
        else:
            todo += [(item, False) for item in reversed(node.value)]


def _spec(name: str, entry: _Entry) -> Any:
    if isinstance(entry.node, yaml.ScalarNode):
        return str(entry.node.value)
    loader = _LOADER("")
    try:
        # Building a mapping writes what it merges into its node, where others that share it would meet it again.
        root: Any = copy.deepcopy(entry.node) if entry.merges else entry.node
        _check_nested(root, entry, name)
        spec: dict[str, Any] = loader.construct_document(root)
    except RecursionError:
        raise UsageError(TOO_DEEP, path=entry.path, line=entry.line, key=name) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise UsageError(
            f"not valid YAML: {error.problem}", path=entry.path, line=None if mark is None else mark.line + 1, key=name
        ) from None
    except ValueError as error:
        # A scalar that looks like a date or a number and is none, such as 2024-13-45.
        raise UsageError(
            f"a value cannot be read: {error}", path=entry.path, line=entry.line, key=name, hint="Put it in quotes."
        ) from None
    finally:
        loader.dispose()
    spec["key"] = name
    spec["group"] = entry.path.name.split(".")[0]
    spec["registry_path"] = entry.registry_path
    if "class" in spec:
        spec["cls"] = spec.pop("class")
    return spec
