"""Which items of a split are taken: drawn with a seed, the same ones on every machine and with every version of Python."""

from __future__ import annotations

import random
from collections.abc import Sequence

DEFAULT_SEED = 20220722


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
