"""Instructions whose keeping a program can check: ``constraints_en``.

The rules stand in the prompt as sentences and in the row as data. The example answer of a row is put together from the
rules; the solver reads the sentences back, so it shows that both say the same.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

from aigc_evals.tasks.task import Row, Task, distinct, pool, question, text_of

_TOPICS = (
    "a walk by the sea",
    "repairing a bicycle",
    "a rainy market day",
    "planting tomatoes",
    "the first day at work",
    "a night train",
)
_KEYWORDS = ("river", "candle", "window", "pepper", "ladder", "silver", "market", "engine", "garden", "letter")
_BANNED = ("the", "and", "is", "was", "very", "with", "of", "in")
_STARTS = ("Once", "Today", "Nobody", "Perhaps", "Every")
_ENDS = ("That is all.", "Who knows?", "We shall see.", "End of story!")
_KEYS = ("title", "place", "season", "mood", "advice", "warning", "tools", "reason")
# Neutral words that no rule forbids.
_FILLING = pool("small birds often sing early while green hills turn gold near quiet roads after long warm days")
_Rule = dict[str, Any]


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    def make(number: int) -> Row:
        rules = (_prose, _list, _object)[number % 3](rng, difficulty)
        told = "\n".join(f"- {_say(rule)}" for rule in rules)
        form = ("a short text", "a list", "a JSON object")[number % 3]
        text = f"Write {form} about {rng.choice(_TOPICS)}. Keep all of these rules:\n{told}\nWrite nothing besides it."
        return {"input": question(text), "ideal": compose(rules), "rules": rules}

    return distinct(make, n)


def _prose(rng: random.Random, level: int) -> list[_Rule]:
    exact = rng.randint(18, 30 * level)
    start, end = rng.choice(_STARTS), rng.choice(_ENDS)
    case = rng.choice(("lower", "upper", None))
    if case is not None:
        start, end = getattr(start, case)(), getattr(end, case)()
    rules: list[_Rule] = [
        {"rule": "words", "min": exact, "max": exact + 3 - level},
        {"rule": "sentences", "min": 1 + level, "max": 1 + level},
        {"rule": "starts_with", "text": start},
        {"rule": "ends_with", "text": end},
    ]
    rules += [_contains(rng, word) for word in rng.sample(_KEYWORDS, level)]
    said = {word.strip(".?!").lower() for word in end.split()}
    rules += [{"rule": "absent", "text": word} for word in rng.sample([b for b in _BANNED if b not in said], level)]
    return [*rules, {"rule": "case", "is": case}] if case is not None else rules


def _list(rng: random.Random, level: int) -> list[_Rule]:
    count, each = rng.randint(3, 3 + 2 * level), rng.randint(4, 9)
    rules: list[_Rule] = [
        {"rule": "only_bullets"},
        {"rule": "bullets", "min": count, "max": count},
        {"rule": "bullet_words", "min": each, "max": each},
        *(_contains(rng, word) for word in rng.sample(_KEYWORDS, level)),
        *({"rule": "absent", "text": word} for word in rng.sample(_BANNED, 1 + level)),
    ]
    return [*rules, {"rule": "case", "is": rng.choice(("lower", "upper"))}] if rng.random() < 0.5 else rules


def _object(rng: random.Random, level: int) -> list[_Rule]:
    keys, each = rng.sample(_KEYS, 2 + level), rng.randint(3, 4 + level)
    return [
        {"rule": "json_keys", "keys": keys},
        {"rule": "json_words", "min": each, "max": each},
        *(_contains(rng, word) for word in rng.sample(_KEYWORDS, level)),
        *({"rule": "absent", "text": word} for word in rng.sample(_BANNED, 1 + level)),
    ]


def _contains(rng: random.Random, word: str) -> _Rule:
    times = rng.randint(1, 2)
    return {"rule": "contains", "text": word, "min": times, "max": times}


def _say(rule: _Rule) -> str:
    low, high = rule.get("min"), rule.get("max")
    count = f"exactly {low}" if low == high else f"at least {low} and at most {high}"
    text = rule.get("text")
    sentences = {
        "words": f"It has {count} words (a word is what stands between spaces and has a letter or digit in it).",
        "sentences": f"It has {count} sentences; each ends with a full stop, a question mark or an exclamation mark.",
        "starts_with": f'It begins with "{text}".',
        "ends_with": f'It ends with "{text}"',
        "contains": f'The word "{text}" occurs exactly {"once" if low == 1 else "twice"}, in any case.',
        "absent": f'The word "{text}" does not occur, in any case.',
        "case": f"All of its letters are {rule.get('is')} case.",
        "only_bullets": "Every line is a bullet point that begins with a hyphen and a space.",
        "bullets": f"It has {count} bullet points.",
        "bullet_words": f"Each bullet point has {count} words.",
        "json_keys": f"It is one JSON object without a code fence, with these keys and no others: {', '.join(rule.get('keys', []))}.",
        "json_words": f"Every value is a string of {count} words.",
    }
    return sentences[rule["rule"]]


# -- an answer that keeps the rules --------------------------------------------------------------------------------


def compose(rules: Sequence[_Rule]) -> str:
    """A text that keeps the rules: their words, and neutral ones up to the length; it means nothing."""
    named = {rule["rule"]: rule for rule in rules}
    wanted = [rule["text"] for rule in rules if rule["rule"] == "contains" for _ in range(rule["min"])]
    if "json_keys" in named:
        keys, each = named["json_keys"]["keys"], named["json_words"]["min"]
        filled = _fill(wanted, len(keys) * each)
        return json.dumps({key: " ".join(filled[i * each : (i + 1) * each]) for i, key in enumerate(keys)})
    if "bullets" in named:
        count, each = named["bullets"]["min"], named["bullet_words"]["min"]
        filled = _fill(wanted, count * each)
        text = "\n".join("- " + " ".join(filled[i * each : (i + 1) * each]) for i in range(count))
    else:
        start, end = named["starts_with"]["text"], named["ends_with"]["text"]
        sentences = named["sentences"]["min"] - 1
        filled = [start, *_fill(wanted, named["words"]["min"] - len(end.split()) - 1)]
        size = len(filled) // sentences
        cuts = [filled[i * size : (i + 1) * size if i < sentences - 1 else None] for i in range(sentences)]
        text = " ".join([*(f"{cut[0][0].upper()}{' '.join(cut)[1:]}." for cut in cuts), end])
    case = named.get("case", {}).get("is")
    return text.upper() if case == "upper" else text.lower() if case == "lower" else text


def _fill(wanted: Sequence[str], count: int) -> list[str]:
    filling = [_FILLING[i % len(_FILLING)] for i in range(count - len(wanted))]
    return [*wanted, *filling]


_READ = {
    "words": r"^- It has (?P<count>.+) words ",
    "sentences": r"^- It has (?P<count>.+) sentences;",
    "starts_with": r'^- It begins with "(?P<text>.+)"\.$',
    "ends_with": r'^- It ends with "(?P<text>.+)"$',
    "contains": r'^- The word "(?P<text>\w+)" occurs exactly (?P<count>once|twice),',
    "case": r"^- All of its letters are (?P<is>\w+) case",
    "bullets": r"^- It has (?P<count>.+) bullet points",
    "bullet_words": r"^- Each bullet point has (?P<count>.+) words",
    "json_keys": r"and no others: (?P<keys>.+)\.$",
    "json_words": r"^- Every value is a string of (?P<count>.+) words",
}


def solve(row: Row) -> str:
    """Reads the rules from their sentences and writes what keeps them."""
    rules: list[_Rule] = []
    for name, pattern in _READ.items():
        for found in re.finditer(pattern, text_of(row), re.MULTILINE):
            rule: _Rule = {"rule": name, **found.groupdict()}
            if "count" in rule:
                told = rule.pop("count")
                rule["min"] = {"once": 1, "twice": 2}.get(told) or int(re.findall(r"\d+", told)[0])
            if "keys" in rule:
                rule["keys"] = rule["keys"].split(", ")
            rules.append(rule)
    return compose(rules)


TASKS = (
    Task(
        name="constraints_en",
        language="en",
        description="Short texts, lists and JSON objects that must keep five or more checkable rules; right when all are kept.",
        generate=generate,
        solve=solve,
        eval_class="aigc_evals.elsuite.constraints:Constraints",
        args={"max_tokens": 4096},
    ),
)
