"""``python -m aigc_evals.schemas``: write the schemas anew."""

from __future__ import annotations

from aigc_evals.schemas import KINDS, path
from aigc_evals.schemas.generate import as_text

if __name__ == "__main__":
    for kind in KINDS:
        path(kind).write_text(as_text(kind), encoding="utf-8")
