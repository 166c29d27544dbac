"""Translations: how texts are cut into tokens, and what the figures then are."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from sacrebleu.metrics.bleu import BLEU
from support.registries import registry, write_jsonl

import aigc_evals
from aigc_evals.base import RunSpec
from aigc_evals.elsuite.translate import Translate
from aigc_evals.errors import UsageError
from aigc_evals.log import read_spec
from aigc_evals.record import Recorder

IDEAL, REPLY = "中国的首都是北京，不是上海。", "中国的首都是北京，而不是上海。"
ENGLISH = [("The cat sits on the mat.", "The cat sat on a mat."), ("A dog barks.", "A dog barks."), ("x", "y")]


def run(folder: Path, pairs: list[tuple[str, Any]], **kwargs: Any) -> dict[str, Any]:
    path = write_jsonl(folder / "rows.jsonl", [{"input": said, "ideal": ideal} for said, ideal in pairs])
    recorder = Recorder(RunSpec(["echo"], "a.b", "a", "b", {}, ""))
    return Translate([lambda prompt, **_: prompt], samples_jsonl=str(path), name="a.b", **kwargs).run(recorder)


def sentence(said: str, ideal: Any, **kwargs: Any) -> float:
    made = Translate([lambda prompt, **_: said], samples_jsonl="", name="a.b", **kwargs)
    recorder = Recorder(RunSpec(["fn"], "a.b", "a", "b", {}, ""))
    with recorder.as_default_recorder("a.b.0"):
        made.eval_sample({"input": "q", "ideal": ideal}, random.Random(1))
    return float(recorder.get_metrics()[0]["sacrebleu_sentence_score"])


def test_a_chinese_translation_is_compared_by_characters(tmp_path: Path) -> None:
    report = run(tmp_path, [(REPLY, IDEAL)])
    assert report["accuracy"] == 1
    assert report["sacrebleu_score"] == pytest.approx(BLEU(tokenize="zh").corpus_score([REPLY], [[IDEAL]]).score)
    assert report["sacrebleu_score"] > 70
    assert report["sacrebleu_tokenize"] == "zh"
    assert sentence(REPLY, IDEAL) == pytest.approx(
        BLEU(tokenize="zh", effective_order=True).sentence_score(REPLY, [IDEAL]).score
    )


def test_as_openai_evals_does_a_chinese_sentence_is_one_word(tmp_path: Path) -> None:
    assert run(tmp_path, [(REPLY, IDEAL)], tokenize="13a") == {"accuracy": 0, "sacrebleu_score": pytest.approx(0)}


def test_nothing_changes_for_ideals_without_chinese(tmp_path: Path) -> None:
    said, wanted = [list(column) for column in zip(*ENGLISH, strict=True)]
    assert run(tmp_path, ENGLISH) == {
        "accuracy": pytest.approx(1 / 3),
        "sacrebleu_score": pytest.approx(BLEU().corpus_score(said, [wanted]).score),
    }
    assert sentence(REPLY, "Beijing is the capital") == 0
    for one, ideal in ENGLISH:
        assert sentence(one, ideal) == BLEU(effective_order=True).sentence_score(one, [ideal]).score


def test_most_of_the_ideals_decide_for_the_whole_run(tmp_path: Path) -> None:
    mixed = [(REPLY, IDEAL), *ENGLISH[:2]]
    assert "sacrebleu_tokenize" not in run(tmp_path, mixed)
    assert run(tmp_path, [*mixed, ("好的。", ["好的。", "行。"]), ("再见。", "再见。")])["sacrebleu_tokenize"] == "zh"


def test_another_tokenizer_is_used_and_told(tmp_path: Path) -> None:
    report = run(tmp_path, ENGLISH, tokenize="char")
    said, wanted = [list(column) for column in zip(*ENGLISH, strict=True)]
    assert report["sacrebleu_score"] == pytest.approx(BLEU(tokenize="char").corpus_score(said, [wanted]).score)
    assert report["sacrebleu_tokenize"] == "char"


def test_a_tokenizer_that_does_not_exist_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match=r"expected auto or one of .*13a.*, got 'word'") as told:
        Translate([lambda prompt, **_: prompt], samples_jsonl="", name="a.b", tokenize="word")
    assert told.value.key == "tokenize"


def test_japanese_is_compared_by_characters_kana_included(tmp_path: Path) -> None:
    said, wanted = "東京は日本の首都です。", "東京が日本の首都です。"
    report = run(tmp_path, [(said, wanted)])
    assert report["sacrebleu_tokenize"] == "char"
    assert report["sacrebleu_score"] == pytest.approx(BLEU(tokenize="char").corpus_score([said], [[wanted]]).score)


def test_a_log_is_not_continued_with_another_tokenizer(tmp_path: Path) -> None:
    evals = "t.dev.v0:\n  class: aigc_evals.elsuite.translate:Translate\n  args: {samples_jsonl: a.jsonl}\n"
    paths = [registry(tmp_path / "registry", {"evals/t.yaml": evals}, {"a.jsonl": [{"input": REPLY, "ideal": IDEAL}]})]
    log = tmp_path / "log.jsonl"

    def echo(prompt: Any, **_kwargs: Any) -> str:
        return REPLY

    aigc_evals.run(echo, "t.dev.v0", registry_path=paths, record_path=log, progress=False)
    spec = read_spec(log)
    assert spec is not None
    assert '"tokenize":"zh"' in log.read_text(encoding="utf-8").splitlines()[0].replace(" ", "")
    # As a version that knew no other tokenizer would have begun it.
    first, *others = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(first.replace(b',"tokenize":"zh"', b"").replace(b'"tokenize":"zh",', b"") + others[0])
    before = log.read_bytes()
    with pytest.raises(UsageError, match="tokenize"):
        aigc_evals.run(echo, "t.dev.v0", registry_path=paths, record_path=log, progress=False)
    assert log.read_bytes() == before
