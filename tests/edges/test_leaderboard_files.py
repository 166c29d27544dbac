"""Leaderboards as a user makes them: a process over real logs, and what a browser and an eye make of the files."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from support import cli
from support.cli import Finished
from support.registries import match_registry, write_jsonl

MODELS = """
import hashlib
import re


def answer(prompt, percent):
    if isinstance(prompt, list):
        prompt = prompt[-1]["content"]
    number = int(hashlib.sha256(prompt.encode()).hexdigest(), 16) % 100
    yes, no = ("是", "否") if re.search("[\\u4e00-\\u9fff]", prompt) else ("True", "False")
    return yes if number < percent else no


class 星河:
    def __call__(self, prompt, **kwargs):
        return answer(prompt, 95)


def middling(prompt, **kwargs):
    return answer(prompt, 80)


def 小模型(prompt, **kwargs):
    return answer(prompt, 20)
"""

FUNCTIONS = {"models.py:星河": "a", "models.py:middling": "b", "models.py:小模型": "c"}
EVALS = {"BoolQ_zh_match": (), "many": ("--registry_path", "registry"), "阅读": ("--registry_path", "registry_zh")}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the logs of three models on three evals, one of them bundled, in a folder."""
    home = tmp_path_factory.mktemp("leaderboard")
    (home / "models.py").write_text(MODELS, encoding="utf-8")
    match_registry(home / "registry", 90)
    match_registry(home / "registry_zh", 80, "阅读")
    rows = [{"input": f"问题 {i}：对吗？", "ideal": "是"} for i in range(80)]
    write_jsonl(home / "registry_zh" / "data" / "阅读" / "samples.jsonl", rows)
    for function, short in FUNCTIONS.items():
        for eval, more in EVALS.items():
            log = f"日志/{short}-{eval}.jsonl"
            done = cli.run(function, eval, *more, "--record_path", log, env=cli.environment(home))
            assert done.code == 0, done.err
    return home


def board(home: Path, *args: object, **environment: str) -> Finished:
    made = cli.environment(home, MPLCONFIGDIR=str(home / "mpl"), **environment)
    return cli.run("leaderboard", "日志", *args, env=made, program="aigc_evals")


def test_every_form_is_written_by_one_command(work: Path) -> None:
    pytest.importorskip("matplotlib")
    names = ("board.md", "board.csv", "board.html", "board.json", "图/board.png")
    done = board(work, "--title", "排行榜", *(word for name in names for word in ("--out", name)))
    assert done.code == 0, done.err
    assert all(f"written: {name}" in done.err for name in names)
    assert re.search(r"(?m)^1 +models\.py:星河", done.out)
    assert re.search(r"(?m)^3 +models\.py:小模型", done.out)
    assert (work / "board.md").read_text(encoding="utf-8").startswith("## 排行榜\n")
    with open(work / "board.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * (1 + 3)
    assert {row["column"] for row in rows} == {"mean", "BoolQ_zh_match", "many", "阅读"}
    told = json.loads((work / "board.json").read_text(encoding="utf-8"))
    assert [row["model"] for row in told["rows"]] == ["models.py:星河", "models.py:middling", "models.py:小模型"]
    assert [path.name for path in work.glob("*.tmp")] == []


@pytest.mark.parametrize("form", ["markdown", "csv", "html", "json"])
def test_what_is_printed_is_what_is_written(work: Path, form: str) -> None:
    suffix = {"markdown": "md"}.get(form, form)
    done = board(work, "--format", form, "--out", f"same.{suffix}")
    assert done.code == 0, done.err
    assert done.out == (work / f"same.{suffix}").read_text(encoding="utf-8")


def test_the_picture_shows_something_in_the_size_it_says(work: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import image

    assert board(work, "--out", "chart.png").code == 0
    content = (work / "chart.png").read_bytes()
    wide, high = struct.unpack(">II", content[16:24])
    assert 1200 < wide < 4000
    assert 400 < high < 4000
    pixels = image.imread(work / "chart.png")
    assert pixels.shape[:2] == (high, wide)
    ink = (pixels[:, :, :3] < 0.9).any(axis=2)
    assert 0.005 < ink.mean() < 0.3
    # Every quarter holds something: labels, intervals, values, the legend.
    for rows in (slice(0, high // 2), slice(high // 2, high)):
        for columns in (slice(0, wide // 2), slice(wide // 2, wide)):
            assert ink[rows, columns].any()


def chinese_font() -> bool:
    from matplotlib import font_manager

    from aigc_evals.tools.leaderboard.chart import FAMILIES

    return any(entry.name in FAMILIES for entry in font_manager.fontManager.ttflist)


def test_chinese_labels_are_drawn_where_there_is_a_font(work: Path) -> None:
    pytest.importorskip("matplotlib")
    if not chinese_font():
        pytest.skip("no Chinese font on this machine (Debian: fonts-wqy-microhei)")
    done = board(work, "--out", "chinese.png")
    assert done.code == 0
    assert "warning" not in done.err


def test_without_a_chinese_font_the_warning_says_what_to_install(work: Path) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import font_manager

    # A font given comes first; the machine's own are not looked through then.
    latin = font_manager.findfont("DejaVu Sans")
    done = board(work, "--out", "latin.png", "--font", latin)
    assert done.code == 0
    (warning,) = [line for line in done.err.splitlines() if line.startswith("warning:")]
    assert "型" in warning
    assert "fonts-noto-cjk" in warning
    assert "--font" in warning
    assert (work / "latin.png").stat().st_size > 10_000


def test_without_matplotlib_the_error_names_the_extra(work: Path) -> None:
    hidden = work / "hidden"
    hidden.mkdir(exist_ok=True)
    (hidden / "matplotlib.py").write_text("raise ImportError('hidden')\n", encoding="utf-8")
    done = board(work, "--out", "no.png", PYTHONPATH=str(hidden))
    assert done.code == 2
    assert "aigc_evals[plots]" in done.err
    assert "Traceback" not in done.err
    assert not (work / "no.png").exists()


def test_a_user_s_mistakes_are_told_in_a_line(work: Path) -> None:
    for args, said in (
        (("--out", "board.xlsx"), "Known endings"),
        (("--format", "xml"), "expected one of table"),
        (("--metric", "bleu"), "They have: accuracy"),
        (("--by", "category"), "no finished log has groups"),
        (("--sort", "speed"), "cannot sort"),
        (("--eval", "mann"), "many"),
    ):
        done = board(work, *args)
        assert done.code == 2
        assert said in done.message


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def browse(page: Path, profile: Path, *flags: str) -> str:
    """What Chromium says of a page, with a profile of its own and nothing of the network."""
    assert CHROMIUM is not None
    env = {**os.environ, "HOME": str(profile)}
    command = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", *flags, page.as_uri()]
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_shows_the_table_and_its_script_runs(work: Path, tmp_path: Path) -> None:
    assert board(work, "--out", "page.html").code == 0
    seen = browse(work / "page.html", tmp_path / "profile", "--dump-dom")
    body = seen[seen.index("<tbody>") : seen.index("</tbody>")]
    assert body.count("<tr>") == 3
    assert body.count('scope="row"') == 3
    assert all(name in body for name in FUNCTIONS)
    # The script has made the heads buttons, so the page's policy let it run.
    assert seen.count('<button type="button">') == 6


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_click_sorts_the_rows(work: Path, tmp_path: Path) -> None:
    assert board(work, "--out", "page.html").code == 0
    page = (work / "page.html").read_text(encoding="utf-8")
    # The policy of the page lets no other script run, so the clicking page has none.
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    # Model, rank, mean, BoolQ_zh_match, many: a second click turns the order.
    click = "<script>let many = document.querySelectorAll('th button')[4]; many.click(); many.click()</script></body>"
    (work / "clicked.html").write_text(page.replace("</body>", click), encoding="utf-8")
    seen = browse(work / "clicked.html", tmp_path / "profile", "--dump-dom")
    body = seen[seen.index("<tbody>") : seen.index("</tbody>")]
    assert re.findall(r"models\.py:[^<\"]+(?=</th>)", body) == [*reversed(FUNCTIONS)]
    assert seen.count('aria-sort="ascending"') == 1


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_drawn_light_and_dark(work: Path, tmp_path: Path, scheme: str) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import image

    assert board(work, "--out", "page.html").code == 0
    shot = tmp_path / "shot.png"
    flags = (f"--screenshot={shot}", "--window-size=1200,800")
    browse(work / "page.html", tmp_path / "profile", *flags, *(["--force-dark-mode"] if scheme == "dark" else []))
    pixels = image.imread(shot)[:, :, :3]
    corner = pixels[5, 5].mean()
    assert corner > 0.9 if scheme == "light" else corner < 0.2
    assert 0.01 < (abs(pixels - pixels[5, 5]) > 0.1).any(axis=2).mean() < 0.7
