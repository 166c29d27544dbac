"""Which items of which split are taken: drawn with a seed, the same ones on every machine and with every version of Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from aigc_evals.errors import UsageError

DEFAULT_SEED = 20220722


def configured(config: str | Sequence[Any] | None, usual: str) -> tuple[str, int | None]:
    """The split (the ``usual`` one unless said) and how many of its rows (None: all) ``config`` says; UsageError otherwise."""
    split, *rest = [config] if isinstance(config, str) else list(config or [usual])
    n = rest[0] if rest else None
    if len(rest) > 1 or not isinstance(split, str) or not (n is None or (type(n) is int and n > 0)):
        hint = 'For instance ["validation", 100].'
        raise UsageError(f"expected a split and how many samples, got {config!r}", key="config", hint=hint)
    return split, n


def pick(among: Sequence[int], n: int | None, *, name: str, split: str, seed: int, total: int) -> list[int]:
    """``n`` of the item numbers ``among`` (all, for None or when there are no more), in their order.

    The method: a ``random.Random`` seeded with the text ``"<name>:<split>:<seed>"`` gives each of the ``total`` items of
    the split one number by ``random()``, in the order of the file; the ``n`` items with the smallest numbers are taken.
    Python promises that this sequence never changes. So a larger sample contains every smaller one, and which items of a
    subset are taken does not depend on the other subsets being asked for.
    """
    if n is None or n >= len(among):
        return list(among)
    return sorted(ranked(among, name=name, split=split, seed=seed, total=total)[:n])


def ranked(among: Sequence[int], *, name: str, split: str, seed: int, total: int) -> list[int]:
    """All of ``among`` in the order in which ``pick`` takes them."""
    rng = random.Random(f"{name}:{split}:{seed}")
    drawn = [rng.random() for _ in range(total)]
    return sorted(among, key=lambda number: (drawn[number], number))
