"""Constraints: the answer keeps rules that a program can check, each of them data in the sample."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from aigc_evals.elsuite.asking import AsksOne
from aigc_evals.elsuite.few_shot import check_prompt, ideals
from aigc_evals.elsuite.matching import CJK
from aigc_evals.errors import SampleError
from aigc_evals.eval import check_keys
from aigc_evals.record import Recorder, record_match, record_metrics

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LETTER = re.compile(rf"[^\W{CJK}]")
"""A letter or digit of a script that writes words apart."""
_BULLET = re.compile(r"[ \t]*[-*•][ \t]+(.*)")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]")


def words(text: str) -> list[str]:
    """What stands between white space and has a letter or a digit in it."""
    return [word for word in text.split() if any(c.isalnum() for c in word)]


def bullets(text: str) -> list[str]:
    """The texts of the lines that begin with ``-``, ``*`` or ``•`` and a space."""
    found = (_BULLET.fullmatch(line) for line in text.splitlines())
    return [match[1] for match in found if match]


def occurrences(text: str, part: str, *, whole_words: bool) -> int:
    """How often ``part`` occurs, whatever the case; as words of its own with ``whole_words``.

    A word ends where no letter or digit follows, CJK aside: Chinese has no spaces, so ``北京`` is in ``我爱北京天安门`` and
    ``Python`` in ``用Python写``, and punctuation is what it is anywhere.
    """
    pattern = re.escape(part)
    if whole_words and part:
        before = f"(?<!{_LETTER.pattern})" if _LETTER.match(part[0]) else ""
        after = f"(?!{_LETTER.pattern})" if _LETTER.match(part[-1]) else ""
        pattern = before + pattern + after
    return len(re.findall(pattern, text, re.IGNORECASE))


def _between(count: int, rule: Mapping[str, Any]) -> bool:
    return bool(rule.get("min", 0) <= count <= rule.get("max", count))


def _contains(text: str, rule: Mapping[str, Any]) -> bool:
    return _between(occurrences(text, rule["text"], whole_words=rule.get("word", True)), {"min": 1, **rule})


def _letters(text: str, rule: Mapping[str, Any]) -> bool:
    letters = [c for c in text if c.isupper() or c.islower()]
    return bool(letters) and all(c.isupper() is (rule["is"] == "upper") for c in letters)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _json_keys(text: str, rule: Mapping[str, Any]) -> bool:
    value = _json(text)
    return isinstance(value, dict) and set(value) == set(rule["keys"])


def _json_words(text: str, rule: Mapping[str, Any]) -> bool:
    value = _json(text)
    texts = list(value.values()) if isinstance(value, dict) else []
    return bool(texts) and all(isinstance(item, str) and _between(len(words(item)), rule) for item in texts)


RULES: dict[str, tuple[Callable[[str, Mapping[str, Any]], bool], frozenset[str], frozenset[str]]] = {
    "words": (lambda text, rule: _between(len(words(text)), rule), frozenset(), frozenset({"min", "max"})),
    "characters": (
        lambda text, rule: _between(len(_HAN.findall(text)), rule),
        frozenset(),
        frozenset({"min", "max"}),
    ),
    "sentences": (
        lambda text, rule: _between(len(_SENTENCE_END.findall(text)), rule),
        frozenset(),
        frozenset({"min", "max"}),
    ),
    "bullets": (lambda text, rule: _between(len(bullets(text)), rule), frozenset(), frozenset({"min", "max"})),
    "only_bullets": (
        lambda text, rule: len(bullets(text)) == len([line for line in text.splitlines() if line.strip()]) > 0,
        frozenset(),
        frozenset(),
    ),
    "bullet_words": (
        lambda text, rule: bool(bullets(text)) and all(_between(len(words(b)), rule) for b in bullets(text)),
        frozenset(),
        frozenset({"min", "max"}),
    ),
    "contains": (_contains, frozenset({"text"}), frozenset({"min", "max", "word"})),
    "absent": (
        lambda text, rule: not occurrences(text, rule["text"], whole_words=rule.get("word", True)),
        frozenset({"text"}),
        frozenset({"word"}),
    ),
    "starts_with": (lambda text, rule: text.startswith(rule["text"]), frozenset({"text"}), frozenset()),
    "ends_with": (lambda text, rule: text.endswith(rule["text"]), frozenset({"text"}), frozenset()),
    "case": (_letters, frozenset({"is"}), frozenset()),
    "json_keys": (_json_keys, frozenset({"keys"}), frozenset()),
    "json_words": (_json_words, frozenset(), frozenset({"min", "max"})),
}
"""Name -> whether a text keeps the rule, the fields the rule must have, and those it may have."""


def keeps(text: str, rule: Mapping[str, Any]) -> bool:
    """Whether ``text``, without white space around it, keeps one rule that ``check_rules`` has accepted."""
    return RULES[rule["rule"]][0](text.strip(), rule)


def check_rules(rules: Any) -> None:
    """SampleError for what is no list of known rules with their fields."""
    if not isinstance(rules, list) or not rules:
        raise SampleError(f"'rules' must be a list of at least one rule, got {rules!r:.80}")
    for rule in rules:
        if not isinstance(rule, dict) or rule.get("rule") not in RULES:
            raise SampleError(f"a rule is an object whose 'rule' is one of {', '.join(RULES)}, got {rule!r:.80}")
        _, needed, possible = RULES[rule["rule"]]
        fields = set(rule) - {"rule"}
        if not needed <= fields or not fields <= needed | possible:
            raise SampleError(
                f"the rule {rule['rule']!r} has the fields {', '.join(sorted(needed | possible)) or 'none'}, got {sorted(fields)}"
            )
        if any(not isinstance(rule[key], int) for key in ("min", "max") if key in rule):
            raise SampleError(f"'min' and 'max' are whole numbers: {rule!r:.80}")
        if not isinstance(rule.get("text", ""), str) or rule.get("text") == "":
            raise SampleError(f"'text' must be a text that is not empty: {rule!r:.80}")
        if rule.get("is", "lower") not in ("lower", "upper"):
            raise SampleError(f"'is' must be lower or upper: {rule!r:.80}")
        keys = rule.get("keys", [])
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise SampleError(f"'keys' must be a list of strings: {rule!r:.80}")


class Constraints(AsksOne):
    """Correct when the answer keeps all rules of the sample; white space around the answer does not count.

    A sample has ``input`` and ``rules``, a list of objects: ``{"rule": "words", "min": 20, "max": 30}`` (also
    ``sentences``, ``bullets``, ``bullet_words``: of each, ``json_words``: of each value, ``characters``: Chinese ones),
    ``{"rule": "contains", "text": "river", "min": 2, "max": 2}`` and ``absent`` (words of their own in any case, Chinese
    ones anywhere; with ``"word": false`` all anywhere), ``starts_with`` and ``ends_with`` (as they are),
    ``{"rule": "case", "is": "lower"}``, ``only_bullets``, ``{"rule": "json_keys", "keys": [...]}`` (the answer is an object
    with these keys and no others).
    Every ``ideal`` that is there must keep them too. The metric ``rules`` is the share of the rules that are kept.
    """

    metric_ranges = {"accuracy": (0.0, 1.0), "rules": (0.0, 1.0)}

    def __init__(self, *args: Any, max_tokens: int = 1024, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_tokens = max_tokens

    def check_sample(self, sample: Any) -> None:
        check_keys(sample, "input", "rules")
        check_prompt(sample["input"], "input")
        check_rules(sample["rules"])
        for ideal in ideals(sample) if "ideal" in sample else ():
            broken = [rule for rule in sample["rules"] if not keeps(ideal, rule)]
            if broken:
                raise SampleError(f"the ideal breaks a rule of its own sample: {broken[0]!r}")

    async def aeval_sample(self, sample: Any, rng: random.Random | None = None) -> Any:
        self.check_sample(sample)
        sampled = await self.ask(sample["input"], temperature=0.0, max_tokens=self.max_tokens)
        kept = [rule for rule in sample["rules"] if keeps(sampled, rule)]
        correct = len(kept) == len(sample["rules"])
        record_match(correct, expected=sample["rules"], picked=kept, sampled=sampled)
        record_metrics(accuracy=float(correct), rules=len(kept) / len(sample["rules"]))
        return correct

    def run(self, recorder: Recorder) -> dict[str, Any]:
        self.eval_all_samples(recorder, self.get_samples(), collect=False)
        return {"accuracy": recorder.scores.mean("accuracy"), "rules": recorder.scores.mean("rules")}
