"""The examples before a data set's questions: which items they are, and how they become turns of a chat."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from aigc_evals.errors import SampleError, UsageError
from aigc_evals.generate.sampling import ranked

if TYPE_CHECKING:
    from aigc_evals.generate.base import Generate, Item, Message


class Examples:
    """The examples that stand before questions: whole items with their answers, as turns of the chat."""

    def __init__(self, owner: Generate, split: str, count: int, seed: int) -> None:
        self.count = count
        self._owner = owner
        self._seed = seed
        self._orders: dict[str | None, list[int]] = {}
        self._clusters: dict[int, Any] = {}
        if count > 0:
            self._split, self._items = owner.opened(owner.few_shot_split)
            self._same = self._split == split

    def before(self, prompt: str | list[Message], number: int, item: Item) -> list[Message]:
        """``prompt`` with the examples between what it shares with them (the instruction) and the question itself."""
        turns: list[Message] = []
        if isinstance(prompt, str):
            raise SampleError("examples can be put before a chat prompt only: 'input' must be a list of messages")
        shared = len(prompt) - 1
        for place in self._of(self._owner.subset_of(item), number):
            example = self._items[place]
            row = self._owner.row_of(self._items, place, self._split)
            ideal = row["ideal"]
            alike = next(
                (i for i, (a, b) in enumerate(zip(row["input"], prompt, strict=False)) if a != b), len(prompt) - 1
            )
            shared = min(shared, alike)
            reply = self._owner.format_example(example, ideal[0] if isinstance(ideal, list) else ideal)
            turns += [*row["input"][alike:], {"role": "assistant", "content": reply}]
        return [*prompt[:shared], *turns, *prompt[shared:]]

    def _of(self, subset: str | None, number: int) -> list[int]:
        """The numbers of the examples for a question: neither itself nor one of its cluster, which may tell its answer."""
        if subset not in self._orders:
            self._orders[subset] = self._order(subset)
        order: Iterable[int] = self._orders[subset]
        if self._same:
            own = self._cluster(number)
            order = (i for i in order if i != number and (own is None or self._cluster(i) != own))
        chosen = sorted(islice(order, self.count))
        if len(chosen) < self.count:
            raise UsageError(
                f"{self._owner.class_name} has only {len(chosen)} examples"
                + (f" for {subset}" if subset else "")
                + f" in its split {self._split!r}",
                key="few_shot",
            )
        return chosen

    def _order(self, subset: str | None) -> list[int]:
        among = [i for i, item in enumerate(self._items) if subset is None or self._owner.subset_of(item) == subset]
        if not self._owner.few_shot_drawn:
            return among
        told = f"{self._owner.class_name}:few_shot"
        return ranked(among, name=told, split=self._split, seed=self._seed, total=len(self._items))

    def _cluster(self, number: int) -> Any:
        if number not in self._clusters:
            self._clusters[number] = self._owner.format_more(self._items[number]).get("cluster")
        return self._clusters[number]
