"""Whether a log's final report fits its events: what was changed is named, and whatever a run may be, nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.registries import registry

from aigc_evals import TextResult, run
from aigc_evals.errors import EndpointError
from aigc_evals.tools.report import report_of

OPTIONS = "第{i}题？\nA. 甲\nB. 乙\nC. 丙"
CLASSES: dict[str, tuple[str, dict[str, Any]]] = {
    "match": ("basic.match:Match", {"ideal": "A"}),
    "includes": ("basic.includes:Includes", {"ideal": "A"}),
    "fuzzy": ("basic.fuzzy_match:FuzzyMatch", {"ideal": ["A", "答案 7"]}),
    "json_match": ("basic.json_match:JsonMatch", {"ideal": '{"a": 1}'}),
    "json": ("basic.json_validator:JsonValidator", {"ideal": "A"}),
    "choice": ("choice_match:ChoiceMatch", {"ideal": "A"}),
    "number": ("final_number:FinalNumber", {"ideal": "7"}),
    "extraction": ("extraction:JsonExtraction", {"ideal": {"a": 1, "b": [1, 2]}}),
    "constraints": ("constraints:Constraints", {"rules": [{"rule": "contains", "text": "A"}, {"rule": "words", "max": 1}]}),
    "marked": ("marked_answer:MarkedAnswer", {"ideal": "【A】"}),
    "graded": ("modelgraded.classify:ModelBasedClassify", {"ideal": "A"}),
    "own": ("Own", {"ideal": "A"}),
}  # fmt: skip
OWN = """
import aigc_evals
from aigc_evals.record import record_match

class Own(aigc_evals.Eval):
    async def aeval_sample(self, sample, rng):
        record_match(await self.ask(sample["input"]) == "A", expected="A")

    def run(self, recorder):
        samples = self.get_samples()
        self.max_samples = 5
        for _ in range(2):
            self.eval_all_samples(recorder, samples)
        return {"accuracy": 0.125, "passes": 2}
"""
ANSWERS = [
    "A",
    "B。",
    '{"a": 1}',
    "答案 7",
    "【A】",
    "",
    "ERROR",
    "CUT",
    '{"a": 1, "b": [2]',
    "Answer: 7",
    '```{"a": 2}```',
]


def answer(prompt: Any, **_kwargs: Any) -> TextResult:
    """Something else for each sample: right, wrong, empty, cut, failed."""
    if "grade" in str(prompt):
        return TextResult("Y" if "7" in str(prompt) else "N")
    number = int("".join(c for c in str(prompt) if c.isdecimal())[:2])
    said = ANSWERS[number % len(ANSWERS)]
    if said == "ERROR":
        raise EndpointError("坏请求", kind="bad_request", status=400)
    return TextResult(said, finish_reason="length" if said == "CUT" else None, usage={"total_tokens": 7})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_eval_of_test_report_fits.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    lines, data = [], {}
    for name, (cls, row) in CLASSES.items():
        place = "own_eval_of_test_report_fits:Own" if name == "own" else f"aigc_evals.elsuite.{cls}"
        more = ", modelgraded_spec: kind, eval_type: classify" if name == "graded" else ""
        lines.append(f"{name}.dev.v0: {{class: '{place}', args: {{samples_jsonl: {name}.jsonl{more}}}}}")
        data[f"{name}.jsonl"] = [{"input": OPTIONS.format(i=f"{i:02}"), **row} for i in range(33)]
    spec = "kind: {prompt: 'grade {completion}', choice_strings: [Y, N], choice_scores: {Y: 1, N: 0}, input_outputs: {input: completion}}"
    return registry(tmp_path / "registry", {"evals/e.yaml": "\n".join(lines), "modelgraded/k.yaml": spec}, data)


def made(folder: Path, name: str = "match", fn: Any = answer, **config: Any) -> Path:
    path = folder / "log.jsonl"
    run(fn, f"{name}.dev.v0", registry_path=[folder], record_path=path, progress=False, max_invalid=1.0, **config)
    return path


def final(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_bytes().splitlines()[-1])["final_report"]
    return report


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The log with another final report."""
    *lines, last = path.read_bytes().splitlines(keepends=True)
    ended = json.loads(last)
    change(ended["final_report"])
    path.write_bytes(b"".join(lines) + json.dumps(ended).encode() + b"\n")
    return path


def without_events_of(path: Path, outcome: str) -> Path:
    """The log without the closing events of samples that ended so."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if f'"outcome":"{outcome}"'.encode() not in line))
    return path


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("repeats", [1, 3])
def test_what_a_run_wrote_fits(name: str, repeats: int, folder: Path) -> None:
    path = made(folder, name, repeats=repeats)
    found = report_of(path)
    assert found.state == "finished", found.report.get("problems")
    assert found.report == final(path)
    assert found.report["outcomes"]["error"] or name == "own"


def test_so_does_what_was_continued_cut_short_or_repeated_where_it_failed(folder: Path) -> None:
    path = made(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    assert report_of(path).state == "partial"
    assert report_of(made(folder)).state == "finished"
    assert report_of(made(folder, retry_errors=True)).state == "finished"

    def better(prompt: Any) -> str:
        return "A"

    better.__name__ = better.__qualname__ = answer.__name__
    found = report_of(made(folder, retry_errors=True, fn=better))
    assert found.state == "finished"
    assert found.report["outcomes"]["error"] == 0


@pytest.mark.parametrize("name", ["match", "choice", "own"])
def test_so_does_what_was_stopped(name: str, folder: Path) -> None:
    def out_of_money(prompt: Any, **_kwargs: Any) -> str:
        if "09" in str(prompt):
            raise EndpointError("no money left", kind="quota")
        return "A"

    path = made(folder, name, fn=out_of_money, concurrency=1)
    found = report_of(path)
    assert found.report == final(path)
    assert found.state == "partial" or name == "own"
    assert "final report" not in str(found.report.get("problems"))


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a metric": (lambda report: report["metrics"]["accuracy"].update(value=0.5), "accuracy 0.5 over"),
    "its n": (lambda report: report["metrics"]["accuracy"].update(n=3), "over 3"),
    "an own figure": (lambda report: report.update(accuracy=0.5), "0.5 as the eval's own accuracy"),
    "another": (lambda report: report.update(boostrap_std=0.5), "0.5 as the eval's own boostrap_std"),
    "scored": (lambda report: report["outcomes"].update(scored=26), "26 scored, its events have 24"),
    "an outcome": (lambda report: report["outcomes"].update(error=0), "0 error, its events have 3"),
    "planned": (lambda report: report.update(planned=34), "34 planned, its events are of 33"),
    "requests": (lambda report: report.update(requests=3), "3 requests, its events have 33"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_named_and_the_events_count(change: str, folder: Path) -> None:
    path = made(folder)
    before = final(path)
    how, told = CHANGES[change]
    found = report_of(changed(path, how))
    (problem,) = found.report.pop("problems")
    assert problem.startswith("the log's final report has ")
    assert told in problem
    assert found.state == "finished"
    assert found.report == before


def test_a_missing_sample_is_noticed(folder: Path) -> None:
    found = report_of(without_events_of(made(folder), "truncated"))
    assert found.state == "problems"
    assert "33 planned, its events are of 30 samples" in found.report["problems"][0]


def test_the_own_figures_of_a_users_class_are_the_users_own(folder: Path) -> None:
    found = report_of(changed(made(folder, "own"), lambda report: report.update(accuracy=0.75)))
    assert found.report["accuracy"] == 0.75
    assert found.state == "finished"
