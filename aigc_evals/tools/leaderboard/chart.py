"""A leaderboard as a picture: one panel per column, a dot and an interval per model. Needs matplotlib (extra ``plots``).

Chinese labels need a font that has the characters; one is looked for among the fonts of the machine, and where there is none,
a warning says which package brings one. Colours are of Okabe and Ito's palette, which colour-blind readers can tell apart, and
shape says the same as colour.
"""

from __future__ import annotations

import io
import math
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aigc_evals.columns import width, wrapped
from aigc_evals.errors import UsageError
from aigc_evals.tools.leaderboard.board import Board, Cell
from aigc_evals.tools.leaderboard.text import head, mean_name, rank, subtitle

FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",
    "SimHei",
    "Heiti TC",
    "STHeiti",
    "Droid Sans Fallback",
    "Arial Unicode MS",
)
"""Fonts with Chinese characters, the best first. (Noto's collections are known by the name of their first face.)"""

_FILES = ("notosanscjk", "notosanssc", "sourcehansans", "pingfang", "msyh", "wqy", "simhei", "droidsansfallback")
_LATIN = "DejaVu Sans"
_DPI = 160
_MOST_PIXELS = 20_000
_ACROSS = 4
_NAME_COLUMNS = 36
_GREY = "#6b7480"

_KINDS: Mapping[str, tuple[str, str, bool, str]] = {
    "lead": ("o", "#0072B2", True, "no model is significantly better"),
    "behind": ("s", "#7a828c", True, "a model is significantly better"),
    "other": ("D", "#D55E00", False, "unfinished or not comparable, without a rank"),
}
"""Marker, colour, whether it is filled, and what it means."""


def png(board: Board, *, font: str | Path | None = None) -> tuple[bytes, list[str]]:
    """The picture as the bytes of a PNG, and warnings, of characters no font here has. ``font`` is a file to take first.

    UsageError where matplotlib is not installed, or the font cannot be read.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
    except ImportError:
        raise UsageError(
            "a .png needs matplotlib, which is not installed",
            key="out",
            hint="Install the extra: pip install 'aigc_evals[plots]'.",
        ) from None
    families, lacking = _fonts(_texts(board), font)
    settings: Any = {"font.family": families, "font.size": 9, "text.parse_math": False, "axes.unicode_minus": False}
    with matplotlib.rc_context(settings), _quiet_about_glyphs():
        drawn = _figure(board)
        FigureCanvasAgg(drawn)
        out = io.BytesIO()
        longest = max(drawn.get_size_inches())
        drawn.savefig(out, format="png", dpi=min(_DPI, _MOST_PIXELS / longest), metadata={"Title": board.title})
    return out.getvalue(), [_lacking(lacking)] if lacking else []


@contextmanager
def _quiet_about_glyphs() -> Iterator[None]:
    """matplotlib warns of each missing character, and of fonts without a bold face; one warning of ours names what lacks."""
    import logging
    import warnings

    log = logging.getLogger("matplotlib.font_manager")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            yield
    finally:
        log.setLevel(before)


def _figure(board: Board) -> Any:
    from matplotlib.figure import Figure

    panels: list[tuple[list[str], list[Cell | None]]] = []
    if board.means:
        panels.append(([mean_name(board).capitalize()], [row.mean for row in board.rows]))
    panels += [(head(c, board), [row.cells[place] for row in board.rows]) for place, c in enumerate(board.columns)]
    names = [_label(row.model, rank(row.overall)) for row in board.rows]
    down = math.ceil(len(panels) / _ACROSS)
    across = math.ceil(len(panels) / down)
    name_width = 0.078 * max(width(line) for name in names for line in name.split("\n"))
    row = max(0.3, 0.06 + 0.19 * max(name.count("\n") + 1 for name in names))
    title = "\n".join(wrapped(board.title, int(11 * across + name_width * 8)))
    height = down * (0.85 + row * len(names)) + 1.05 + 0.25 * title.count("\n")
    figure: Any = Figure(figsize=(max(5.0, name_width + 2.7 * across), height), layout="constrained", facecolor="white")
    figure.get_layout_engine().set(h_pad=0.12, w_pad=0.06)
    axes = figure.subplots(down, across, squeeze=False)
    for number, axis in enumerate(axes.flat):
        if number >= len(panels):
            axis.set_axis_off()
            continue
        _panel(axis, *panels[number], names if number % across == 0 else None)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
    cells = [cell for _, cells in panels for cell in cells if cell is not None and cell.value is not None]
    kinds = dict.fromkeys(kind for kind in _KINDS if any(_kind(cell) == kind for cell in cells))
    handles = [_key(kind) for kind in kinds]
    under = "\n".join(wrapped(_sentence(subtitle(board)), int(14 * (name_width + 2.7 * across))))
    figure.legend(
        handles=handles, title=under, loc="outside lower left", ncols=1 if across == 1 else len(handles), frameon=False,
        fontsize=8, title_fontsize=8, alignment="left", handletextpad=0.3, columnspacing=1.2,
    )  # fmt: skip
    return figure


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _label(name: str, place: str) -> str:
    """A model's name in two lines at most, with its rank."""
    lines = list(wrapped(name, _NAME_COLUMNS))
    if len(lines) > 2:
        lines = [lines[0], lines[1] + "…"]
    told = "" if place == "-" else f"  ({'ranks' if '-' in place else 'rank'} {place.replace('-', '–')})"
    return "\n".join(lines) + told


def _panel(axis: Any, heads: Sequence[str], cells: Sequence[Cell | None], names: Sequence[str] | None) -> None:
    name, *more = heads
    axis.set_title("\n".join(wrapped(name, 30)), fontsize=9.5, fontweight="bold", loc="left")
    axis.set_xlabel(", ".join(more), fontsize=8, color=_GREY, loc="left", labelpad=2)
    axis.set_yticks(range(len(cells)), names if names is not None else [""] * len(cells))
    axis.set_ylim(len(cells) - 0.4, -0.6)
    for row, cell in enumerate(cells):
        if cell is None or cell.value is None:
            axis.text(1.03, row, "–", transform=axis.get_yaxis_transform(), va="center", color=_GREY, fontsize=8)
            continue
        marker, colour, filled, _ = _KINDS[_kind(cell)]
        if cell.low is not None and cell.high is not None:
            axis.plot([cell.low, cell.high], [row, row], color=colour, lw=2, alpha=0.65, solid_capstyle="round")
        axis.plot(cell.value, row, marker, color=colour, mfc=colour if filled else "white", ms=6.5, mew=1.4)
        shown = {"va": "center", "fontsize": 8, "color": colour if cell.best else "#333a42"}
        axis.text(1.03, row, f"{cell.value:.3f}", transform=axis.get_yaxis_transform(), **shown)
    _limits(axis, cells)
    axis.grid(axis="x", color="#dde3e9", lw=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(axis="x", labelsize=8, colors=_GREY, length=0)
    axis.tick_params(axis="y", labelsize=9, length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color("#c3ccd5")


def _limits(axis: Any, cells: Sequence[Cell | None]) -> None:
    """Around all intervals; few ticks, as panels are narrow."""
    from matplotlib.ticker import MaxNLocator

    ends = [end for cell in cells if cell is not None for end in (cell.low, cell.high, cell.value) if end is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    axis.set_xlim(low - room, high + room)
    axis.xaxis.set_major_locator(MaxNLocator(4))


def _kind(cell: Cell) -> str:
    return "other" if not cell.ranked else "lead" if cell.leads or cell.ranks is None else "behind"


def _key(kind: str) -> Any:
    from matplotlib.lines import Line2D

    marker, colour, filled, label = _KINDS[kind]
    return Line2D([], [], marker=marker, color=colour, mfc=colour if filled else "white", ms=6, lw=2, label=label)


def _texts(board: Board) -> str:
    return "".join([board.title, *(column.name for column in board.columns), *(row.model for row in board.rows)])


def _fonts(text: str, given: str | Path | None) -> tuple[list[str], str]:
    """The families to draw ``text`` with, in order, and the characters that none of them has."""
    from matplotlib import font_manager

    families = [] if given is None else [_added(given)]
    wanted = {c for c in text if not c.isspace() and unicodedata.category(c) != "Cf"}
    if given is None and not all(map(str.isascii, wanted)):
        found = _installed()
        families += [found] if found is not None else []
    # Letters and figures look the same on every machine, whatever is found for the rest.
    families = [*families, _LATIN] if given is not None else [_LATIN, *families]
    covered: set[int] = set()
    for family in families:
        path = font_manager.findfont(font_manager.FontProperties(family=family))
        covered |= font_manager.get_font(path).get_charmap().keys()
    return families, "".join(sorted(c for c in wanted if ord(c) not in covered))


def _added(path: str | Path) -> str:
    from matplotlib import font_manager

    try:
        font_manager.fontManager.addfont(str(path))
        return str(font_manager.FontProperties(fname=str(path)).get_name())
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no font that matplotlib can read"
        raise UsageError(f"the font cannot be used: {reason}", path=path, key="font") from None


def _installed() -> str | None:
    """A font of the machine with Chinese characters; one that came after matplotlib made its list is found as well."""
    from matplotlib import font_manager

    def known() -> str | None:
        names = {entry.name for entry in font_manager.fontManager.ttflist}
        return next((family for family in FAMILIES if family in names), None)

    found = known()
    if found is not None:
        return found
    for path in font_manager.findSystemFonts():
        if "".join(c for c in os.path.basename(path).lower() if c.isalnum()).startswith(_FILES):
            with suppress(OSError, RuntimeError, ValueError):
                font_manager.fontManager.addfont(path)
    return known()


def _lacking(characters: str) -> str:
    few = characters if len(characters) <= 20 else characters[:20] + "..."
    return (
        f"no font here has the characters {few}, so the picture shows boxes in their place. Install one (Debian and Ubuntu: "
        "fonts-noto-cjk or fonts-wqy-microhei; Fedora: google-noto-sans-cjk-fonts), or give one with --font FILE"
    )
