"""The command that makes a data set's eval, as it is kept with the eval and told to whoever lacks the data."""

from __future__ import annotations

import inspect
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_evals.files import home

if TYPE_CHECKING:
    from aigc_evals.generate.base import Generate


def command_of(made: Generate) -> str | None:
    """``aigc_evals generate NAME --split ... --out ...`` for an instance; None where its class cannot be named."""
    name = made.made_as or name_of(type(made))
    if name is None:
        return None
    words = [name, "--split", made.split]
    for subset in made.subset:
        words += ["--subset", subset]
    if made.samples is not None:
        words += ["--samples", str(made.samples)]
    words += ["--seed", str(made.seed)]
    if made.few_shot:
        words += ["--few_shot", str(made.few_shot)]
    if made.made_from is not None:
        words += ["--source", made.made_from]
    return f"aigc_evals generate {shlex.join(words)} --out {_folder(made.out)}"


def command_with(made: Generate, source: str) -> str:
    """``aigc_evals generate NAME --source SOURCE ...`` with what an instance was told that differs from the defaults."""
    from aigc_evals.generate.sampling import DEFAULT_SEED
    from aigc_evals.generate.splits import SAME_SPLIT

    words = []
    for flag, value, default in (
        ("split", made.split, SAME_SPLIT.get(made.default_split, made.default_split)),
        ("samples", made.samples, None),
        ("seed", made.seed, DEFAULT_SEED),
        ("few_shot", made.few_shot, 0),
    ):
        if value != default:
            words += [f"--{flag}", str(value)]
    for subset in made.subset:
        words += ["--subset", subset]
    told = [
        shlex.quote(made.made_as or name_of(type(made)) or made.class_name),
        "--source",
        source,
        *map(shlex.quote, words),
    ]
    for flag, path, usual in (("folder", made.folder, "."), ("out", made.out, "registry")):
        if path != Path(usual):
            told += [f"--{flag}", _folder(path)]
    return f"aigc_evals generate {' '.join(told)}"


def name_of(cls: type[Generate]) -> str | None:
    """What the command line knows a class by: a built-in name, ``module:Class`` or ``file.py:Class``; None for neither."""
    from aigc_evals.generate import DATASETS

    module = cls.__module__
    if module.startswith(f"{__package__}.") and cls.class_name in DATASETS:
        return cls.class_name
    if "." in cls.__qualname__:
        return None
    if module != "__main__" and module in sys.modules and all(part.isidentifier() for part in module.split(".")):
        return f"{module}:{cls.__qualname__}"
    try:
        return f"{Path(inspect.getfile(cls)).name}:{cls.__qualname__}"
    except (OSError, TypeError):
        return None


def _folder(path: Path) -> str:
    """A folder as it is written for a shell, under ``~`` where it is in the user's home."""
    own = home()
    if own is not None and path.is_relative_to(own):
        return f"~/{shlex.quote(path.relative_to(own).as_posix())}"
    return shlex.quote(path.as_posix())
