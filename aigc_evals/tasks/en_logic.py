"""Deduction: ``knights_en`` (who tells the truth) and ``ordering_en`` (what follows from comparisons)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product

from aigc_evals.tasks.task import Row, Task, as_json, distinct, question, text_of

_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ivo", "Jade", "Kit", "Lena", "Milo", "Nora")
_INTRO = (
    "On an island everyone is either a knight, who only says what is so, or a knave, who only says what is not so. "
    "You meet {names}.\n"
)
_KNIGHTS_FORM = (
    "\nWhat is each of them? Write only a JSON object with each name as a key and "
    'either "knight" or "knave" as its value, and nothing else.'
)
_Kinds = dict[str, bool]
_Claim = tuple[str, Callable[[_Kinds], bool]]


def generate_knights(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    def make(_: int) -> Row:
        while True:
            names = sorted(rng.sample(_NAMES, 2 + difficulty))
            kinds = {name: rng.random() < 0.5 for name in names}
            said = {name: _claim(rng, name, names, kinds) for name in names}
            fitting = [
                world
                for values in product((True, False), repeat=len(names))
                for world in [dict(zip(names, values, strict=True))]
                if all(said[name][1](world) == world[name] for name in names)
            ]
            if fitting == [kinds]:
                break
        lines = "\n".join(f'{name} says: "{said[name][0]}"' for name in names)
        told = ", ".join(names[:-1]) + " and " + names[-1]
        ideal = {name: "knight" if kinds[name] else "knave" for name in names}
        return {"input": question(_INTRO.format(names=told) + lines + _KNIGHTS_FORM), "ideal": as_json(ideal)}

    return distinct(make, n)


def _claim(rng: random.Random, speaker: str, names: Sequence[str], kinds: _Kinds) -> _Claim:
    """Something that the speaker would say in the world ``kinds``."""
    while True:
        claim = _any_claim(rng, speaker, names)
        if claim[1](kinds) == kinds[speaker]:
            return claim


def _any_claim(rng: random.Random, speaker: str, names: Sequence[str]) -> _Claim:
    a, b = rng.sample([name for name in names if name != speaker], 2)
    count = rng.randint(1, len(names) - 1)
    word = rng.choice(("knight", "knave"))
    are = "is a knight" if count == 1 else "are knights"
    claims: tuple[_Claim, ...] = (
        (f"{a} is a {word}.", lambda w: w[a] == (word == "knight")),
        (f"{a} and {b} are of the same kind.", lambda w: w[a] == w[b]),
        (f"{a} and {b} are of different kinds.", lambda w: w[a] != w[b]),
        (f"Exactly {count} of us {are}.", lambda w: sum(w.values()) == count),
        (f"If {a} is a knight, then {b} is a {word}.", lambda w: not w[a] or w[b] == (word == "knight")),
        (f"At least one of {a} and {b} is a {word}.", lambda w: (word == "knight") in (w[a], w[b])),
        (f"I am of the same kind as {a}.", lambda w: w[speaker] == w[a]),
    )
    return rng.choice(claims)


_PATTERNS: tuple[tuple[str, Callable[[Sequence[str], str, _Kinds], bool]], ...] = (
    (r"(\w+) is a (\w+)\.", lambda p, me, w: w[p[0]] is (p[1] == "knight")),
    (r"(\w+) and (\w+) are of the same kind\.", lambda p, me, w: len({w[p[0]], w[p[1]]}) == 1),
    (r"(\w+) and (\w+) are of different kinds\.", lambda p, me, w: len({w[p[0]], w[p[1]]}) == 2),
    (r"Exactly (\d+) of us (?:is a knight|are knights)\.", lambda p, me, w: list(w.values()).count(True) == int(p[0])),
    (
        r"If (\w+) is a knight, then (\w+) is a (\w+)\.",
        lambda p, me, w: (w[p[1]] is (p[2] == "knight")) if w[p[0]] else True,
    ),
    (
        r"At least one of (\w+) and (\w+) is a (\w+)\.",
        lambda p, me, w: any(w[name] is (p[2] == "knight") for name in p[:2]),
    ),
    (r"I am of the same kind as (\w+)\.", lambda p, me, w: w[me] is w[p[0]]),
)


def solve_knights(row: Row) -> str:
    """Reads what everyone says, and tries every world."""
    said = re.findall(r'^(\w+) says: "(.+)"$', text_of(row), re.MULTILINE)
    names = [name for name, _ in said]
    read = []
    for name, claim in said:
        for pattern, holds in _PATTERNS:
            if found := re.fullmatch(pattern, claim):
                read.append((name, found.groups(), holds))
    assert len(read) == len(said)
    worlds = []
    for bits in range(2 ** len(names)):
        world = {name: bool(bits >> place & 1) for place, name in enumerate(names)}
        if all(holds(parts, name, world) is world[name] for name, parts, holds in read):
            worlds.append(world)
    (world,) = worlds
    return as_json({name: "knight" if world[name] else "knave" for name in names})


# -- ordering ----------------------------------------------------------------------------------------------------

_SCALES = (
    ("heavier", "lighter", "box"),
    ("taller", "shorter", "tower"),
    ("older", "younger", "tree"),
    ("faster", "slower", "boat"),
    ("brighter", "dimmer", "lamp"),
)
_LABELS = (
    *("amber", "black", "cream", "denim", "ebony", "fawn", "green", "hazel", "indigo", "jade", "khaki", "lilac"),
    *("mauve", "navy", "ochre", "pink", "red", "silver", "teal", "white"),
)
_ORDERING_FORM = "\nWrite only one word in lower case, true or false."


def generate_ordering(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
    def make(number: int) -> Row:
        more, less, thing = rng.choice(_SCALES)
        count = 4 + 3 * difficulty
        order = [f"the {label} {thing}" for label in rng.sample(_LABELS, count)]
        pairs = list(pairwise(order))
        # Some true comparisons that the chain does not need.
        pairs += [tuple(order[i] for i in sorted(rng.sample(range(count), 2))) for _ in range(difficulty)]  # type: ignore[misc]
        facts = []
        for high, low in rng.sample(pairs, len(pairs)):
            first, word, second = (high, more, low) if rng.random() < 0.5 else (low, less, high)
            facts.append(f"{first[0].upper()}{first[1:]} is {word} than {second}.")
        gap = rng.randint(2, count - 2)
        place = rng.randrange(count - gap)
        a, b = order[place], order[place + gap]
        right = number % 2 == 0
        word = more if rng.random() < 0.5 else less
        first, second = (a, b) if (word == more) is right else (b, a)
        asked = f"Does it follow that {first} is {word} than {second}?"
        return {"input": question("\n".join([*facts, asked]) + _ORDERING_FORM), "ideal": as_json(right)}

    return distinct(make, n)


def solve_ordering(row: Row) -> str:
    """Reads the comparisons as arrows, and looks for a way from one thing to the other."""
    text = text_of(row).lower()
    higher = {more for more, _, _ in _SCALES}
    arrows: dict[str, set[str]] = {}
    for first, word, second in re.findall(r"^(the \w+ \w+) is (\w+) than (the \w+ \w+)\.$", text, re.MULTILINE):
        above, below = (first, second) if word in higher else (second, first)
        arrows.setdefault(above, set()).add(below)
    asked = re.search(r"follow that (the \w+ \w+) is (\w+) than (the \w+ \w+)\?", text)
    assert asked is not None
    above, below = (asked[1], asked[3]) if asked[2] in higher else (asked[3], asked[1])
    reached, ahead = set(), [above]
    while ahead:
        for thing in arrows.get(ahead.pop(), ()):
            if thing not in reached:
                reached.add(thing)
                ahead.append(thing)
    return as_json(below in reached)


def half(rows: Sequence[Row]) -> float:
    """The random baseline picks one of the two words that the prompt offers."""
    del rows
    return 0.5


TASKS = (
    Task(
        name="knights_en",
        language="en",
        description="Knights and knaves: who tells the truth follows from what they say; right when all of them are.",
        generate=generate_knights,
        solve=solve_knights,
    ),
    Task(
        name="ordering_en",
        language="en",
        description="Whether a comparison follows from many others, true or false; half of the rows are true.",
        generate=generate_ordering,
        solve=solve_ordering,
        chance=half,
    ),
)
