"""What the entries of registries stand for: aliases followed, and the spec that an entry says."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from aigc_evals.errors import UsageError, nearest
from aigc_evals.yaml_files import Entries

logger = logging.getLogger(__name__)

T = TypeVar("T")


def find(name: str, entries: Entries, cls: type[T], overrides: Mapping[str, Any] | None = None) -> T | None:
    """The spec that ``name`` stands for, some of its fields overridden; None where there is no such name."""
    if name not in entries:
        return None
    meant = _follow(name, entries)
    path, line = entries.place(meant)
    # A constructor may change what it is given, and the next one is to be given the same.
    return _build(cls, {**entries.built(meant), **(overrides or {})}, entries.noun, path, line)


def unknown(name: str, entries: Entries, hint: str = "") -> UsageError:
    """The error that there is no such name, with the nearest ones where there is no better hint."""
    hint = hint or nearest(name, entries) or f"{len(entries)} are known; are you missing a --registry_path?"
    return UsageError(f"no {entries.noun} is named {name!r}", hint=hint)


def _follow(name: str, entries: Entries) -> str:
    """The entry that ``name`` leads to, itself where it is no alias; UsageError for one that leads nowhere or in a circle."""
    path, line = entries.place(name)
    chain = [name]
    while True:
        last = chain[-1]
        raw = entries[last]
        alias = raw if isinstance(raw, str) else raw.get("id")
        if alias is None:
            return last
        if not isinstance(alias, str):
            raise UsageError(
                f"id must be the name of another {entries.noun}, got {alias!r}", path=path, line=line, key=last
            )
        if alias in chain:
            raise UsageError(f"alias cycle: {' -> '.join([*chain, alias])}", path=path, line=line, key=name)
        if alias not in entries:
            raise UsageError(
                f"{entries.noun} {last!r} is an alias of {alias!r}, which does not exist",
                path=path,
                line=line,
                key=last,
                hint=nearest(alias, entries) or None,
            )
        chain.append(alias)


def known_fields(cls: type, raw: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says of the fields that a spec has."""
    names = {field.name for field in fields(cls)}
    return {key: value for key, value in raw.items() if key in names}


def _build(cls: type[T], raw: Mapping[str, Any], noun: str, path: Path | None, line: int | None) -> T:
    known = known_fields(cls, raw)
    ignored = [key for key in raw if key not in known and key not in ("registry_path", "id")]
    if ignored:
        logger.debug("%s:%s: %s %s: unknown fields %s are ignored", path, line, noun, raw.get("key"), ignored)
    args = known.get("args")
    if args is not None and not isinstance(args, dict):
        raise UsageError(f"args must be a mapping, got {type(args).__name__}", path=path, line=line, key=raw.get("key"))
    try:
        return cls(**known)
    except TypeError as error:
        missing = re.findall(r"'(\w+)'", str(error).split("argument", 1)[-1])
        wanted = ["class" if name == "cls" else name for name in missing]
        raise UsageError(
            f"{noun} {raw.get('key')!r} lacks {', '.join(wanted) or error}",
            path=path,
            line=line,
            key=raw.get("key"),
        ) from None
