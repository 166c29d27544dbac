"""Writes the package's own evals of the data sets: ``python -m aigc_evals.generate``.

They say how they are scored and which command makes their data, which is not shipped. A set whose evals' names are those of
other built-in evals is left out.
"""

from __future__ import annotations

from pathlib import Path

from aigc_evals.files import expanded
from aigc_evals.generate import DATASETS, get
from aigc_evals.generate.base import Generate
from aigc_evals.registry import BUILT_IN, Registry


def built_in(name: str) -> Generate:
    """The data set as the command for the package's own eval makes it."""
    cls = get(name)
    made = cls(out=expanded("~/.aigc_evals"))
    made.samples = cls.suggested_samples
    return made


def files(root: Path = BUILT_IN) -> dict[Path, str]:
    """Path -> text of the YAML of every set."""
    known = Registry([root])
    found = {}
    for name in DATASETS:
        made = built_in(name)
        path = root / "evals" / f"{name}.yaml"
        names = [f"{name}_{kind.kind}" for kind in made.eval_kinds()]
        if all(known._evals.place(alias)[0] in (None, path) for alias in names):
            found[path] = str(made.format_one_yaml())
    return found


def main() -> None:
    """Write them all."""
    for path, text in files().items():
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
