"""ROUGE and BLEU of summaries and translations: values computed by hand, and those of the libraries."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from support.registries import write_jsonl

from aigc_evals.base import RunSpec
from aigc_evals.elsuite.overlap import METRICS, CharacterTokenizer, Overlap, language_of
from aigc_evals.errors import UsageError
from aigc_evals.record import Recorder
from aigc_evals.report import build, render

ENGLISH = [
    ("the cat sat on the mat", "the cat was on the mat"),
    ("A quick brown fox jumps over the lazy dog.", "The quick brown fox jumped over the lazy dog."),
    ("nothing alike", "wholly different words here"),
]
CHINESE = [("今天天气很好，我们去公园。", "今天天气真好，我们去公园玩。"), ("猫坐在垫子上", "猫在垫子上")]


def run(folder: Path, pairs: list[tuple[str, Any]], **kwargs: Any) -> dict[str, Any]:
    path = write_jsonl(folder / "rows.jsonl", [{"input": said, "ideal": ideal} for said, ideal in pairs])
    recorder = Recorder(RunSpec(["echo"], "a.b", "a", "b", {}, ""))
    made = Overlap([lambda prompt, **_: prompt], samples_jsonl=str(path), name="a.b", **kwargs)
    return build(made.run(recorder), recorder, metric_ranges=made.metric_ranges)


def values(said: str, ideal: Any, **kwargs: Any) -> dict[str, float]:
    made = Overlap([lambda prompt, **_: said], samples_jsonl="", name="a.b", **kwargs)
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    with recorder.as_default_recorder("a.b.0"):
        made.eval_sample({"input": "q", "ideal": ideal}, random.Random(1))
    return recorder.get_metrics()[0]


def test_rouge_by_hand() -> None:
    # the, cat, on, the, mat of 6 and 6 words; "the cat", "on the", "the mat" of 5 and 5 pairs; the longest common row is 5.
    found = values(*ENGLISH[0], metrics=["rouge1", "rouge2", "rougeL"])
    assert found == {"rouge1": pytest.approx(5 / 6), "rouge2": pytest.approx(3 / 5), "rougeL": pytest.approx(5 / 6)}


def test_rouge_of_chinese_by_hand() -> None:
    # 5 of 6 characters said, 5 of 5 wanted: 2 * 5 / 11. Pairs: 在垫, 垫子, 子上 of 5 and 4.
    found = values(*CHINESE[1], metrics=["rouge1", "rouge2", "rougeL"])
    assert found == {"rouge1": pytest.approx(10 / 11), "rouge2": pytest.approx(6 / 9), "rougeL": pytest.approx(10 / 11)}


def test_bleu_by_hand() -> None:
    # Of 4 words 4, of 3 pairs 3, of 2 triples 2, of 1 quadruple 1, and no word too few.
    assert values("a b c d", "a b c d", metrics=["bleu"]) == {"bleu": pytest.approx(100)}
    # 3/4 * 2/3 * 1/2 * (0 smoothed to 1/2 of 1)
    assert values("a b c x", "a b c d", metrics=["bleu"])["bleu"] == pytest.approx(
        100 * (3 / 4 * 2 / 3 / 2 / 2) ** 0.25
    )


@pytest.mark.parametrize("said, ideal", ENGLISH)
@pytest.mark.parametrize("stem", [False, True])
def test_english_is_what_the_libraries_say(said: str, ideal: str, stem: bool) -> None:
    rouge = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem).score(ideal, said)
    bleu = BLEU(effective_order=True).sentence_score(said, [ideal]).score
    wanted = {name: score.fmeasure for name, score in rouge.items()} | {"bleu": bleu}
    assert values(said, ideal, stem=stem) == pytest.approx(wanted)


@pytest.mark.parametrize("said, ideal", CHINESE)
def test_chinese_is_what_the_libraries_say(said: str, ideal: str) -> None:
    rouge = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=CharacterTokenizer()).score(ideal, said)
    bleu = BLEU(tokenize="zh", effective_order=True).sentence_score(said, [ideal]).score
    wanted = {name: score.fmeasure for name, score in rouge.items()} | {"bleu": bleu}
    assert values(said, ideal) == pytest.approx(wanted)
    assert values(said, ideal, language="zh") == pytest.approx(wanted)


@pytest.mark.parametrize("pairs, tokenize", [(ENGLISH, "13a"), (CHINESE, "zh")])
def test_the_corpus_bleu_is_the_librarys_and_not_the_mean_of_the_sentences(
    tmp_path: Path, pairs: list[tuple[str, str]], tokenize: str
) -> None:
    report = run(tmp_path, pairs)
    library = BLEU(tokenize=tokenize)
    corpus = library.corpus_score([said for said, _ in pairs], [[ideal for _, ideal in pairs]]).score
    assert report["corpus_bleu"] == pytest.approx(corpus)
    assert report["corpus_bleu"] != pytest.approx(report["metrics"]["bleu"]["value"])
    assert f"tok:{tokenize}" in report["corpus_bleu_signature"]
    assert report["corpus_bleu_signature"] in render(report)
    assert list(report["metrics"]) == list(METRICS)
    assert report["metrics"]["rougeL"]["n"] == len(pairs)


def test_the_best_of_several_references_counts(tmp_path: Path) -> None:
    pairs = [("the cat sat", ["a dog lay there", "the cat sat"]), ("it rained all day", ["it rained all day"])]
    report = run(tmp_path, pairs)
    assert report["metrics"]["rouge1"]["value"] == 1.0
    references = [[refs[i] if i < len(refs) else None for _, refs in pairs] for i in range(2)]
    assert report["corpus_bleu"] == pytest.approx(BLEU().corpus_score([said for said, _ in pairs], references).score)


def test_words_of_other_languages_are_words_where_the_language_is_said() -> None:
    said, ideal = "l'été à Genève", "l'été à Genève fut long"
    assert values(said, ideal, language="fr", metrics=["rouge1"])["rouge1"] == pytest.approx(2 * 4 / (4 + 6))
    assert CharacterTokenizer().tokenize("Été 2024：北京GPT模型_x") == [
        "été",
        "2024",
        "北",
        "京",
        "gpt",
        "模",
        "型",
        "x",
    ]


def test_the_language_is_seen_from_most_texts() -> None:
    assert language_of(["北京", "Paris", "上海"]) == "zh"
    assert language_of(["北京", "Paris"]) == "en"
    assert language_of([]) == "en"


@pytest.mark.parametrize("metrics", ["bleu", [], ["meteor"]])
def test_metrics_are_a_list_of_known_names(metrics: Any) -> None:
    with pytest.raises(UsageError, match="rougeL"):
        Overlap([lambda prompt, **_: ""], samples_jsonl="", name="a.b", metrics=metrics)


@pytest.mark.parametrize("library, metric", [("sacrebleu", "bleu"), ("rouge_score", "rouge1")])
def test_a_missing_library_is_named_before_anything_is_asked(library: str, metric: str) -> None:
    code = f"""
import sys
sys.modules[{library!r}] = None
from aigc_evals.elsuite.overlap import Overlap
from aigc_evals.errors import UsageError
try:
    Overlap([print], samples_jsonl="", name="a.b", metrics=[{metric!r}])
except UsageError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert library.replace("_", "-") in done.stdout
    assert 'pip install "aigc_evals[text-metrics]"' in done.stdout
