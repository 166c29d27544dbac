"""What the registries hold, as a list: names, what each is, and where it comes from, and models in Python files beside them.

No entry's class is imported or made.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aigc_evals.check.sources import Entry, Sources
from aigc_evals.models.search import NamedModels
from aigc_evals.registry import Registry, default_paths

FOLDERS: Mapping[str, tuple[str, ...]] = {
    "evals": ("evals",),
    "sets": ("eval_sets",),
    "completion_fns": ("completion_fns", "solvers"),
    "modelgraded": ("modelgraded",),
}
"""What can be asked for, and the folders of a registry it stands in."""


@dataclass(frozen=True)
class Listed:
    """One name: ``what`` is the class or what it is otherwise, ``leads_to`` what an alias stands for."""

    kind: str
    name: str
    what: str
    description: str
    path: Path
    line: int
    leads_to: str | None = None

    @property
    def place(self) -> str:
        return f"{self.path.name}:{self.line}"

    def as_dict(self) -> dict[str, Any]:
        """The row as plain values, for JSON."""
        return {**asdict(self), "path": str(self.path)}


def search_path(more: Sequence[str | Path] = ()) -> list[Path]:
    """The registries that are always searched, then ``more``; UsageError for one of these that does not exist."""
    Registry([]).add_registry_paths(more)
    return [*default_paths(), *map(Path, more)]


def list_entries(
    paths: Sequence[str | Path],
    kind: str | None = None,
    pattern: str | None = None,
    *,
    everything: bool = False,
    models: NamedModels | None = None,
) -> list[Listed]:
    """The names of all registries in their order, those of ``models`` after them; ``kind`` is a key of ``FOLDERS``.

    ``pattern`` is a part of the name in any case, or, with ``*`` for any text, all of it. What a listed alias leads to
    is left out unless ``everything`` is wanted. Files that cannot be read are passed over; ``check`` says why.
    """
    wanted = [folder for key, folders in FOLDERS.items() if kind in (None, key) for folder in folders]
    sources = Sources.read(paths, wanted)
    fits = _matcher(pattern)
    rows: list[Listed] = []
    for folder in wanted:
        found = [entry for name, entry in sources.entries[folder].items() if fits(name)]
        hidden = set() if everything else {entry.alias for entry in found if isinstance(entry.alias, str)}
        rows += [_listed(sources, folder, entry) for entry in found if entry.name not in hidden]
    if models is not None and kind in (None, "completion_fns"):
        rows += [
            Listed("named model", one.name, one.class_name, one.about, one.path or Path(one.told_by), one.line or 0)
            for one in models.every()
            if fits(one.name)
        ]
    return rows


def _matcher(pattern: str | None) -> Any:
    if not pattern:
        return lambda name: True
    if "*" in pattern:
        return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL | re.IGNORECASE).fullmatch
    return lambda name: pattern.lower() in name.lower()


def _listed(sources: Sources, folder: str, entry: Entry) -> Listed:
    chain = sources.chain(folder, entry.name)
    texts = (str(step.fields["description"]) for step in chain if step.fields.get("description"))
    description = " ".join(next(texts, "").split())
    leads_to = chain[-1].name if len(chain) > 1 else None
    noun = entry.file.kind.noun
    return Listed(noun, entry.name, _what(chain[-1]), description, entry.path, entry.place.line, leads_to)


def _what(entry: Entry) -> str:
    if isinstance(entry.alias, str):
        return f"-> {entry.alias} (does not exist)"
    fields = entry.fields
    if isinstance(fields.get("class"), str):
        return str(fields["class"]).rpartition(":")[2]
    if isinstance(fields.get("evals"), list):
        return f"{len(fields['evals'])} entries"
    choices = fields.get("choice_strings")
    return "/".join(map(str, choices)) if isinstance(choices, list) else str(choices or "?")


def render(rows: Sequence[Listed], width: int | None = None) -> str:
    """The rows as a table, one line each, under a heading for each kind; cut to ``width`` columns where given."""
    lines: list[str] = []
    for kind in dict.fromkeys(row.kind for row in rows):
        cells = [(row.name, row.what, row.place, row.description) for row in rows if row.kind == kind]
        widths = [max(columns(cell[i]) for cell in cells) for i in range(3)]
        lines += [f"{kind}s ({len(cells)})"]
        for cell in cells:
            padded = [text + " " * (wide - columns(text)) for text, wide in zip(cell, widths, strict=False)]
            lines.append(_cut("  " + "  ".join((*padded, cell[3])).rstrip(), width))
    return "\n".join(lines)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes; a Chinese character takes two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _cut(line: str, width: int | None) -> str:
    if width is None or columns(line) <= width:
        return line
    return "".join(_first(line, width - 1)) + "…"


def _first(line: str, width: int) -> Iterable[str]:
    for character in line:
        width -= columns(character)
        if width < 0:
            return
        yield character
