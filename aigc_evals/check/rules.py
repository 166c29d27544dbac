"""The table of all rules, by what each of them looks at; ``docs/check.md`` explains every one."""

from __future__ import annotations

from collections.abc import Mapping

from aigc_evals.check import data_rules as data
from aigc_evals.check import gold_rules as gold
from aigc_evals.check import modelgraded_rules as graded
from aigc_evals.check import spec_rules as spec
from aigc_evals.check import yaml_rules as yaml
from aigc_evals.check.findings import ERROR, WARNING, Rule
from aigc_evals.check.uses import FUZZY, FUZZY_2, INCLUDES, INCLUDES_2, JSON, MATCH, MATCH_2

FILE_RULES = (
    Rule("yaml-syntax", ERROR, yaml.syntax),
    Rule("yaml-unreadable", ERROR, yaml.readable),
    Rule("yaml-no-mapping", WARNING, yaml.mapping),
    Rule("entry-form", ERROR, yaml.entry_form),
    Rule("duplicate-key", ERROR, yaml.duplicate_key),
    Rule("reserved-key", ERROR, yaml.reserved_key),
)
"""``function(file)``."""

FILES_RULES = (Rule("duplicate-name", ERROR, yaml.duplicate_name),)
"""``function(files)``, giving pairs of a file and a problem."""

ENTRY_RULES = (
    Rule("unknown-field", WARNING, spec.unknown_field),
    Rule("missing-field", ERROR, spec.missing_field),
    Rule("field-type", ERROR, spec.field_type),
    Rule("alias-to-nothing", ERROR, spec.alias),
    Rule("alias-cycle", ERROR, spec.alias_cycle),
    Rule("eval-name", ERROR, spec.eval_name),
    Rule("class-not-found", ERROR, spec.class_found),
    Rule("constructor-arguments", ERROR, spec.constructor_fits),
    Rule("set-entry-unmatched", ERROR, spec.set_entry),
    Rule("metric-never-reported", WARNING, spec.metric_reported),
    Rule("choice-punctuation", ERROR, graded.choice_punctuation),
    Rule("choice-without-score", ERROR, graded.choice_scores),
    Rule("score-without-choice", WARNING, graded.score_of_nothing),
    Rule("template-malformed", ERROR, graded.template_form),
    Rule("answer-not-shown", WARNING, graded.answer_shown),
    Rule("eval-type-unknown", ERROR, graded.eval_type),
    Rule("spec-unknown", ERROR, graded.spec_exists),
)
"""``function(sources, entry)``."""

EVAL_RULES = (
    Rule("data-missing", ERROR, spec.data_exists),
    Rule("verdict-not-asked", ERROR, graded.verdict_asked),
    Rule("output-template-missing", ERROR, graded.several_answers),
    Rule("few-shot-too-few", WARNING, data.few_shot_rows),
)
"""``function(use)``."""

MADE = Rule("eval-cannot-be-made", ERROR, spec.can_be_made)
"""``function(use)``, for evals in which no other error was found."""

LINE_RULES = (
    Rule("data-byte-order-mark", WARNING, data.byte_order_mark),
    Rule("data-blank-line", WARNING, data.blank_line),
    Rule("data-not-json", ERROR, data.not_json),
    Rule("data-not-utf8", ERROR, data.not_utf8),
)
"""``function(line, number)``, giving a problem or None."""

EMPTY = "data-empty"

ROW_RULES = (
    Rule("placeholder-without-value", ERROR, data.placeholder_value),
    Rule("sample-malformed", ERROR, data.sample_form),
    Rule("few-shot-in-test", WARNING, data.few_shot_leak),
)
"""``function(use, sample)``, giving a message or None."""

GOLD_RULES = (
    Rule("gold-empty", WARNING, gold.empty_gold, (MATCH, INCLUDES, FUZZY, JSON, MATCH_2, INCLUDES_2, FUZZY_2)),
    Rule("gold-vanishes", WARNING, gold.gold_vanishes, (FUZZY,)),
    Rule("gold-white-space", WARNING, gold.gold_white_space, (MATCH,)),
    Rule("gold-cjk-punctuation", WARNING, gold.gold_cjk, (MATCH, INCLUDES, FUZZY)),
    Rule("gold-not-json", ERROR, gold.gold_not_json, (JSON,)),
    Rule("gold-null", WARNING, gold.gold_null, (JSON,)),
    Rule("gold-very-short", WARNING, gold.gold_very_short, (INCLUDES,)),
    Rule("gold-punctuation", WARNING, gold.gold_punctuation, (INCLUDES_2, FUZZY_2)),
)
"""``function(use, sample, golds)``, giving a problem without its line, or None."""

GOLD_SET_RULES = (
    Rule("gold-in-gold", WARNING, gold.gold_in_gold, (MATCH, INCLUDES, FUZZY, MATCH_2, INCLUDES_2, FUZZY_2)),
    Rule("gold-same", WARNING, gold.gold_same, (FUZZY, MATCH_2, INCLUDES_2, FUZZY_2)),
)
"""``function(use, summary)``."""

DATA_SET_RULES = (
    Rule("duplicate-sample", WARNING, data.duplicate_sample),
    Rule("contradicting-sample", WARNING, data.contradicting_sample),
)
"""``function(summary)``."""


def no_rows(rows: int) -> str | None:
    """A data file has no samples at all."""
    return None if rows else "there is no sample in the file"


_ALL = (
    *FILE_RULES,
    *FILES_RULES,
    *ENTRY_RULES,
    *EVAL_RULES,
    MADE,
    *LINE_RULES,
    Rule(EMPTY, ERROR, no_rows),
    *ROW_RULES,
    *GOLD_RULES,
    *GOLD_SET_RULES,
    *DATA_SET_RULES,
)
RULES: Mapping[str, Rule] = {rule.name: rule for rule in _ALL}
"""Every rule by its name."""
