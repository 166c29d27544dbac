"""Leaderboards: which runs stand for a model, what may be compared, what ranks and means the data support, and how it is shown."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from support.registries import registry, rows

from aigc_evals import run
from aigc_evals.columns import width
from aigc_evals.errors import UsageError
from aigc_evals.testing import FailingCompletionFn
from aigc_evals.tools.leaderboard import leaderboard
from aigc_evals.tools.leaderboard.board import Board, Cell, Column, Row
from aigc_evals.tools.leaderboard.files import rendered, write
from aigc_evals.tools.leaderboard.ranks import (
    Contrast,
    Figure,
    mean_contrast,
    mean_of,
    p_of,
    paired,
    rank_ranges,
    unpaired,
)
from aigc_evals.tools.leaderboard.runs import find_runs
from aigc_evals.tools.paired_runs import PairedRun, read_run

MATCH = "aigc_evals.elsuite.basic.match:Match"
FUZZY = "aigc_evals.elsuite.basic.fuzzy_match:FuzzyMatch"


def entry(name: str, cls: str, data: str, metrics: str = "[accuracy]") -> str:
    return f"""
    {name}:
      id: {name}.dev.v0
      metrics: {metrics}
    {name}.dev.v0:
      class: {cls}
      args:
        samples_jsonl: {data}
    """


FILES = {
    "evals/a.yaml": entry("常识", MATCH, "plain.jsonl"),
    "evals/b.yaml": entry("english", MATCH, "plain.jsonl"),
    "evals/c.yaml": entry("fuzzy", FUZZY, "plain.jsonl", "[f1_score]"),
}


class Model:
    """Right on every sample whose number is not divisible by ``wrong``; its name is what the log has."""

    def __init__(self, name: str, wrong: int) -> None:
        self.__name__ = name
        self.wrong = wrong

    def __call__(self, prompt: Any, **_kwargs: Any) -> str:
        return "False" if number(prompt) % self.wrong == 0 else "True"


def number(prompt: Any) -> int:
    return int("".join(c for c in str(prompt) if c.isdigit()))


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Makes a real log in the folder ``logs``; ``kill`` cuts so many samples and the report off its end."""
    folder = registry(tmp_path / "registry", FILES, {"plain.jsonl": rows(60)})

    def make(model: Any, eval: str, name: str, kill: int = 0, **config: Any) -> Path:
        path = tmp_path / "logs" / f"{name}.jsonl"
        run(model, eval, registry_path=[folder], record_path=path, progress=False, **config)
        if kill:
            lines = path.read_bytes().splitlines(keepends=True)
            ends = [i for i, line in enumerate(lines) if b'"type":"sample"' in line]
            path.write_bytes(b"".join(lines[: ends[-kill]]))
        return path

    return make


def texts(board: Board, cell: Cell) -> str:
    return " ".join(board.notes[note - 1] for note in cell.notes)


def cell_of(board: Board, model: str, column: int = 0) -> Cell:
    found = next(row for row in board.rows if row.model == model).cells[column]
    assert found is not None
    return found


def test_models_by_evals_with_intervals_ranks_and_mean(made: Callable[..., Path], tmp_path: Path) -> None:
    for model, wrong in (("甲模型", 30), ("乙", 2)):
        for eval in ("常识", "english"):
            made(Model(model, wrong), eval, f"{model}-{eval}")
    board = leaderboard([tmp_path / "logs"])
    assert [column.name for column in board.columns] == ["english", "常识"]
    assert [column.n for column in board.columns] == [60, 60]
    best, other = board.rows
    assert (best.model, other.model) == ("甲模型", "乙")
    cell = best.cells[0]
    assert cell is not None
    assert cell.value == pytest.approx(58 / 60)
    expected = stats.binomtest(58, 60).proportion_ci(method="wilson")
    assert (cell.low, cell.high) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert cell.best
    assert best.mean is not None
    assert other.mean is not None
    assert best.mean.value == pytest.approx(58 / 60)
    assert (best.mean.ranks, other.mean.ranks) == ((1, 1), (2, 2))
    assert best.mean.low is not None
    assert cell.low is not None
    assert cell.low < best.mean.low < 58 / 60


def test_models_that_cannot_be_told_apart_share_their_ranks(made: Callable[..., Path], tmp_path: Path) -> None:
    for model, wrong in (("a", 12), ("b", 13), ("c", 2)):
        made(Model(model, wrong), "english", model)
    board = leaderboard([tmp_path / "logs"])
    assert {row.model: row.cells[0].ranks for row in board.rows if row.cells[0]} == {
        "a": (1, 2),
        "b": (1, 2),
        "c": (3, 3),
    }
    assert not any(cell.best for row in board.rows for cell in row.cells if cell)
    shown = rendered(board)
    assert "≈" in shown
    assert re.search(r"(?m)^1-2 +b ", shown)


def test_another_number_of_samples_is_marked_and_has_no_rank(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("a", 7), "english", "a")
    made(Model("b", 7), "english", "b")
    made(Model("part", 7), "english", "part", max_samples=20)
    board = leaderboard([tmp_path / "logs"])
    cell = cell_of(board, "part")
    assert (cell.comparable, cell.ranks) == (False, None)
    assert "Not comparable" in texts(board, cell)
    assert "samples 20 instead of 60" in texts(board, cell)
    assert cell_of(board, "a").ranks == (1, 2)


def test_other_data_arguments_and_repeats_are_marked(made: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("a", "b"):
        made(Model(name, 7), "fuzzy", name)
    made(Model("repeated", 7), "fuzzy", "repeated", repeats=2)
    made(Model("argued", 7), "fuzzy", "argued", extra_eval_params={"version": 2})
    (tmp_path / "registry" / "data" / "plain.jsonl").write_text(
        "".join(json.dumps({"input": f"{i}?", "ideal": "True"}) + "\n" for i in range(60)), encoding="utf-8"
    )
    made(Model("elsewhere", 7), "fuzzy", "elsewhere")
    board = leaderboard([tmp_path / "logs"])
    assert "repeats 2 instead of 1" in texts(board, cell_of(board, "repeated"))
    assert "argument version 2 instead of none" in texts(board, cell_of(board, "argued"))
    assert "other data" in texts(board, cell_of(board, "elsewhere"))
    assert [row.model for row in board.rows if row.overall and row.overall.ranks] == ["a", "b"]


def test_another_judge_is_marked(tmp_path: Path) -> None:
    (tmp_path / "fn.py").write_text("def judge(prompt, **kwargs):\n    return '一样\\nC'\n", encoding="utf-8")
    others = {
        "baseline/lexical": "baseline/judge",
        "dummy": "baseline/judge",
        "baseline/judge": f"{tmp_path}/fn.py:judge",
    }
    for i, (model, judge) in enumerate(others.items()):
        run(f"{model},{judge}", "BoolQ_fact", record_path=tmp_path / f"logs/{i}.jsonl", max_samples=20, progress=False)
    board = leaderboard([tmp_path / "logs"], metric="choice/C")
    assert {row.model for row in board.rows} == others.keys()
    assert f"judge {tmp_path}/fn.py:judge instead of baseline/judge"[:60] in texts(
        board, cell_of(board, "baseline/judge")
    )
    assert cell_of(board, "dummy").comparable


def test_an_eval_that_only_counts_verdicts_needs_a_metric(tmp_path: Path) -> None:
    (tmp_path / "fn.py").write_text("def judge(prompt, **kwargs):\n    return 'B'\n", encoding="utf-8")
    params = {"modelgraded_spec": "possible"}
    log = tmp_path / "log.jsonl"
    fns = f"dummy,{tmp_path}/fn.py:judge"
    run(fns, "BoolQ_fact", record_path=log, max_samples=5, progress=False, extra_eval_params=params)
    with pytest.raises(UsageError, match="They have: choice/B"):
        leaderboard([log])
    assert cell_of(leaderboard([log], metric="choice/B"), "dummy").comparable


def test_what_a_run_says_of_itself_stands_below(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("poor", 7), "english", "poor", fail_under={"accuracy": 0.99})
    board = leaderboard([tmp_path / "logs"])
    assert "Does not count as good: accuracy is" in texts(board, cell_of(board, "poor"))


def test_a_limit_that_limits_nothing_is_no_difference(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("a", 7), "english", "a")
    made(Model("b", 9), "english", "b", max_samples=500)
    board = leaderboard([tmp_path / "logs"])
    assert all(cell.comparable for row in board.rows for cell in row.cells if cell)
    assert board.notes == ()


def test_another_seed_is_told_and_no_obstacle(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("a", 7), "english", "a", seed=1)
    made(Model("b", 9), "english", "b", seed=2)
    board = leaderboard([tmp_path / "logs"])
    assert all(cell.ranked for row in board.rows for cell in row.cells if cell)
    assert any("another seed" in note for note in board.notes)


def test_a_killed_run_is_shown_from_its_samples_and_not_ranked(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("a", 7), "english", "a")
    made(Model("b", 7), "english", "b")
    made(Model("killed", 7), "english", "killed", kill=30)
    board = leaderboard([tmp_path / "logs"])
    cell = cell_of(board, "killed")
    assert (cell.n, cell.finished, cell.ranks, cell.missing) == (30, False, None, 0.0)
    assert "Unfinished" in texts(board, cell)
    assert "n=30 unfinished" in rendered(board)


def test_the_newest_finished_run_stands_for_a_model(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("m", 2), "english", "first")
    second = made(Model("m", 30), "english", "second")
    made(Model("m", 30), "english", "third", kill=10)
    board = leaderboard([tmp_path / "logs"])
    cell = cell_of(board, "m")
    assert cell.log == str(second)
    assert "A newer log of this model was passed over, as it is unfinished." in texts(board, cell)


def test_a_comparable_run_goes_before_a_newer_one_of_other_conditions(
    made: Callable[..., Path], tmp_path: Path
) -> None:
    made(Model("a", 7), "english", "a")
    kept = made(Model("b", 7), "english", "b")
    made(Model("b", 7), "english", "b-quick", max_samples=5)
    board = leaderboard([tmp_path / "logs"])
    assert cell_of(board, "b").log == str(kept)
    assert "other conditions" in texts(board, cell_of(board, "b"))


def test_one_function_with_several_arguments_is_several_models(made: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "fn.py").write_text(
        "class Fn:\n"
        "    def __init__(self, mood='', registry=None):\n"
        "        self.mood = mood\n\n"
        "    def __call__(self, prompt, **kwargs):\n"
        "        return 'True' if self.mood == '好' else 'False'\n",
        encoding="utf-8",
    )
    function = f"{tmp_path / 'fn.py'}:Fn"
    for i, mood in enumerate(("好", "坏")):
        made(function, "english", f"log{i}", completion_args={"mood": mood})
    board = leaderboard([tmp_path / "logs"])
    assert [row.model for row in board.rows] == [f"{function} (mood=好)", f"{function} (mood=坏)"]


def test_failures_are_told_beside_the_figure_and_never_counted_wrong(made: Callable[..., Path], tmp_path: Path) -> None:
    def flaky(prompt: Any, **_kwargs: Any) -> str:
        return "" if number(prompt) < 15 else "True"

    made(flaky, "english", "flaky")
    board = leaderboard([tmp_path / "logs"])
    ((cell,),) = [row.cells for row in board.rows]
    assert cell is not None
    assert (cell.value, cell.n, cell.missing) == (1.0, 45, 0.25)
    for form in ("table", "markdown", "html"):
        assert "25.0 % not scored" in rendered(board, form)


def test_a_run_in_which_nothing_was_scored_has_no_figure_and_no_rank(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("a", 7), "english", "a")
    made(FailingCompletionFn(RuntimeError("broken")), "english", "broken")
    board = leaderboard([tmp_path / "logs"])
    empty = board.rows[-1].cells[0]
    assert empty is not None
    assert (empty.value, empty.ranks) == (None, None)
    assert all("100.0 % not scored" in rendered(board, form) for form in ("table", "markdown", "html"))
    assert all(rendered(board, form) for form in ("csv", "json"))


def test_models_without_all_evals_have_no_mean(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("all", 7), "english", "1")
    made(Model("all", 7), "常识", "2")
    made(Model("half", 30), "常识", "3")
    board = leaderboard([tmp_path / "logs"])
    assert [row.model for row in board.rows] == ["all", "half"]
    assert board.rows[1].mean is None
    assert "1 of 2" in rendered(board)


def test_means_are_over_shares_or_one_metric_only(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("m", 7), "english", "1")
    made(Model("m", 7), "fuzzy", "2")
    board = leaderboard([tmp_path / "logs"])
    assert [column.metric for column in board.columns] == ["accuracy", "f1_score"]
    assert board.means
    assert any("different metrics" in remark for remark in board.remarks)
    assert not leaderboard([tmp_path / "logs"], lower_is_better=["f1_score"]).means


def test_less_can_be_better(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("low", 2), "english", "1")
    made(Model("high", 30), "english", "2")
    board = leaderboard([tmp_path / "logs"], lower_is_better=["accuracy"])
    assert [row.model for row in board.rows] == ["low", "high"]
    assert cell_of(board, "low").best


def test_rows_are_sorted_as_asked(made: Callable[..., Path], tmp_path: Path) -> None:
    for name, wrong, other in (("b", 2, 30), ("a", 30, 2), ("c", 4, 4)):
        made(Model(name, wrong), "english", f"{name}1")
        made(Model(name, other), "常识", f"{name}2")

    def order(sort: str) -> list[str]:
        return [row.model for row in leaderboard([tmp_path / "logs"], sort=sort).rows]

    assert order("name") == ["a", "b", "c"]
    assert order("english") == ["a", "c", "b"]
    assert order("常识") == ["b", "c", "a"]
    with pytest.raises(UsageError, match="cannot sort"):
        order("englisch")


def test_evals_are_chosen_and_ordered(made: Callable[..., Path], tmp_path: Path) -> None:
    for eval in ("english", "常识", "fuzzy"):
        made(Model("m", 7), eval, eval)
    board = leaderboard([tmp_path / "logs"], evals=["常识", "english.dev.v0"])
    assert [column.name for column in board.columns] == ["常识", "english"]
    with pytest.raises(UsageError, match="no log is of the eval"):
        leaderboard([tmp_path / "logs"], evals=["englisch"])


def test_an_unknown_metric_is_refused_with_those_there_are(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model("m", 7), "fuzzy", "m")
    with pytest.raises(UsageError, match="They have: accuracy, f1_score"):
        leaderboard([tmp_path / "logs"], metric="bleu")
    assert leaderboard([tmp_path / "logs"], metric="accuracy").columns[0].metric == "accuracy"


def test_files_that_are_no_logs_are_passed_over_in_folders_and_refused_by_name(
    made: Callable[..., Path], tmp_path: Path
) -> None:
    log = made(Model("m", 7), "english", "m")
    deep = log.parent / "更深" / "一层"
    deep.mkdir(parents=True)
    (deep / "data.jsonl").write_text('{"input": "x"}\n', encoding="utf-8")
    (deep / "empty.jsonl").write_bytes(b"")
    (deep / "copy.jsonl").write_bytes(log.read_bytes())
    board = leaderboard([log.parent, log])
    assert len(board.rows) == 1
    assert board.notes == ()
    assert any("no log" in remark for remark in board.remarks)
    assert any("empty.jsonl was left out" in remark for remark in board.remarks)
    with pytest.raises(UsageError, match="not a log"):
        leaderboard([deep / "data.jsonl"])
    with pytest.raises(UsageError, match="no such"):
        leaderboard([tmp_path / "nowhere"])
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match="no log with anything in it"):
        find_runs([tmp_path / "nothing"])


def test_csv_and_json_have_every_figure(made: Callable[..., Path], tmp_path: Path) -> None:
    made(Model('甲, "乙"', 7), "english", "1")
    made(Model('甲, "乙"', 7), "常识", "2")
    board = leaderboard([tmp_path / "logs"])
    read = list(csv.DictReader(io.StringIO(rendered(board, "csv"))))
    assert [row["column"] for row in read] == ["mean", "english", "常识"]
    assert {row["model"] for row in read} == {'甲, "乙"'}
    told = json.loads(rendered(board, "json"))
    assert float(read[1]["value"]) == told["rows"][0]["cells"][0]["value"] == board.rows[0].cells[0].value  # type: ignore[union-attr]


def board_of(*models: str, columns: int = 1) -> Board:
    """A board with any names, as no run would make them."""
    made = tuple(Row(name, (Cell(0.5, 0.4, 0.6, 0.05, 100, 100, 100, log="x.jsonl"),) * columns) for name in models)
    heads = tuple(Column(f"评测 {i}", f"评测{i}.dev.v0", "accuracy", 100) for i in range(columns))
    return Board("题目", heads, made, (), (), False)


def test_the_terminal_table_is_aligned_with_chinese_names() -> None:
    lines = rendered(board_of("甲模型", "model-b")).splitlines()[3:6]
    assert len({width(line[: line.index(mark)]) for line, mark in zip(lines, ("评测", "0.5", "0.5"), strict=True)}) == 1


class Page(HTMLParser):
    """The cells and the loaded addresses of a page; open elements must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.addresses: list[str] = []
        self.counts: dict[str, int] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@given(st.text(min_size=1).filter(str.strip))
@settings(max_examples=60, deadline=None)
def test_any_name_is_text_and_nothing_else_in_a_page(name: str) -> None:
    page = Page(rendered(board_of(name, "other", columns=2), "html"))
    assert page.open == []
    assert page.counts["script"] == 1
    assert page.counts["td"] == 6
    assert all(address.startswith("#") for address in page.addresses)


def test_a_hostile_name_is_shown_as_it_is() -> None:
    name = "<script>alert(1)</script>\"'&|*"
    page = Page(rendered(board_of(name), "html"))
    assert page.counts["script"] == 1
    assert name in "".join(page.text)
    assert len(rendered(board_of("a|b\nc"), "markdown").splitlines()) == len(
        rendered(board_of("abc"), "markdown").splitlines()
    )


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@cf/meta/llama", "\t=1"])
def test_a_name_is_no_formula_for_a_spreadsheet(name: str) -> None:
    board = replace(board_of(name), rows=(replace(board_of(name).rows[0], cells=(Cell(-0.5, -1, 0, 0.1, 9),)),))
    [read] = csv.DictReader(io.StringIO(rendered(board, "csv")))
    assert read["model"] == f"'{name}"
    assert read["value"] == "-0.5", "figures stay figures"


def test_a_csv_for_excel_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    write(board_of("甲"), tmp_path / "plain.csv")
    write(board_of("甲"), tmp_path / "excel.csv", bom=True)
    assert (tmp_path / "plain.csv").read_bytes().startswith(b"model,")
    assert (tmp_path / "excel.csv").read_bytes() == b"\xef\xbb\xbf" + (tmp_path / "plain.csv").read_bytes()
    write(board_of("甲"), tmp_path / "page.html", bom=True)
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!DOCTYPE")


def test_names_cannot_steer_a_terminal() -> None:
    plain, hostile = rendered(board_of("ab")), rendered(board_of("a\x1b[2J\nb"))
    assert "\x1b" not in hostile
    assert "a\\x1b[2J\\x0ab" in hostile
    assert len(plain.splitlines()) == len(hostile.splitlines())


def test_an_unknown_ending_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ending"):
        write(board_of("m"), tmp_path / "board.xlsx")


def test_a_font_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "font.ttf").write_bytes(b"no font")
    with pytest.raises(UsageError, match="font cannot be used"):
        write(board_of("m"), tmp_path / "board.png", font=tmp_path / "font.ttf")


def test_characters_that_no_font_has_are_named_in_one_warning(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (warning,) = write(board_of("model \U0001f9ff\U000131fa"), tmp_path / "board.png")
    assert "\U000131fa" in warning
    assert "fonts-noto-cjk" in warning
    assert write(board_of("plain $x_1$", columns=1), tmp_path / "plain.png") == [] or "评" in warning


def test_many_pairs_of_models_are_tested_by_t_where_random_flips_would_be_too_few(
    made: Callable[..., Path], tmp_path: Path
) -> None:
    def shaky(prompt: Any, **_kwargs: Any) -> str:
        return ("True", "True story", "False", "True enough for me")[number(prompt) % 4]

    paths = [made(model, "fuzzy", str(i)) for i, model in enumerate((Model("m", 7), shaky))]
    a, b = map(read_run, paths)
    few, many = paired(a, b, "f1_score", 1), paired(a, b, "f1_score", 100_000)
    assert few is not None
    assert many is not None
    assert few.difference == many.difference
    assert many.p == pytest.approx(stats.ttest_rel(b.columns["f1_score"], _aligned(a, b)).pvalue, rel=1e-6)
    assert few.p == pytest.approx(many.p, rel=0.5, abs=2e-4)


def _aligned(a: PairedRun, b: PairedRun) -> list[float]:
    return [a.columns["f1_score"][a.rows[name]] for name in b.rows]


def figure(value: float, half: float) -> Figure:
    return Figure(value, value - half, value + half)


def test_a_mean_of_equal_figures_is_as_narrow_as_independence_makes_it() -> None:
    mean = mean_of([figure(0.4, 0.1), figure(0.6, 0.1), figure(0.5, 0.1), figure(0.5, 0.1)])
    assert (mean.value, mean.low, mean.high) == pytest.approx((0.5, 0.45, 0.55))


def test_the_interval_of_a_mean_holds_the_truth_as_often_as_promised() -> None:
    from aigc_evals.statistics import wilson_interval

    draw, boards, held, truth = random.Random(1), 1000, 0, (0.9, 0.95, 0.5)
    for _ in range(boards):
        shares = [sum(draw.random() < p for _ in range(60)) / 60 for p in truth]
        mean = mean_of([Figure(share, *wilson_interval(share, 60)) for share in shares])
        held += mean.low <= sum(truth) / 3 <= mean.high
    assert stats.binom.ppf(0.0005, boards, 0.95) <= held <= stats.binom.ppf(0.9995, boards, 0.95)


def test_an_interval_that_just_excludes_zero_is_just_significant() -> None:
    assert p_of(Figure(0.1, 1e-9, 0.2)) == pytest.approx(0.05, abs=1e-4)
    assert p_of(Figure(-0.1, -0.2, -1e-9)) == pytest.approx(0.05, abs=1e-4)
    assert p_of(Figure(0.0, -0.1, 0.1)) == 1.0
    assert math.isnan(p_of(Figure(0.1, math.nan, math.nan)))


def test_newcombe_s_example_of_independent_shares() -> None:
    """Newcombe 1998, table II: 56/70 and 48/80, method 10: 0.0524 to 0.3339."""
    from aigc_evals.statistics import wilson_interval

    a, b = Figure(48 / 80, *wilson_interval(48 / 80, 80)), Figure(56 / 70, *wilson_interval(56 / 70, 70))
    found = unpaired(a, b).difference
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def contrast(value: float, p: float) -> Contrast:
    return Contrast(Figure(value, math.nan, math.nan), p)


def test_ranks_are_as_wide_as_the_tests_leave_them() -> None:
    # 0 is surely better than 2; nothing else is known.
    known = [(0, 1, contrast(-0.1, 0.4)), (0, 2, contrast(-0.3, 0.001)), (1, 2, contrast(-0.2, 0.1))]
    assert rank_ranges(3, known) == [(1, 2), (1, 3), (2, 3)]
    assert rank_ranges(3, known, lower_is_better=True) == [(2, 3), (1, 3), (1, 2)]
    assert rank_ranges(2, [(0, 1, contrast(0.1, math.nan))]) == [(1, 2), (1, 2)]


def test_holm_s_correction_is_over_all_pairs() -> None:
    known = [(i, j, contrast(0.1, 0.02)) for i in range(4) for j in range(i + 1, 4)]
    assert rank_ranges(4, known) == [(1, 4)] * 4


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1)), min_size=10, max_size=10))
def test_rank_ranges_are_never_empty_and_never_outside(parts: list[tuple[float, float]]) -> None:
    pairs = [(i, j) for i in range(5) for j in range(i + 1, 5)]
    for first, last in rank_ranges(5, [(i, j, contrast(d, p)) for (i, j), (d, p) in zip(pairs, parts, strict=True)]):
        assert 1 <= first <= last <= 5


def test_ranges_of_ranks_hold_the_true_ranks_as_often_as_promised(tmp_path: Path) -> None:
    """Three models of the same quality on two evals: a rank range that leaves out a place is wrong, in 5 % of boards at most
    (here of means, whose test is an approximation)."""
    from aigc_evals.statistics.paired import paired_difference

    draw = random.Random(20220722)
    boards, wrong = 300, 0
    for _ in range(boards):
        scores = [[[float(draw.random() < 0.8) for _ in range(60)] for _ in range(2)] for _ in range(3)]
        known = []
        for i, j in ((0, 1), (0, 2), (1, 2)):
            found = [paired_difference(scores[i][e], scores[j][e]) for e in range(2)]
            parts = [Contrast(Figure(d.difference, d.low, d.high), d.p) for d in found]
            known.append((i, j, mean_contrast(parts)))
        wrong += rank_ranges(3, known) != [(1, 3)] * 3
    assert wrong <= stats.binom.ppf(0.999, boards, 0.05)


@pytest.fixture
def grouped(tmp_path: Path) -> Path:
    """Logs of three models on a choice set with subjects and categories, and of one on an eval without."""
    kinds = [("理工", "物理"), ("理工", "化学"), ("人文", "历史")]
    data = [
        {
            "input": f"第 {i} 题，选哪项？A. 对 B. 错",
            "ideal": "A",
            "choices": 2,
            "metadata": {"category": kinds[i % 3][0], "subject": kinds[i % 3][1]},
        }
        for i in range(90)
    ]
    files = {
        "evals/g.yaml": entry("选择题", "aigc_evals.elsuite.choice_match:ChoiceMatch", "g.jsonl"),
        "evals/p.yaml": entry("plain", MATCH, "plain.jsonl"),
    }
    folder = registry(tmp_path / "registry", files, {"g.jsonl": data, "plain.jsonl": rows(30)})

    def student(name: str, wrong: int) -> Any:
        def answer(prompt: Any, **_kwargs: Any) -> str:
            i = number(prompt)
            return "我不知道。" if i == 3 else "答案是 B" if i % wrong == 0 else "答案是 A"

        answer.__name__ = answer.__qualname__ = name
        return answer

    where = {"registry_path": [folder], "progress": False}
    for model, wrong in (("甲", 30), ("乙", 25), ("丙", 2)):
        run(student(model, wrong), "选择题", record_path=tmp_path / f"logs/{model}.jsonl", **where)
    run(Model("甲", 3), "plain", record_path=tmp_path / "logs/plain.jsonl", **where)
    return tmp_path / "logs"


def test_groups_of_one_eval_are_columns(grouped: Path) -> None:
    board = leaderboard([grouped], by="category")
    assert [column.name for column in board.columns] == ["人文", "理工"]
    assert [column.n for column in board.columns] == [30, 59]
    assert {row.model for row in board.rows[:2]} == {"甲", "乙"}
    assert board.rows[2].mean is not None
    assert board.rows[2].mean.ranks == (3, 3)
    for row in board.rows:
        final = json.loads(Path(str(row.cells[0] and row.cells[0].log)).read_bytes().splitlines()[-1])["final_report"]
        told = final["groups"]["category"]
        for cell, label in zip(row.cells, ("人文", "理工"), strict=True):
            assert cell is not None
            assert (cell.n, cell.value) == (told[label]["n"], pytest.approx(told[label]["accuracy"]))
            assert cell.stderr == pytest.approx(told[label]["stderr"])
            expected = stats.binomtest(round(cell.value * cell.n), cell.n).proportion_ci(method="wilson")
            assert (cell.low, cell.high) == pytest.approx((expected.low, expected.high), abs=1e-4)
        assert row.mean is not None
        assert row.mean.value == pytest.approx(final["macro/category"])
    # Question 3 was not answered, which is no wrong answer of its group.
    assert [cell.missing for cell in board.rows[0].cells if cell] == pytest.approx([0, 1 / 60])


def test_groups_are_chosen_by_kind_and_refused_where_there_are_none(grouped: Path) -> None:
    assert [column.name for column in leaderboard([grouped], by="subject").columns] == ["化学", "历史", "物理"]
    with pytest.raises(UsageError, match="Logs have groups by: category, subject"):
        leaderboard([grouped], by="level")
    with pytest.raises(UsageError, match="no sample has the metric bleu"):
        leaderboard([grouped], by="category", metric="bleu")
    shown = rendered(leaderboard([grouped], by="subject"))
    assert shown.startswith("选择题.dev.v0 by subject")
    assert "mean of groups" in shown


def test_groups_of_a_killed_run_are_shown_without_a_rank(grouped: Path) -> None:
    log = grouped / "甲.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[: len(lines) // 2]))
    board = leaderboard([grouped], by="category")
    row = next(row for row in board.rows if row.model == "甲")
    assert [cell.ranked for cell in row.cells if cell] == [False, False]
    assert row.mean is None
    assert "Unfinished" in board.notes[row.notes[0] - 1]
