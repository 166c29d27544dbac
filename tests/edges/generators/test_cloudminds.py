"""The set ``eval-cloudminds`` from one end to the other: its seventeen data sets made from small archives in the publishers'
own forms, run by real processes against a real server with a scripted model and judge, killed, resumed, and with parts missing.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import test_clue
import test_commonsense
import test_reading
import test_sentences_zh
import test_summaries
import test_superglue
from support import cli, logs
from support.generators import read_rows
from support.publisher import Publisher

from aigc_evals.evalset import evals_of
from aigc_evals.registry import BUILT_IN, Registry
from aigc_evals.testing import Fault, LoopbackServer

NAMES = [
    *("lcqmc", "StoryCloze", "WinoGrande", "COPA", "WiC", "WSC", "ReCoRD", "CNNDailyMail", "tnews", "iflytek"),
    *("waimai_10k", "CoQA", "DROP", "SQuAD", "RACE", "cmrc", "csl"),
]
SET = ["mock-model", "eval-cloudminds", "--judge", "mock-judge", "--concurrency", 4, "--record_path", "logs"]

SCRIPT = '''
import json, re
from pathlib import Path

BOOK = json.loads(Path(__file__).with_name("book.json").read_text(encoding="utf-8"))

def answer(body):
    """The model answers from the book; the judge compares what stands in the sections of its prompt."""
    text = body["messages"][-1]["content"]
    if body["model"] != "mock-judge":
        return BOOK[json.dumps(body["messages"], ensure_ascii=False)]
    right = re.search("<(submission|待评答案)>\\\\n(.*?)\\\\n</", text, re.S)[2] != "zzz"
    return "Compared. 比较过了。\\n" + ("C" if right else "D")
'''


def archives() -> dict[str, bytes]:
    """What the publishers serve, by address: the raw files of all sets but StoryCloze."""
    glue = {
        "COPA": [test_superglue.copa(i) for i in range(5)],
        "WiC": [test_superglue.wic(i, i < 3) for i in range(5)],
        "WSC": test_superglue.ODDITIES,
        "ReCoRD": [test_superglue.record(i) for i in range(3)],
    }
    made = [
        test_superglue.archive(name, rows, label="qas" if name == "ReCoRD" else "label") for name, rows in glue.items()
    ]
    made += [files() for files in test_reading.SETS.values()]
    made += [files() for name, files in test_clue.SETS.items() if name in NAMES]
    made += [files() for name, files in test_sentences_zh.SETS.items() if name in NAMES]
    made += [test_commonsense.winogrande(), test_summaries.served()]
    return {address: content for files in made for address, content in files.items()}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the data of all seventeen, made as a user makes it."""
    folder = tmp_path_factory.mktemp("cloudminds")
    publisher = Publisher()
    try:
        for address, content in archives().items():
            publisher.serve(address, content)
        env = cli.environment(
            folder, AIGC_EVALS_MIRROR=publisher.url, https_proxy="http://127.0.0.1:9", no_proxy="127.0.0.1"
        )
        command = ["generate", "--set", "eval-cloudminds", "--folder", folder / "work"]
        first = cli.run(*command, env=env, program="aigc_evals")
        # The files of StoryCloze come by mail; everything else is there nevertheless.
        assert first.code == 2
        assert "16 of 17 made for the 17 evals of eval-cloudminds" in first.err
        assert "not made:\n  aigc_evals generate StoryCloze" in first.err
        assert "StoryCloze --source FOLDER" in first.err
        file = folder / "cloze_test_ALL_val spring2016.csv"
        file.write_bytes(test_commonsense.stories(5))
        one = ["generate", "StoryCloze", "--source", file, "--out", folder / ".aigc_evals", "--folder", folder / "work"]
        assert cli.run(*one, env=env, program="aigc_evals").code == 0
        again = cli.run(*command, env=env, program="aigc_evals")
        assert (again.code, again.out) == (0, "")
        assert "nothing was missing" in again.err
        assert "Run them with: exec_aigc_evalset COMPLETION_FN eval-cloudminds" in again.err
    finally:
        publisher.close()
    return folder


class Place:
    """A home with the data, a server that plays the model and the judge, and how many rows each eval has."""

    def __init__(self, prepared: Path, home: Path, server: LoopbackServer) -> None:
        shutil.copytree(prepared / ".aigc_evals", home / ".aigc_evals")
        self.home = home
        self.server = server
        self.rows = {name: len(read_rows(home / f".aigc_evals/data/{name}/{name}.jsonl")) for name in NAMES}
        self.env = cli.environment(home, server.base_url)
        self.requests = 2 * sum(self.rows.values())

    def run(self, *words: object) -> cli.Finished:
        return cli.run(*SET, *words, env=self.env, program=cli.SET)

    def log(self, name: str) -> Path | None:
        return next((self.home / "logs").glob(f"*{name}.fact1.v0*.jsonl"), None)

    def paths(self) -> dict[str, Path]:
        return {name: path for name in NAMES if (path := self.log(name))}

    def reports(self) -> dict[str, Any]:
        found = {name: logs.final_report(path) for name, path in self.paths().items()}
        return {name: logs.lasting(report) for name, report in found.items() if report}


def answers(prepared: Path) -> Mapping[str, str]:
    """What the model says to every prompt: the first ideal, but nonsense to every third row of a set."""
    book = {}
    for name in NAMES:
        for number, row in enumerate(read_rows(prepared / f".aigc_evals/data/{name}/{name}.jsonl")):
            ideal = row["ideal"][0] if isinstance(row["ideal"], list) else row["ideal"]
            book[json.dumps(row["input"], ensure_ascii=False)] = "zzz" if number % 3 == 2 else ideal
    return book


@pytest.fixture(scope="module")
def served(prepared: Path) -> Iterator[LoopbackServer]:
    (prepared / "script.py").write_text(SCRIPT, encoding="utf-8")
    (prepared / "book.json").write_text(json.dumps(answers(prepared), ensure_ascii=False), encoding="utf-8")
    with LoopbackServer(script=f"{prepared / 'script.py'}:answer", models=("mock-model", "mock-judge")) as server:
        yield server


@pytest.fixture
def place(prepared: Path, served: LoopbackServer, home: Path) -> Place:
    served.reset(settings=True)
    return Place(prepared, home, served)


def lines_of(table: str) -> dict[str, str]:
    """Set -> its line in the table that ends a run of the set."""
    *_, last = table.split("eval  ", 1)
    return {name: line for line in last.splitlines() for name in NAMES if line.startswith(f"{name}.fact1.v0 ")}


def test_the_set_holds_seventeen_evals_in_their_order() -> None:
    registry = Registry([BUILT_IN])
    assert registry.eval_set("eval-cloudminds").evals == [f"{name}_fact" for name in NAMES]
    assert {spec.key for spec in evals_of(registry, "eval-cloudminds")} == {f"{name}.fact1.v0" for name in NAMES}


def test_the_whole_set_is_run_and_ends_with_a_table(place: Place) -> None:
    ended = place.run()
    assert ended.code == 0, ended.err
    assert place.server.stats()["requests"] == place.server.stats()["distinct"] == place.requests
    assert set(lines_of(ended.out)) == set(NAMES)
    for name, line in lines_of(ended.out).items():
        n = place.rows[name]
        report = place.reports()[name]
        right = n - n // 3
        assert report["counts/C"] == right, name
        assert report.get("counts/D", 0) == n // 3
        assert report["metrics"]["score"]["value"] == pytest.approx(right / n)
        assert re.match(rf"{name}\.fact1\.v0 +score +\S+ .* {n}\s*$", line), line


def test_a_killed_set_goes_on_where_it_was(place: Place) -> None:
    assert place.run().code == 0
    calm = place.reports()
    shutil.rmtree(place.home / "logs")

    place.server.reset()
    # Half of the questions of one set get no answer, so that it is surely killed in the middle.
    place.server.configure(faults=[Fault("hang", when_contains="《战国1》")])
    process = cli.start(*SET, env=place.env, program=cli.SET)
    until = time.monotonic() + 60
    while not (path := place.log("cmrc")) or logs.finished_samples(path) < 3:
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    place.server.configure(faults=[])

    finished = place.reports()
    assert 0 < len(finished) < len(NAMES)
    before = {name: place.paths()[name].read_bytes() for name in finished}
    kept = {name: logs.finished_samples(path) for name, path in place.paths().items()}
    assert (kept["cmrc"], place.rows["cmrc"]) == (3, 6)
    place.server.reset()
    ended = place.run()
    assert ended.code == 0, ended.err
    assert place.server.stats()["requests"] == place.requests - 2 * sum(kept.values())
    assert {name: place.paths()[name].read_bytes() for name in finished} == before
    assert f"{len(finished)} evals were finished before" in ended.err
    assert place.reports() == calm
    assert set(lines_of(ended.out)) == set(NAMES)

    place.server.reset()
    assert place.run().code == 0
    assert place.server.stats()["requests"] == 0, "finished evals are only read"


def test_data_that_is_missing_is_told_before_anything_is_asked(place: Place) -> None:
    for name in ("tnews", "csl"):
        (place.home / f".aigc_evals/data/{name}/{name}.jsonl").unlink()
    ended = place.run()
    assert ended.code == 2
    assert place.server.stats()["requests"] == 0
    for name in ("tnews", "csl"):
        assert f"\n  {name}.fact1.v0: aigc_evals generate {name} --split validation" in ended.message
    assert "lcqmc" not in ended.message
    assert "Make it all: aigc_evals generate --set eval-cloudminds\n" in ended.message
    assert not (place.home / "logs").exists()


def test_what_fails_is_named_and_the_others_are_run(place: Place) -> None:
    (place.home / ".aigc_evals/data/tnews/tnews.jsonl").unlink()
    place.server.configure(faults=[Fault("context_length", when_contains="这些关键词是否全部是")])
    ended = place.run("--no-exit-on-error")
    assert ended.code == 2
    assert ended.err.index("error: tnews.fact1.v0: ") < ended.err.index("[1/17]"), "told before the others are run"
    assert "failed: 1 of 17 evals\n  csl.fact1.v0: no sample was scored: 4 error" in ended.err
    assert "no data, which a command makes: 1 of 17 evals\n  tnews.fact1.v0: aigc_evals generate tnews" in ended.err
    assert ended.err.count("aigc_evals generate tnews --split validation") == 1
    assert "  Make it all: aigc_evals generate --set eval-cloudminds\n" in ended.err
    assert "[tnews" not in ended.err
    shown = lines_of(ended.out)
    assert shown.pop("tnews").endswith("no data")
    assert shown.pop("csl").endswith("failed")
    assert set(place.reports()) >= set(shown)
    assert len(shown) == 15
    for name, line in shown.items():
        assert re.match(rf"{name}\.fact1\.v0 +score +\S+ .* {place.rows[name]}\s*$", line), line
