"""``aigc_evals check`` names every problem of a registry, at its line; what is in order is left alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import cli
from support.registries import registry, write_jsonl

from aigc_evals import UsageError, run
from aigc_evals.check import RULES, Finding, check_registry
from aigc_evals.check.report import render, summary
from aigc_evals.check.spec_rules import REPORTED
from aigc_evals.registry import BUILT_IN, Registry
from aigc_evals.tools.listing import list_entries
from aigc_evals.tools.show import as_yaml, show

ROOT = Path(__file__).resolve().parents[2]

EVAL = """\
q:
  id: q.dev.v0
  metrics: [accuracy]
q.dev.v0:
  class: aigc_evals.elsuite.basic.{cls}
  args:
    samples_jsonl: q.jsonl
"""
GRADED = """\
q:
  id: q.dev.v0
q.dev.v0:
  class: aigc_evals.elsuite.modelgraded.classify:ModelBasedClassify
  args:
    samples_jsonl: q.jsonl
    eval_type: cot_classify_zh
    modelgraded_spec: judge
"""
JUDGE = """\
judge:
  prompt: "问题：{input} 回答：{completion}"
  choice_strings: ["Yes", "No"]
  choice_scores: {"Yes": 1.0, "No": 0.0}
  input_outputs:
    input: completion
"""
MATCH = EVAL.format(cls="match:Match")
INCLUDES = EVAL.format(cls="includes:Includes")
FUZZY = EVAL.format(cls="fuzzy_match:FuzzyMatch")
JSON = EVAL.format(cls="json_match:JsonMatch")
MATCH_2, INCLUDES_2, FUZZY_2 = (yaml + "    version: 2\n" for yaml in (MATCH, INCLUDES, FUZZY))
CHOICE = EVAL.format(cls="match:Match").replace("basic.match:Match", "choice_match:ChoiceMatch")
CHOICE_ROWS = '{"input": [{"role": "user", "content": "问"}], "ideal": "A", "metadata": {"subject": "化学"}}\n'
FEW = "".join(
    f'{{"sample": [{{"role": "user", "content": "例"}}], "metadata": {{"subject": "{subject}"}}}}\n'
    for subject in ("化学", "历史")
)
GOOD = '{"input": "中国的首都是哪里？", "ideal": "北京"}\n{"input": "法国的首都是哪里？", "ideal": "巴黎"}\n'
GRADED_FILES = {"evals/q.yaml": GRADED, "modelgraded/judge.yaml": JUDGE, "data/q.jsonl": GOOD}


def rows(*pairs: tuple[str, Any]) -> str:
    return "".join(json.dumps({"input": asked, "ideal": gold}, ensure_ascii=False) + "\n" for asked, gold in pairs)


def of_match(yaml: str = MATCH, data: str | bytes = GOOD) -> dict[str, str | bytes]:
    return {"evals/q.yaml": yaml, "data/q.jsonl": data}


def graded(old: str, new: str, file: str = "modelgraded/judge.yaml") -> dict[str, str | bytes]:
    assert old in GRADED_FILES[file]
    return {**GRADED_FILES, file: GRADED_FILES[file].replace(old, new)}


DATA = "data/q.jsonl"
YAML = "evals/q.yaml"
SPEC = "modelgraded/judge.yaml"
SHOTS = '{"sample": [{"role": "system", "content": "中国的首都是哪里？"}, {"role": "system", "content": "北京"}]}\n'

BROKEN: list[tuple[str, dict[str, str | bytes], str, int | None, str]] = [
    # rule, files of the registry, file and line of the finding, what it says
    ("yaml-syntax", of_match(MATCH + "x: [1, 2\n"), YAML, 9, "not valid YAML"),
    ("yaml-syntax", of_match(MATCH + "\tx: 1\n"), YAML, 8, "not valid YAML"),
    ("yaml-syntax", of_match(MATCH + "x:\n  class: !new a:B\n"), YAML, 9, "constructor"),
    ("yaml-syntax", of_match(MATCH + "x:\n  id: 2024-13-45\n"), YAML, 8, "month"),
    ("yaml-unreadable", of_match() | {"evals/z.yaml": "# ok\n中: 文\n".encode("gb18030")}, "evals/z.yaml", 2, "UTF-8"),
    ("yaml-no-mapping", of_match() | {"evals/z.yaml": "- q\n"}, "evals/z.yaml", 1, "passed over"),
    ("entry-form", of_match(MATCH + "x: [q]\n"), YAML, 8, "'x' must be a mapping"),
    ("entry-form", of_match(MATCH + "x:\n"), YAML, 8, "'x' must be a mapping"),
    ("duplicate-key", of_match(MATCH + "q: q.dev.v0\n"), YAML, 8, "first in line 1"),
    ("duplicate-key", of_match(MATCH + "    samples_jsonl: 其他.jsonl\n"), YAML, 8, "'samples_jsonl'"),
    ("duplicate-key", graded("    input: completion", "    input: a\n    input: completion"), SPEC, 7, "line 6"),
    ("duplicate-name", of_match() | {"evals/z.yaml": "q: q.dev.v0\n"}, "evals/z.yaml", 1, "q.yaml:1"),
    ("reserved-key", of_match(MATCH.replace("  class:", "  cls: x\n  class:")), YAML, 5, "'cls'"),
    ("unknown-field", of_match(MATCH.replace("metrics:", "metric:")), YAML, 3, "'metric'"),
    ("missing-field", of_match(MATCH + "x.dev.v0:\n  description: 无类\n"), YAML, 8, "lacks class"),
    ("missing-field", graded("  choice_strings:", "  choices:"), SPEC, 1, "lacks choice_strings"),
    ("missing-field", of_match() | {"eval_sets/s.yaml": "s:\n  id:\n"}, "eval_sets/s.yaml", 1, "lacks evals"),
    ("field-type", of_match(MATCH.replace("[accuracy]", "accuracy")), YAML, 3, "a list of names"),
    ("field-type", of_match(MATCH + "x.dev.v0:\n  class: a:B\n  args: [1]\n"), YAML, 10, "a mapping"),
    ("alias-to-nothing", of_match(MATCH.replace("id: q.dev.v0", "id: q.dev.v1")), YAML, 2, "'q.dev.v1'"),
    ("alias-to-nothing", of_match(MATCH + "又一: 没有\n"), YAML, 8, "'没有'"),
    ("alias-cycle", of_match(MATCH + "a: b\nb: {id: a}\n"), YAML, 8, "a -> b -> a"),
    ("eval-name", of_match(MATCH.replace("q.dev.v0", "whole")), YAML, 4, "base.split"),
    ("class-not-found", of_match(MATCH.replace("match:Match", "match:Macht")), YAML, 5, "no 'Macht'"),
    ("class-not-found", of_match(MATCH.replace("aigc_evals.elsuite", "没有")), YAML, 5, "no module"),
    ("class-not-found", of_match(MATCH.replace("match:Match", "match")), YAML, 5, "module:Name"),
    ("constructor-arguments", of_match(MATCH + "    num_fewshot: 2\n"), YAML, 8, "no argument 'num_fewshot'"),
    ("constructor-arguments", of_match(MATCH.replace("samples_jsonl", "sample_jsonl")), YAML, 7, "'sample_jsonl'"),
    ("constructor-arguments", of_match(MATCH.replace("    samples_jsonl: q.jsonl", "    seed: 1")), YAML, 6, "missing"),
    (
        "constructor-arguments",
        of_match()
        | {
            "completion_fns/f.yaml": "f:\n  class: aigc_evals.testing:FailingCompletionFn\n  args: {error: x, tims: 1}\n"
        },
        "completion_fns/f.yaml",
        3,
        "'tims'",
    ),
    (
        "set-entry-unmatched",
        of_match() | {"eval_sets/s.yaml": "s:\n  evals:\n  - q\n  - qq\n"},
        "eval_sets/s.yaml",
        4,
        "'qq'",
    ),
    ("set-entry-unmatched", of_match() | {"eval_sets/s.yaml": "s: {evals: ['中*']}\n"}, "eval_sets/s.yaml", 1, "'中*'"),
    ("metric-never-reported", of_match(MATCH.replace("accuracy", "f1_score")), YAML, 3, "Match reports no 'f1_score'"),
    ("choice-punctuation", graded('"No"]', '"N/A"]'), SPEC, 3, "'N/A'"),
    ("choice-without-score", graded(', "No": 0.0', ""), SPEC, 4, "'No' has no score"),
    ("choice-without-score", graded('{"Yes": 1.0, "No": 0.0}', "from_strings"), SPEC, 4, "'Yes' is no number"),
    ("score-without-choice", graded('"No": 0.0', '"No": 0.0, "Maybe": 0.5'), SPEC, 4, "'Maybe'"),
    ("template-malformed", graded("问题：{input}", "问题：{input"), SPEC, 2, "malformed"),
    ("answer-not-shown", graded("{completion}", "{input}"), SPEC, 6, "never sees"),
    ("eval-type-unknown", graded("cot_classify_zh", "cot_clasify", YAML), YAML, 7, "'cot_clasify'"),
    ("spec-unknown", graded("spec: judge", "spec: jugde", YAML), YAML, 8, "'jugde'"),
    ("verdict-not-asked", graded("    eval_type: cot_classify_zh\n", "", YAML), YAML, 5, "eval_type"),
    (
        "output-template-missing",
        graded("spec: judge", "spec: judge\n    multicomp_n: 2", YAML),
        YAML,
        9,
        "output_template",
    ),
    ("eval-cannot-be-made", of_match(MATCH + "    num_few_shot: 2\n"), YAML, 6, "num_few_shot"),
    ("data-missing", of_match(MATCH.replace("q.jsonl", "qq.jsonl")), YAML, 7, "no such data file"),
    ("data-missing", of_match(MATCH + "    few_shot_jsonl: 示例.jsonl\n"), YAML, 8, "示例.jsonl"),
    ("data-byte-order-mark", of_match(data=b"\xef\xbb\xbf" + GOOD.encode()), DATA, 1, "byte-order mark"),
    ("data-blank-line", of_match(data=GOOD.replace("\n", "\n\n", 1)), DATA, 2, "blank"),
    ("data-not-json", of_match(data=GOOD + "{'input': 1}\n"), DATA, 3, "not JSON"),
    (
        "data-not-utf8",
        of_match(data=GOOD.encode() + '{"input": "问", "ideal": "答案"}\n'.encode("gb18030")),
        DATA,
        3,
        "gb18030",
    ),
    ("data-empty", of_match(data=""), DATA, None, "no sample"),
    ("placeholder-without-value", graded("问题：", "标准：{criteria} 问题："), DATA, 1, "{criteria}"),
    ("sample-malformed", of_match(data=GOOD + '{"input": "问"}\n'), DATA, 3, "no 'ideal'"),
    ("sample-malformed", of_match(data=GOOD + '{"input": "问", "ideal": 3}\n'), DATA, 3, "'ideal' must be"),
    (
        "few-shot-in-test",
        of_match(MATCH + "    few_shot_jsonl: shots.jsonl\n") | {"data/shots.jsonl": SHOTS},
        DATA,
        1,
        "shots.jsonl:1",
    ),
    (
        "few-shot-too-few",
        of_match(MATCH + "    num_few_shot: 9\n    few_shot_jsonl: few.jsonl\n") | {"data/few.jsonl": FEW},
        YAML,
        8,
        "num_few_shot is 9, but few_shot_jsonl has only 2 examples",
    ),
    (
        "few-shot-too-few",
        of_match(CHOICE + "    num_few_shot: 2\n    few_shot_jsonl: few.jsonl\n", CHOICE_ROWS)
        | {"data/few.jsonl": FEW},
        YAML,
        8,
        "has fewer examples of 化学 (1), 历史 (1);",
    ),
    ("gold-empty", of_match(data=GOOD + rows(("问", ""))), DATA, 3, "every answer matches"),
    ("gold-empty", of_match(data=GOOD + rows(("问", []))), DATA, 3, "no ideal"),
    ("gold-vanishes", of_match(FUZZY, GOOD + rows(("哪个选项？", "A"))), DATA, 3, "'A'"),
    ("gold-vanishes", of_match(FUZZY, GOOD + rows(("Which?", "The"))), DATA, 3, "'The'"),
    ("gold-white-space", of_match(data=GOOD + rows(("意大利的首都？", " 罗马"))), DATA, 3, "begins with white space"),
    ("gold-cjk-punctuation", of_match(INCLUDES, GOOD + rows(("几点？", "９点。"))), DATA, 3, "９。"),
    ("gold-cjk-punctuation", of_match(FUZZY, GOOD + rows(("谁写的？", "鲁迅《呐喊》"))), DATA, 3, "《》"),
    ("gold-not-json", of_match(JSON, rows(("列出", "[1]"), ("列出甲", "{甲: 1}"))), DATA, 2, "not JSON"),
    ("gold-null", of_match(JSON, rows(("列出", "[1]"), ("列出甲", '{"甲": null}'))), DATA, 2, "null"),
    ("gold-very-short", of_match(INCLUDES, GOOD + rows(("是吗？", "是"))), DATA, 3, "'是'"),
    (
        "gold-in-gold",
        of_match(INCLUDES, rows(("甲？", "正确"), ("乙？", "不正确"), ("丙？", "正确"), ("丁？", "不正确"))),
        DATA,
        1,
        "'正确' is a part of the ideal '不正确'",
    ),
    ("gold-in-gold", of_match(data=rows(("a", "1"), ("b", "10"), ("c", "1"), ("d", "10"))), DATA, 1, "beginning"),
    ("gold-empty", of_match(MATCH_2, GOOD + rows(("问", "\u200b"))), DATA, 3, "only an empty answer"),
    ("gold-punctuation", of_match(INCLUDES_2, GOOD + rows(("哪个标点？", "。"))), DATA, 3, "'。' is punctuation only"),
    ("gold-punctuation", of_match(FUZZY_2, GOOD + rows(("Which mark?", "?"))), DATA, 3, "'?'"),
    ("gold-in-gold", of_match(FUZZY_2, 2 * rows(("a", "guilty"), ("b", "not guilty"))), DATA, 1, "'guilty' is a part"),
    ("gold-in-gold", of_match(MATCH_2, 2 * rows(("甲", "北京"), ("乙", "北京市"))), DATA, 1, "beginning"),
    ("gold-same", of_match(FUZZY, 2 * rows(("a", "C"), ("b", "C++"))), DATA, 2, "'C' and 'C++' are the same"),
    ("gold-same", of_match(FUZZY_2, 2 * rows(("a", "[0, 1]"), ("b", "(0, 1)"))), DATA, 2, "the same"),
    ("gold-same", of_match(INCLUDES_2, 2 * rows(("a", "3.1"), ("b", "3.10"))), DATA, 2, "the same"),
    ("gold-same", of_match(MATCH_2, 2 * rows(("甲", "二"), ("乙", "2"))), DATA, 2, "the same"),
    ("duplicate-sample", of_match(data=GOOD + GOOD), DATA, 3, "as in line 1"),
    ("contradicting-sample", of_match(data=GOOD + rows(("中国的首都是哪里？", "南京"))), DATA, 3, "line 1"),
]


def found_in(folder: Path, files: dict[str, str | bytes], *names: str) -> list[Finding]:
    """The findings in a registry of these files, beside the package's own."""
    path = registry(folder / "registry", files)
    return list(check_registry([BUILT_IN, path], names, within=[path]))


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=[f"{i}-{case[0]}" for i, case in enumerate(BROKEN)])
def test_each_problem_is_named_at_its_line(number: int, tmp_path: Path) -> None:
    rule, files, file, line, says = BROKEN[number]
    found = found_in(tmp_path, files)
    hits = [f for f in found if f.rule == rule and f.path == tmp_path / "registry" / file and f.line == line]
    assert hits, [str(f) for f in found]
    assert any(says in hit.message for hit in hits), [hit.message for hit in hits]
    assert {hit.severity for hit in hits} <= {RULES[rule].severity, "warning"}


def test_every_rule_is_shown_by_a_broken_registry() -> None:
    assert {case[0] for case in BROKEN} == set(RULES)
    assert len(BROKEN) >= 30


@pytest.mark.parametrize("files", [of_match(), of_match(INCLUDES), of_match(FUZZY), GRADED_FILES])
def test_what_is_in_order_is_left_alone(files: dict[str, str | bytes], tmp_path: Path) -> None:
    assert found_in(tmp_path, files) == []


MERGED = {
    "evals/甲.yaml": """
        甲.乙: &base
          class: aigc_evals.elsuite.basic.match:Match
          args: &args {samples_jsonl: 甲.jsonl}
        丙.丁:
          <<: *base
          args:
            <<: *args
            num_few_shot: 0
        """,
    "data/甲.jsonl": GOOD,
}


def test_a_merge_of_yaml_is_no_repetition_and_what_is_one_beside_it_is_found(tmp_path: Path) -> None:
    assert found_in(tmp_path / "fine", dict(MERGED)) == []
    text = MERGED["evals/甲.yaml"].replace("num_few_shot: 0\n", "num_few_shot: 0\n            num_few_shot: 0\n")
    (found,) = found_in(tmp_path / "twice", {**MERGED, "evals/甲.yaml": text})
    assert (found.rule, found.line) == ("duplicate-key", 10)


def test_deep_nesting_is_looked_through_or_told(tmp_path: Path) -> None:
    nested = "[" * 1000 + "{a: 1, a: 2}" + "]" * 1000
    deep = f"甲.乙:\n  class: aigc_evals.elsuite.basic.match:Match\n  args: {{x: {nested}}}\n"
    assert "duplicate-key" in {one.rule for one in found_in(tmp_path, {"evals/a.yaml": deep})}


def test_a_folder_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    path = registry(tmp_path, dict(MERGED))
    (path / "eval_sets").symlink_to("eval_sets")
    (found,) = check_registry([BUILT_IN, path], within=[path])
    assert (found.path, found.severity) == (path / "eval_sets", "error")
    assert "symbolic links" in found.message


def test_files_that_editors_hide_are_not_looked_at(tmp_path: Path) -> None:
    path = registry(tmp_path, dict(MERGED))
    (path / "evals" / ".#甲.yaml").symlink_to("user@host.1:2")
    (path / "evals" / "._甲.yaml").write_bytes(b"\x00\x05\x16\x07")
    assert list(check_registry([BUILT_IN, path], within=[path])) == []


FINE = [
    (MATCH, rows(("问", ["北京", " 北京"]), ("再问", "巴黎"))),
    (MATCH, rows(("一", ["巴黎", "巴黎市"]), ("二", ["巴黎", "巴黎市"]), ("三", "罗马"), ("四", "罗马"))),
    (INCLUDES, rows(("用【是】或【否】作答。对吗？", "【是】"), ("用【是】或【否】作答。错吗？", "【否】"))),
    (INCLUDES, rows(("写在【】里。选哪两个字？", ["【井、蛙】", "【井蛙】"]))),
    (INCLUDES, rows(("引文？", ["“你好”", "你好"]))),
    (INCLUDES, rows(("Which word?", "don’t"))),
    (FUZZY, rows(("Which letter?", "option A"))),
    (FUZZY_2, rows(("选哪个？", "A"), ("The end?", "The"))),
    (MATCH_2, rows(("问", " 北京"), ("几点？", "９点。"))),
    (MATCH_2, 2 * rows(("a", "1"), ("b", "10"), ("c", "是"), ("d", "是否"))),
    (INCLUDES_2, 2 * rows(("甲？", "正确"), ("乙？", "不正确"), ("丙？", "是"), ("丁？", "不是"))),
    (FUZZY_2, 2 * rows(("a", "C"), ("b", "C++"), ("c", "Yes"), ("d", "yes."), ("e", "👍"))),
    (FUZZY_2, 2 * rows(("a", ["3", "三"]), ("b", ["[1]", "1"]))),
    (JSON, rows(("列出", '{"甲": "null"}'))),
]


@pytest.mark.parametrize(("yaml", "data"), FINE)
def test_golds_that_can_be_scored_are_left_alone(yaml: str, data: str, tmp_path: Path) -> None:
    found = found_in(tmp_path, of_match(yaml, data))
    assert [str(f) for f in found if f.rule.startswith("gold-")] == []


@pytest.mark.parametrize(
    ("yaml", "data", "rule", "helps"),
    [
        (FUZZY, rows(("哪个选项？", "A")), "gold-vanishes", True),
        (FUZZY, rows(("Which mark?", "!")), "gold-vanishes", False),
        (FUZZY, rows(("谁写的？", "鲁迅《呐喊》")), "gold-cjk-punctuation", True),
        (MATCH, rows(("问", " 北京")), "gold-white-space", True),
        (INCLUDES, rows(("是吗？", "是")), "gold-very-short", True),
        (INCLUDES, rows(("哪个标点？", "。")), "gold-very-short", False),
        (MATCH, 2 * rows(("a", "1"), ("b", "10")), "gold-in-gold", True),
        (INCLUDES, 2 * rows(("甲？", "正确"), ("乙？", "不正确")), "gold-in-gold", True),
        (INCLUDES, 2 * rows(("a", "guilty"), ("b", "not guilty")), "gold-in-gold", False),
        (FUZZY, 2 * rows(("a", "C"), ("b", "C++")), "gold-same", True),
        (FUZZY, 2 * rows(("a", "[0, 1]"), ("b", "(0, 1)")), "gold-same", False),
        (
            MATCH.replace("match:Match", "match_with_solvers:MatchWithSolvers"),
            rows(("问", " 北京")),
            "gold-white-space",
            False,
        ),
    ],
)
def test_the_hint_names_version_2_where_it_helps(yaml: str, data: str, rule: str, helps: bool, tmp_path: Path) -> None:
    (hint,) = [finding.hint for finding in found_in(tmp_path, of_match(yaml, data)) if finding.rule == rule]
    assert ("version: 2" in (hint or "")) is helps


def test_the_built_in_registry_is_clean() -> None:
    assert [str(finding) for finding in check_registry([BUILT_IN])] == []


def test_a_registry_object_will_do() -> None:
    assert list(check_registry(Registry([BUILT_IN]), ["test-match-zh"])) == []


def test_many_rows_are_one_finding_with_the_first_lines(tmp_path: Path) -> None:
    data = "".join(rows((f"问题{i}", "北京 ")) for i in range(50))
    (found,) = found_in(tmp_path, of_match(data=data))
    assert (found.rule, found.count, found.lines) == ("gold-white-space", 50, (1, 2, 3))
    assert "(50 rows; also line 2, 3, ...)" in str(found)
    assert found.key == "q.dev.v0"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    files = of_match(MATCH + "    a: 1\n    b: 2\nx: y\n", GOOD + "{\n")
    assert sorted(f.rule for f in found_in(tmp_path, files)) == [
        "alias-to-nothing",
        "constructor-arguments",
        "constructor-arguments",
        "data-not-json",
    ]


def test_yaml_that_refers_to_itself_does_no_harm(tmp_path: Path) -> None:
    found = found_in(tmp_path, of_match(MATCH + "x.dev.v0:\n  class: a:B\n  args: &a {自己: *a}\n"))
    assert [f.rule for f in found] == ["class-not-found"]


STRANGE: list[Any] = [None, 3, 1.5, True, "", "{", "没有", "a:b", [], {}, [1], ["甲", None], {"a": 1}, {1: 2}]


def test_no_value_of_any_field_breaks_the_check_or_the_list(tmp_path: Path) -> None:
    """Every field of every kind of entry with every strange value, as entries of one registry."""
    whole = {
        "evals": {"id": "q", "class": "aigc_evals.elsuite.basic.match:Match", "args": {}, "metrics": ["accuracy"]},
        "eval_sets": {"evals": ["q"]},
        "completion_fns": {"class": "aigc_evals.testing:FailingCompletionFn", "args": {"error": "x"}},
        "modelgraded": yaml.safe_load(JUDGE)["judge"] | {"eval_type": "classify_zh", "output_template": "{output}"},
    }
    arguments = {"samples_jsonl": "q.jsonl", "modelgraded_spec": "judge", "eval_type": "classify", "multicomp_n": 1}
    graded_eval = {"class": "aigc_evals.elsuite.modelgraded.classify:ModelBasedClassify", "args": arguments}
    files: dict[str, Any] = {"evals/q.yaml": GRADED, "modelgraded/judge.yaml": JUDGE, "data/q.jsonl": GOOD}
    for folder, entry in whole.items():
        made = {f"{field}.{i}": {**entry, field: value} for field in entry for i, value in enumerate(STRANGE)}
        files[f"{folder}/z.yaml"] = yaml.safe_dump(made | {"空": None}, allow_unicode=True)
    made = {
        f"{name}.{i}": {**graded_eval, "args": {**arguments, name: value}}
        for name in arguments
        for i, value in enumerate(STRANGE)
    }
    files["evals/y.yaml"] = yaml.safe_dump(made, allow_unicode=True)
    found = found_in(tmp_path, files)
    assert {finding.rule for finding in found} >= {"field-type", "missing-field", "spec-unknown", "eval-type-unknown"}
    names = [row.name for row in list_entries([tmp_path / "registry"], everything=True)]
    for name in names[::25]:
        assert as_yaml(show([BUILT_IN, tmp_path / "registry"], name))


def test_a_finding_stays_one_line_of_bearable_length(tmp_path: Path) -> None:
    found = found_in(tmp_path, of_match(data=rows(("写一首诗", "床前明月光，\n" * 500 + " "))))
    assert {f.rule for f in found} == {"gold-cjk-punctuation", "gold-white-space"}
    assert all(len(str(f).splitlines()[0]) < 600 for f in found)


def test_names_restrict_the_check_to_what_they_lead_to(tmp_path: Path) -> None:
    files = of_match(MATCH + "x: y\n") | {
        "evals/z.yaml": "z.dev.v0: {class: 'a:B'}\n",
        "eval_sets/s.yaml": "s: {evals: [q]}\n",
    }
    assert found_in(tmp_path / "1", files, "q") == []
    assert found_in(tmp_path / "2", files, "s") == []
    assert [f.rule for f in found_in(tmp_path / "3", files, "z*")] == ["class-not-found"]
    with pytest.raises(UsageError, match="nothing in the registry is named 'qqq'"):
        found_in(tmp_path / "4", files, "qqq")


def test_a_stranger_s_class_says_itself_what_a_sample_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_eval.py").write_text(
        "from aigc_evals import Eval, SampleError\n"
        "class Theirs(Eval):\n"
        "    def check_sample(self, sample):\n"
        "        if '答案' not in sample: raise SampleError('没有答案')\n"
        "    def eval_sample(self, sample, rng): pass\n"
        "    def run(self, recorder): return {}\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    yaml = MATCH.replace("aigc_evals.elsuite.basic.match:Match", "their_eval:Theirs")
    (found,) = found_in(tmp_path, of_match(yaml, '{"答案": 1}\n{"input": 2}\n'))
    assert (found.rule, found.line, found.message) == ("sample-malformed", 2, "没有答案")


def test_output_stays_readable_when_one_rule_finds_many_in_one_file(tmp_path: Path) -> None:
    found = found_in(tmp_path, of_match(MATCH + "".join(f"别名{i}: 没有\n" for i in range(10))))
    short, long = list(render(found)), list(render(found, everything=True))
    assert (len(short), len(long)) == (4, 10)
    assert "7 more of this rule" in short[-1]
    assert summary(found) == "10 errors in 1 file: 10 alias-to-nothing"
    assert summary([]) == "no problems found"


def test_the_command_ends_with_1_on_errors_only(tmp_path: Path) -> None:
    env = cli.environment(tmp_path / "home", LC_ALL="C.UTF-8")
    warned = registry(tmp_path / "warned", of_match(data=GOOD + "\n"))
    done = cli.run("check", "--registry_path", warned, env=env, program="aigc_evals")
    assert (done.code, done.err) == (0, "1 warning in 1 file: 1 data-blank-line\n")
    assert f"{warned}/data/q.jsonl:3: warning [data-blank-line] the line is blank" in done.out
    wrong = registry(tmp_path / "wrong", of_match(MATCH.replace("v0", "v1", 1)))
    done = cli.run("check", "q", "--json", "--registry_path", wrong, env=env, program="aigc_evals")
    told = json.loads(done.out)
    assert (done.code, told["counts"]) == (1, {"error": 1, "warning": 0})
    assert told["findings"][0]["line"] == 2
    done = cli.run("check", "没有", "--registry_path", wrong, env=env, program="aigc_evals")
    assert (done.code, "'没有'" in done.message) == (2, True)


def test_the_document_explains_every_rule_and_nothing_else() -> None:
    text = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    rows_ = re.findall(r"^\| `([\w-]+)` \| (error|warning)[^|]* \| .+ \|$", text, re.MULTILINE)
    assert rows_ == [(rule.name, rule.severity) for rule in RULES.values()]


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("test-match", "match:Match"),
        ("test-fuzzy-match", "fuzzy_match:FuzzyMatch"),
        ("test-includes", "includes:Includes"),
        ("test-json-match", "json_match:JsonMatch"),
        ("test-json-validator", "json_validator:JsonValidator"),
    ],
)
def test_the_metrics_that_are_known_are_reported(name: str, cls: str) -> None:
    report = run("baseline/lexical", name, dry_run=True, dry_run_logging=False, progress=False).report
    assert set(REPORTED[f"aigc_evals.elsuite.basic.{cls}"]) <= set(report)


def test_data_in_a_folder_is_checked_file_by_file(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"evals/q.yaml": MATCH.replace("q.jsonl", "all")}
    path = registry(tmp_path / "registry", files)
    write_jsonl(path / "data" / "all" / "一.jsonl", [{"input": "问", "ideal": "答"}])
    write_jsonl(path / "data" / "all" / "二.jsonl", [{"input": "问"}])
    (found,) = check_registry([path])
    assert (found.path.name, found.rule) == ("二.jsonl", "sample-malformed")
