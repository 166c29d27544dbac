"""Letters and characters of words and phrases: ``letter_count_en``."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import pairwise

from aigc_evals.tasks.task import Row, Task, as_json, distinct, pool, question, text_of

_WORDS = pool("""
accommodation affectionately assassination balloonist bookkeeper broccoli cappuccino caterpillar cinnamon committee
connoisseur cooperation dandelion disappearance effervescence embarrassment engineering entrepreneur exaggeration
fluorescence grasshopper handkerchief hippopotamus hummingbird independence intelligence kaleidoscope lighthouse
marmalade mathematics mediterranean millennium mississippi misunderstanding mozzarella necessarily nevertheless
occasionally onomatopoeia parallelogram perseverance pineapple possessiveness questionnaire raspberry reconnaissance
refrigerator rhinoceros saxophonist screwdriver strawberry successfully tablecloth temperature tennessee thermometer
tomorrow umbrella unbelievable vaccination veterinarian waterproofing wheelbarrow whippersnapper xylophone yesterday
""")
_FORM = "\nWrite only the number, in digits, and nothing else."
_VOWELS = "aeiou"


def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    def make(number: int) -> Row:
        while True:
            text, value = _ask(rng, difficulty, number % 6)
            # JSON's true and false equal 1 and 0 in Python, so these two are no answers.
            if value > 1:
                return {"input": question(text + _FORM), "ideal": as_json(value)}

    return distinct(make, n)


def _ask(rng: random.Random, level: int, kind: int) -> tuple[str, int]:
    words = rng.sample(_WORDS, 1 + 2 * level)
    phrase = " ".join(words)
    letters = phrase.replace(" ", "")
    letter = rng.choice(sorted(set(letters), key=lambda c: (-letters.count(c), c))[:5])
    told = f'in the phrase "{phrase}"'
    if kind == 0:
        return f'How many times does the letter "{letter}" occur {told}?', sum(c == letter for c in phrase)
    if kind == 1:
        vowels = sum(letters.count(vowel) for vowel in _VOWELS)
        return f"How many vowels (a, e, i, o, u) are there {told}?", vowels
    if kind == 2:
        return f"How many characters are there {told}, spaces included?", sum(map(len, words)) + len(words) - 1
    if kind == 3:
        having = [word for word in words if word.count(letter) >= 2]
        return f'How many words contain the letter "{letter}" at least twice {told}?', len(having)
    if kind == 4:
        pairs = sum(a == b for word in words for a, b in pairwise(word))
        return f"How many times do two equal letters stand next to each other within a word {told}?", pairs
    last = max(i for i, c in enumerate(phrase, 1) if c == letter)
    return f'At which position, counted from 1, is the last "{letter}" {told}, spaces included?', last


def solve(row: Row) -> str:
    """Reads the question and counts, with patterns where it was made with sums."""
    text = text_of(row).split("\n")[0]
    quoted = re.findall(r'"([^"]+)"', text)
    phrase = quoted[-1]
    if "position" in text:
        return as_json(phrase.rindex(quoted[0]) + 1)
    if "vowels" in text:
        return as_json(len(re.findall(f"[{_VOWELS}]", phrase)))
    if "characters" in text:
        return as_json(len(phrase))
    if "at least twice" in text:
        return as_json(len(re.findall(rf"\b\w*{quoted[0]}\w*{quoted[0]}\w*\b", phrase)))
    if "equal letters" in text:
        return as_json(len(re.findall(r"(\w)(?=\1)", phrase)))
    return as_json(phrase.count(quoted[0]))


TASKS = (
    Task(
        name="letter_count_en",
        language="en",
        description="Letters, vowels, characters and their places in phrases of long words; right when the count is exact.",
        generate=generate,
        solve=solve,
    ),
)
