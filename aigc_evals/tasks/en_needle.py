"""Facts in a long text: ``needle_4k_en`` and ``needle_16k_en``, of about 4,000 and 16,000 tokens.

A token counts as four characters here, so the texts have about 16,000 and 64,000. The files are packed: the filling
repeats itself, and what is asked does not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from aigc_evals.tasks.task import Row, Task, as_json, distinct, question, text_of

_DEPOTS = (
    *("Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gorse", "Hazel", "Iris", "Juniper", "Kelp", "Larch"),
    *("Maple", "Nettle", "Oak", "Poplar", "Quince", "Rowan", "Sorrel", "Thorn", "Umber", "Violet", "Willow", "Yarrow"),
)
_WHO = (
    "The foreman",
    "A driver",
    "The night guard",
    "A visitor",
    "The clerk",
    "An apprentice",
    "The manager",
    "A painter",
)
_DID = (
    *("walked past", "took a picture of", "wrote a report about", "asked a question about", "swept the floor of"),
    *("left a parcel near", "counted the windows of", "drew a plan of"),
)
_WHAT = (
    "the old gate",
    "the loading bay",
    "the canteen",
    "the tool shed",
    "the east wing",
    "the car park",
    "the cold store",
)
_WHEN = (
    *("on a quiet morning", "shortly after lunch", "before the rain began", "while the radio was on"),
    *("at the end of the week", "when nobody was looking", "with some hesitation", "as on every other day"),
)
_FORM = (
    "What are the current codes of these depots, in this order: {asked}? A later correction replaces what stands before "
    "it; codes of cabinets and former codes do not count. Write only a JSON list of numbers, like [12345, 67890], "
    "and nothing else."
)


def generator(characters: int) -> Callable[[random.Random, int, int], Iterator[Row]]:
    """A generator of rows whose text has about this many characters."""

    def generate(rng: random.Random, n: int, difficulty: int) -> Iterator[Row]:
        def make(number: int) -> Row:
            return _row(rng, characters, difficulty, many=number % 3 > 0)

        return distinct(make, n)

    return generate


def _row(rng: random.Random, characters: int, level: int, *, many: bool) -> Row:
    depots = rng.sample(_DEPOTS, 6 + 3 * level)
    codes = {depot: rng.randint(10_000, 99_999) for depot in depots}
    asked = depots[: 2 + level if many else 1]
    said: list[str] = []
    # In the order in which they will stand in the text.
    for depot in rng.sample(depots, len(depots)):
        said.append(f"The code of the {depot} depot is {codes[depot]}.")
        trick = rng.randrange(3)
        if trick == 0:
            said.append(f"The code of the cabinet in the {depot} depot is {rng.randint(10_000, 99_999)}.")
        elif trick == 1:
            said.append(f"The former code of the {depot} depot was {rng.randint(10_000, 99_999)}.")
    corrected = rng.sample(asked, min(level, len(asked))) if many or rng.random() < 0.5 else []
    for depot in corrected:
        codes[depot] = rng.randint(10_000, 99_999)
        said.append(f"Correction: the code of the {depot} depot is {codes[depot]}.")
    count = characters // 72
    filling = [_filler(rng) for _ in range(count)]
    for place, sentence in sorted(zip(sorted(rng.sample(range(count), len(said))), said, strict=True), reverse=True):
        filling.insert(place, sentence)
    paragraphs = [" ".join(filling[i : i + 12]) for i in range(0, len(filling), 12)]
    text = "\n\n".join([*paragraphs, _FORM.format(asked=", ".join(asked))])
    return {"input": question(text), "ideal": as_json([codes[depot] for depot in asked])}


def _filler(rng: random.Random) -> str:
    return f"{rng.choice(_WHO)} {rng.choice(_DID)} {rng.choice(_WHAT)} {rng.choice(_WHEN)}."


def solve(row: Row) -> str:
    """Reads the text from its beginning to its end; the last word on a depot counts."""
    text, asked = text_of(row).rsplit("\n\n", 1)
    codes = {found[1]: int(found[2]) for found in re.finditer(r"\b[Tt]he code of the (\w+) depot is (\d+)\.", text)}
    names = re.search(r"in this order: ([^?]+)\?", asked)
    assert names is not None
    return as_json([codes[name] for name in names[1].split(", ")])


TASKS = tuple(
    Task(
        name=f"needle_{thousands}k_en",
        language="en",
        description=f"One or several codes out of a text of about {thousands},000 tokens, with similar codes and corrections in it; "
        "right when all codes are, in the order asked for.",
        generate=generator(4000 * thousands),
        solve=solve,
        size=150,
        packed=True,
    )
    for thousands in (4, 16)
)
