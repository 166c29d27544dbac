"""What a leaderboard is: rows of models, columns of evals or groups, cells with intervals and ranks, and notes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aigc_evals.tools.leaderboard.ranks import Figure


@dataclass(frozen=True)
class Cell:
    """One figure: ``value`` with the ends of its interval, over ``n`` samples (of a mean: over ``n`` evals or groups).

    ``planned`` and ``scored`` are counts of the run. ``ranked`` says whether it may be compared with the others of its
    column, and ``ranks`` the first and last place it may have; ``notes`` are numbers of the board's notes, from 1.
    """

    value: float | None
    low: float | None
    high: float | None
    stderr: float | None
    n: int
    planned: int = 0
    scored: int = 0
    finished: bool = True
    comparable: bool = True
    ranks: tuple[int, int] | None = None
    notes: tuple[int, ...] = ()
    log: str | None = None

    @property
    def ranked(self) -> bool:
        return self.finished and self.comparable and self.value is not None

    @property
    def leads(self) -> bool:
        """Whether no model is surely better."""
        return self.ranks is not None and self.ranks[0] == 1

    @property
    def best(self) -> bool:
        """Whether every other model is surely worse."""
        return self.ranks == (1, 1)

    @property
    def missing(self) -> float:
        """The share of samples that were not scored, of those the run has come to."""
        return 1 - self.scored / self.planned if self.planned else 0.0

    @property
    def figure(self) -> Figure:
        ends = (math.nan if end is None else end for end in (self.low, self.high))
        return Figure(math.nan if self.value is None else self.value, *ends)


@dataclass(frozen=True)
class Column:
    """An eval, or a group of one: ``eval`` is its full name, ``n`` the number of samples that most of
    its cells have, None where there is no such number."""

    name: str
    eval: str
    metric: str
    n: int | None
    lower_is_better: bool = False


@dataclass(frozen=True)
class Row:
    """A model: a cell per column, None where it has no run; the mean where it has a comparable run of every column."""

    model: str
    cells: tuple[Cell | None, ...]
    mean: Cell | None = None
    notes: tuple[int, ...] = ()

    @property
    def counted(self) -> int:
        """On how many columns it may be compared."""
        return sum(cell is not None and cell.ranked for cell in self.cells)

    @property
    def overall(self) -> Cell | None:
        """What its rank comes from: the mean, or its only cell."""
        return self.cells[0] if len(self.cells) == 1 else self.mean


@dataclass(frozen=True)
class Board:
    """The whole table. ``means`` says whether a mean over the columns makes sense, ``remarks`` what else is to be known."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    means: bool
    by: str | None = None

    @property
    def models_ranked(self) -> int:
        return sum(row.overall is not None and row.overall.ranked for row in self.rows)
