"""Texts to retrieve from: read from a file with or without their embeddings, and found by cosine similarity."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aigc_evals.data.lines import is_blank, numbered_lines, parse_line
from aigc_evals.data.sources import COMPRESSED_SUFFIXES, open_source
from aigc_evals.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Passages:
    """Texts in the order of their file; ``vectors`` has one embedding for each, or is None where the file has none."""

    path: str
    texts: list[str]
    vectors: list[list[float]] | None


def read_passages(path: str) -> Passages:
    """Read a CSV file (columns ``text`` and perhaps ``embedding``, a JSON list) or a JSONL file of the same keys.

    UsageError with the line for a row without text, an embedding that is not a list of finite numbers, is all zeros or has
    another length than the first, and for a file in which only some rows have an embedding.
    """
    texts: list[str] = []
    vectors: list[list[float]] = []
    for line, row in _rows(path):
        text = row.get("text") if isinstance(row, dict) else None
        if not isinstance(text, str) or not text.strip():
            raise UsageError("a row needs a text", path=path, line=line, key="text")
        raw = row.get("embedding")
        if raw not in (None, ""):
            vectors.append(_vector(raw, path, line, len(vectors[0]) if vectors else None))
        texts.append(text)
        if vectors and len(vectors) != len(texts):
            raise UsageError("some rows have an embedding and some have none", path=path, line=line, key="embedding")
    if not texts:
        raise UsageError("there is no text to retrieve", path=path)
    return Passages(path, texts, vectors or None)


def _rows(path: str) -> Iterator[tuple[int, Any]]:
    name = path
    for suffix in COMPRESSED_SUFFIXES:
        name = name.removesuffix(suffix)
    with open_source(path) as stream:
        if name.endswith(".csv"):
            yield from _csv_rows(stream, path)
        elif name.endswith(".jsonl"):
            for number, line in numbered_lines(stream):
                if not is_blank(line):
                    yield number, parse_line(line, path, number)
        else:
            raise UsageError("expected a .csv or a .jsonl file", path=path, key="embeddings_and_text_path")


def _csv_rows(stream: Any, path: str) -> Iterator[tuple[int, Any]]:
    import csv
    import io

    # An embedding of some thousand numbers is longer than what the module takes for a field by default.
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 24))
    reader = csv.DictReader(io.TextIOWrapper(stream, "utf-8-sig", newline=""))
    try:
        if "text" not in (reader.fieldnames or ()):
            raise UsageError("the first line must name a column text", path=path, line=1, key="text")
        for row in reader:
            yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"not a CSV file in UTF-8: {error}", path=path, line=reader.line_num + 1) from None


def _vector(raw: Any, path: str, line: int, size: int | None) -> list[float]:
    try:
        values = json.loads(raw) if isinstance(raw, str) else raw
        vector = [float(value) for value in values]
    except (TypeError, ValueError):
        raise UsageError("an embedding is a list of numbers", path=path, line=line, key="embedding") from None
    if not vector or (size is not None and len(vector) != size):
        raise UsageError(
            f"the embedding has {len(vector)} numbers, the first one has {size}", path=path, line=line, key="embedding"
        )
    if not all(map(math.isfinite, vector)) or not any(vector):
        what = "is all zeros" if not any(vector) else "has a number that is not finite"
        raise UsageError(f"the embedding {what}: nothing is near to it", path=path, line=line, key="embedding")
    return vector


class VectorIndex:
    """Unit vectors in one array of float32, searched exhaustively."""

    def __init__(self, vectors: Sequence[Sequence[float]]) -> None:
        import numpy as np

        self._matrix: NDArray[np.float32] = _unit(np.asarray(vectors, dtype=np.float32))
        self.size = int(self._matrix.shape[1])

    def nearest(self, vector: Sequence[float], k: int) -> list[tuple[int, float]]:
        """The ``k`` nearest rows with their cosine, nearest first, of equally near ones the earlier."""
        import numpy as np

        scores = self._matrix @ _unit(np.asarray([vector], dtype=np.float32))[0]
        order = np.argsort(-scores, kind="stable")[:k]
        return [(int(row), float(scores[row])) for row in order]


def _unit(matrix: Any) -> Any:
    import numpy as np

    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return matrix / np.where(norms == 0, 1, norms)
