"""A leaderboard as one HTML file: readable without a network and without scripts, sortable with them, light and dark.

Nothing is loaded from anywhere; the page's own security policy says so, and names its one script by its checksum.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from typing import Any

from aigc_evals.tools.leaderboard.board import Board, Cell, Column, Row
from aigc_evals.tools.leaderboard.text import (
    figure,
    head,
    interval,
    legend,
    mean_name,
    mean_or_count,
    rank,
    remarks,
    subtitle,
)

_CHINESE = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_OTHER_CJK = re.compile("[\u3040-\u30ff\uac00-\ud7af]")

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --line: #d9dfe6; --paper: #fff; --stripe: #f6f8fa;
  --head: #eef2f6; --lead: #e3effa; --accent: #0060a8; --bar: #9fb6cb; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #9aa7b5; --line: #333d49; --paper: #14191f;
  --stripe: #191f27; --head: #212932; --lead: #17324a; --accent: #6cb6f5; --bar: #4c637a; --warn: #f0b26b; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem clamp(1rem, 4vw, 3rem); background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei",
  "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; }
p.sub { margin: .25rem 0 1.25rem; color: var(--soft); }
.scroll { overflow: auto; max-height: 88vh; border: 1px solid var(--line); border-radius: 8px; width: fit-content;
  max-width: 100%; }
.scroll:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: .5rem .85rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
  background: var(--paper); }
tbody tr:nth-child(even) > * { background: var(--stripe); }
tbody tr:last-child > * { border-bottom: 0; }
thead th { position: sticky; top: 0; z-index: 2; background: var(--head); font-weight: 600; vertical-align: bottom;
  min-width: 4.9rem; max-width: 13rem; overflow-wrap: anywhere; }
thead th small { display: block; }
th.model { position: sticky; left: 0; z-index: 1; font-weight: 600; min-width: 12rem; max-width: 18rem;
  overflow-wrap: anywhere; border-right: 1px solid var(--line); }
thead th.model { z-index: 3; }
td.rank { color: var(--soft); white-space: nowrap; }
td.figure { min-width: 8.4rem; white-space: nowrap; }
tbody tr > td.lead { background: var(--lead); }
td.mean, thead th.mean { border-right: 1px solid var(--line); }
small { font-size: .85em; font-weight: 400; color: var(--soft); }
td small { display: block; line-height: 1.35; }
td .flag { color: var(--warn); }
td strong { font-weight: 700; color: var(--accent); }
td .weak { color: var(--soft); font-style: italic; }
sup { line-height: 0; margin-left: .15em; } sup a { padding: 0 .1em; }
a { color: var(--accent); }
svg { display: block; width: 7rem; height: 9px; margin: .15rem 0 .1rem; overflow: visible; }
svg line { stroke: var(--bar); stroke-width: 3; stroke-linecap: round; }
svg circle { fill: var(--accent); } svg .hollow { fill: var(--paper); stroke: var(--accent); stroke-width: 1.5; }
th button { all: unset; cursor: pointer; display: block; width: 100%; }
th button .name::after { content: "\\2195"; opacity: .35; margin-left: .35em; font-weight: 400; }
th[aria-sort=ascending] .name::after { content: "\\2191"; opacity: 1; }
th[aria-sort=descending] .name::after { content: "\\2193"; opacity: 1; }
footer { max-width: 60rem; color: var(--soft); font-size: .93em; margin-top: 1.25rem; }
footer ol, footer ul { padding-left: 1.4rem; margin: .5rem 0; } footer li:target { color: var(--ink); font-weight: 600; }
@media (max-width: 40rem) { body { padding: 1rem; font-size: 14px; } th, td { padding: .4rem .55rem; }
  th.model { min-width: 7rem; max-width: 8.5rem; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --stripe: #fff;
  --head: #fff; --lead: #eee; --accent: #00457a; --bar: #999; --warn: #5a3000; } @page { size: landscape; margin: 12mm; }
  body { padding: 0; font-size: 10px; } .scroll { overflow: visible; max-height: none; border: 0; }
  thead th, th.model { position: static; } tr { break-inside: avoid; } th .name::after { content: none !important; }
  th, td { padding: .3rem .4rem; } td.figure { min-width: 0; } }
"""

_SCRIPT = """
(function () {
  "use strict";
  var table = document.querySelector("table"), body = table.tBodies[0];
  Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, place) {
    var button = document.createElement("button"), words = head.dataset.kind === "text";
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener("click", function () {
      var now = head.getAttribute("aria-sort"), first = head.dataset.first || "descending";
      var next = now === first ? (first === "descending" ? "ascending" : "descending") : first;
      var sign = next === "ascending" ? 1 : -1;
      var rows = Array.prototype.slice.call(body.rows);
      rows.sort(function (a, b) {
        var x = a.cells[place].dataset.value, y = b.cells[place].dataset.value;
        if (words) return sign * x.localeCompare(y);
        if (x === "" || y === "") return (x === "") - (y === "");
        return sign * (x - y);
      });
      rows.forEach(function (row) { body.appendChild(row); });
      Array.prototype.forEach.call(head.parentNode.cells, function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", next);
    });
  });
})();
"""


def page(board: Board) -> str:
    """The whole document."""
    checksum = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{checksum}'; base-uri 'none'"
    title = escape(board.title)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="generator" content="aigc_evals">',
            f"<title>{title}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            "<main>",
            f'<h1 id="title"{_language(board.title)}>{title}</h1>',
            f'<p class="sub">{escape(subtitle(board))}</p>',
            '<div class="scroll" role="region" aria-labelledby="title" tabindex="0">',
            *_table(board),
            "</div>",
            "</main>",
            *_footer(board),
            f"<script>{_SCRIPT}</script>",
            "</body>",
            "</html>",
        ]
    )


def _table(board: Board) -> list[str]:
    lines = ["<table>", f"<caption>{escape(board.title)}: {escape(subtitle(board))}</caption>", "<thead><tr>"]
    lines.append(
        '<th scope="col" class="model" data-kind="text" data-first="ascending"><span class="name">Model</span></th>'
    )
    lines.append('<th scope="col" data-first="ascending"><span class="name">Rank</span></th>')
    if board.means:
        count = f"{len(board.columns)} {'groups' if board.by else 'evals'}"
        lines.append(_head([mean_name(board).capitalize(), count], board.columns[0], "mean"))
    lines += [_head(head(column, board), column, "") for column in board.columns]
    lines += ["</tr></thead>", "<tbody>"]
    scales = [_scale([row.cells[place] for row in board.rows]) for place in range(len(board.columns))]
    mean_scale = _scale([row.mean for row in board.rows])
    for row in board.rows:
        lines.append("<tr>")
        name = escape(row.model) + _notes(row.notes)
        lines.append(
            f'<th scope="row" class="model" data-value="{escape(row.model)}"{_language(row.model)}>{name}</th>'
        )
        first = sum(row.overall.ranks) if row.overall is not None and row.overall.ranks is not None else ""
        lines.append(f'<td class="rank" data-value="{first}">{rank(row.overall).replace("-", "–")}</td>')
        if board.means:
            lines.append(_mean(row, board, mean_scale))
        columns = zip(row.cells, board.columns, scales, strict=True)
        lines += [_cell(cell, remarks(cell, column) if cell else [], scale) for cell, column, scale in columns]
        lines.append("</tr>")
    return [*lines, "</tbody>", "</table>"]


def _head(parts: Sequence[str], column: Column, kind: str) -> str:
    first = ' data-first="ascending"' if column.lower_is_better else ""
    name, *more = parts
    small = f"<small>{escape(', '.join(more))}</small>" if more else ""
    css = f' class="{kind}"' if kind else ""
    shown = f'<span class="name"{_language(name)}>{escape(name)}</span>'
    return f'<th scope="col"{css}{first} title="{escape(column.eval)}">{shown}{small}</th>'


def _mean(row: Row, board: Board, scale: tuple[float, float]) -> str:
    count = mean_or_count(row, board)
    if count is not None:
        return f'<td class="figure mean" data-value=""><small>comparable on {count}</small></td>'
    return _cell(row.mean, [], scale, " mean")


def _cell(cell: Cell | None, told: Sequence[str], scale: tuple[float, float], kind: str = "") -> str:
    if cell is None:
        return f'<td class="figure{kind}" data-value="">–</td>'
    shown = figure(cell.value) if cell.value is not None else "–"
    if cell.best:
        shown = f"<strong>{shown}</strong>"
    elif not cell.ranked:
        shown = f'<span class="weak">{shown}</span>'
    elif cell.leads:
        shown += '<span title="no model is significantly better">≈</span>'
    lead = " lead" if cell.leads else ""
    title = f' title="{escape(cell.log)}"' if cell.log else ""
    flags = "".join(
        f"<small{' class=flag' if not text.startswith('n=') else ''}>{escape(text)}</small>" for text in told
    )
    small = f"<small>{interval(cell)}</small>" if interval(cell) else ""
    return (
        f'<td class="figure{kind}{lead}" data-value="{"" if cell.value is None else repr(cell.value)}"{title}>'
        f"{shown}{_notes(cell.notes)}{_bar(cell, scale)}{small}{flags}</td>"
    )


def _bar(cell: Cell, scale: tuple[float, float]) -> str:
    """The interval as a line with a dot, on the scale of the column; figures say the same in words."""
    low, high = scale
    if cell.value is None or cell.low is None or cell.high is None or not high > low:
        return ""
    left, middle, right = (f"{100 * (x - low) / (high - low):.1f}%" for x in (cell.low, cell.value, cell.high))
    hollow = "" if cell.ranked else ' class="hollow"'
    return (
        f'<svg aria-hidden="true"><line x1="{left}" x2="{right}" y1="4.5" y2="4.5"/>'
        f'<circle{hollow} cx="{middle}" cy="4.5" r="3.5"/></svg>'
    )


def _scale(cells: Sequence[Cell | None]) -> tuple[float, float]:
    ends = [end for cell in cells if cell is not None for end in (cell.low, cell.high) if end is not None]
    return (min(ends), max(ends)) if ends else (0.0, 0.0)


def _notes(numbers: Sequence[int]) -> str:
    links = [f'<a href="#note-{number}" aria-label="note {number}">{number}</a>' for number in numbers]
    return f"<sup>{','.join(links)}</sup>" if links else ""


def _footer(board: Board) -> list[str]:
    notes = [f'<li id="note-{number}">{escape(text)}</li>' for number, text in enumerate(board.notes, 1)]
    more = [f"<li>{escape(text)}</li>" for text in (*legend(board), *board.remarks)]
    lines = ["<footer>"]
    lines += ["<ol>", *notes, "</ol>"] if notes else []
    lines += ["<ul>", *more, "</ul>"] if more else []
    return [*lines, "</footer>"]


def _language(text: Any) -> str:
    """The attribute for Chinese text, so that it is shown in Chinese forms and read aloud as Chinese."""
    chinese = _CHINESE.search(text) and not _OTHER_CJK.search(text)
    return ' lang="zh"' if chinese else ""
