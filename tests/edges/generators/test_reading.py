"""Reading comprehension: conversations, sums over paragraphs, unanswerable questions, an examination."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.generators import Made, World, tar_of, zip_of

COQA = "https://nlp.stanford.edu/data/coqa/coqa-{}-v1.0.json"
DROP = "https://ai2-public-datasets.s3.amazonaws.com/drop/drop_dataset.zip"
SQUAD = "https://rajpurkar.github.io/SQuAD-explorer/dataset/{}-v2.0.json"
RACE = "https://www.cs.cmu.edu/~glai1/data/race/RACE.tar.gz"


def dumped(value: Any, **how: Any) -> bytes:
    return json.dumps(value, **how).encode()


def asked(row: dict[str, Any]) -> str:
    """The last message of a row's prompt."""
    return str(row["input"][-1]["content"])


def rate(made: Made, kind: str, answer: str | Callable[[Any], str], metric: str = "accuracy") -> float:
    """The metric of an eval whose every question gets the same answer."""
    report = made.report(f"{made.name}_{kind}", answer if callable(answer) else lambda prompt: answer)
    return float(report["metrics"][metric]["value"])


def story(number: int, people: int = 3) -> dict[str, Any]:
    turns = [
        ("Who kept the light?", ["Ren\u00e9e", "Ren\u00e9e", "the widow Ren\u00e9e", "Ren\u00e9e"]),
        (" Was she alone? ", ["no", "No", "no", "no"]),
        ("With whom?", ["her goat, Bell", "a goat", "her goat", "with a goat"]),
        ("When did she leave?", ["unknown", "unknown", "unknown", "unknown"]),
    ]
    made: dict[str, Any] = {
        "source": "gutenberg",
        "id": f"3dr{number}",
        "filename": f"tale{number}.txt",
        "story": f'Light {number}. \n\n"Bell!" called Ren\u00e9e, and her goat came. \n',
        "questions": [{"input_text": text, "turn_id": i} for i, (text, _) in enumerate(turns, 1)],
        "name": f"tale{number}.txt",
    }

    def by(person: int) -> list[dict[str, Any]]:
        return [
            {
                "span_start": -1,
                "span_end": -1,
                "span_text": "unknown",
                "input_text": answers[person],
                "turn_id": i,
            }
            for i, (_, answers) in enumerate(turns, 1)
        ]

    made["answers"] = by(0)
    if people:
        # Found by their turns, in whatever order they stand.
        made["additional_answers"] = {str(i): by(i + 1)[:: -1 if i else 1] for i in range(people)}
    return made


def coqa(count: int = 2) -> dict[str, bytes]:
    train, dev = ([story(i + shift, people) for i in range(count)] for shift, people in ((50, 0), (0, 3)))
    return {
        COQA.format("train"): dumped({"version": "1.0", "data": train}, indent=2),
        COQA.format("dev"): dumped({"version": "1.0", "data": dev}, indent=2),
    }


def test_coqa_goes_on_with_the_conversation(world: World) -> None:
    made = world.generate("CoQA", coqa())
    assert [row["ideal"] for row in made.rows[:4]] == [
        ["Ren\u00e9e", "the widow Ren\u00e9e"],
        ["no", "No"],
        ["her goat, Bell", "a goat", "her goat", "with a goat"],
        ["unknown"],
    ]
    assert [row["cluster"] for row in made.rows] == ["3dr0"] * 4 + ["3dr1"] * 4
    told = 'Story: Light 0. \n\n"Bell!" called Ren\u00e9e, and her goat came.\n\n'
    assert asked(made.rows[0]) == told + "Question: Who kept the light?"
    assert asked(made.rows[2]) == (
        told
        + "The conversation so far:\nQ: Who kept the light?\nA: Ren\u00e9e\nQ: Was she alone?\nA: no\n\nQuestion: With whom?"
    )
    for kind, metric in (("match", "accuracy"), ("fuzzy", "f1_score"), ("includes", "accuracy")):
        made.scores(f"CoQA_{kind}", right=5, **{metric: 5 / 8})
        assert rate(made, kind, "No.") == 2 / 8
    assert rate(made, "includes", "I know nobody.") == 0, "no is no part of know"
    made.scores("CoQA_fact", right=6)
    world.checked("CoQA")


def test_coqa_to_train_has_one_answer_each(world: World) -> None:
    made = world.generate("CoQA", coqa(), "--split", "train")
    assert [row["ideal"] for row in made.rows[:3]] == [["Ren\u00e9e"], ["no"], ["her goat, Bell"]]


def answer(number: str = "", spans: tuple[str, ...] = (), **date: str) -> dict[str, Any]:
    return {"number": number, "date": {"day": "", "month": "", "year": "", **date}, "spans": list(spans)}


def section(number: int, validated: bool = True) -> dict[str, Any]:
    given = [
        ('How many boats, "wrecks" included?', answer("3"), [answer("3"), answer("13")]),
        ("Who rowed?", answer(spans=("Ada", "Bo Lind")), [answer(spans=("Ada", "Bo Lind")), answer(spans=("Ada",))]),
        ("When did they land?", answer(day="4", month="May", year="1912"), [answer(month="May", year="1912")]),
        ("How many tons?", answer("1,200.5"), []),
        ("What?", answer(), [answer()]),
    ]
    return {
        "passage": f"  In case {number}, 3 boats and 10 wrecks were counted on 4 May 1912.  Ada and Bo Lind rowed.",
        "wiki_url": "https://example.org/wiki",
        "qa_pairs": [
            {
                "question": question,
                "answer": first,
                "query_id": f"{number}-{i}",
                **({"validated_answers": more} if validated else {}),
            }
            for i, (question, first, more) in enumerate(given)
        ],
    }


def drop(count: int = 2) -> dict[str, bytes]:
    folders = {
        short: {f"history_{i + shift}": section(i + shift, short == "dev") for i in range(count)}
        for short, shift in (("train", 50), ("dev", 0))
    }
    files = {f"drop_dataset/drop_dataset_{short}.json": dumped(found, indent=4) for short, found in folders.items()}
    return {DROP: zip_of({**files, "drop_dataset/license.txt": b"CC BY-SA 4.0"})}


def test_drop_takes_numbers_dates_and_spans(world: World) -> None:
    made = world.generate("DROP", drop())
    assert [row["ideal"] for row in made.rows] == [
        ["3", "13"],
        ["Ada, Bo Lind", "Ada"],
        ["4 May 1912", "May 1912"],
        ["1,200.5"],
    ] * 2, "a question without any answer is none"
    assert [row["cluster"] for row in made.rows] == ["history_0"] * 4 + ["history_1"] * 4
    assert asked(made.rows[0]) == (
        "Passage: In case 0, 3 boats and 10 wrecks were counted on 4 May 1912.  Ada and Bo Lind rowed.\n\n"
        'Question: How many boats, "wrecks" included?'
    )
    for kind, metric in (("match", "accuracy"), ("fuzzy", "f1_score"), ("includes", "accuracy")):
        made.scores(f"DROP_{kind}", right=6, **{metric: 6 / 8})
        assert rate(made, kind, "1200.5") == 2 / 8, "numbers by their value"
        assert rate(made, kind, "133") == 0, "3 is no part of 133"
    assert rate(made, "includes", "They landed on the 4 May 1912.") == 2 / 8
    made.scores("DROP_fact", right=7)
    world.checked("DROP")


def test_drop_to_train_has_one_answer_each(world: World) -> None:
    made = world.generate("DROP", drop(), "--split", "train")
    assert [row["ideal"] for row in made.rows[:4]] == [["3"], ["Ada, Bo Lind"], ["4 May 1912"], ["1,200.5"]]


def squad(count: int = 2, shift: int = 0, version: str = "v2.0") -> bytes:
    def paragraph(number: int) -> dict[str, Any]:
        qas: list[dict[str, Any]] = [
            {
                "question": " Where does it rise? ",
                "id": f"a{number}",
                "answers": places("Mount Hie", "in Mount Hie", "Mount Hie"),
            },
            {"question": "How long is it?", "id": f"b{number}", "answers": places("13 km")},
        ]
        if version == "v2.0":
            for qa in qas:
                qa["is_impossible"] = False
            wrong = {"plausible_answers": places("1921"), "answers": [], "is_impossible": True}
            qas.append({"question": "When was it dug?", "id": f"c{number}", **wrong})
        return {"qas": qas, "context": f"The Ono ({number}) rises in Mount Hie; it is 13 km long.\n"}

    def places(*texts: str) -> list[dict[str, Any]]:
        return [{"text": text, "answer_start": 9} for text in texts]

    articles = [
        {
            "title": f"Ono_\u5927\u91ce_{i + shift}",
            "paragraphs": [paragraph(2 * i + shift), paragraph(2 * i + 1 + shift)],
        }
        for i in range(count)
    ]
    return dumped({"version": version, "data": articles})


def test_squad_has_several_golds_and_questions_without_answer(world: World) -> None:
    made = world.generate("SQuAD", {SQUAD.format("train"): squad(shift=50), SQUAD.format("dev"): squad()})
    assert [row["ideal"] for row in made.rows] == [["Mount Hie", "in Mount Hie"], ["13 km"], "unanswerable"] * 4
    assert made.rows[0]["cluster"] == made.rows[2]["cluster"] == "Ono_\u5927\u91ce_0/0"
    assert len({row["cluster"] for row in made.rows}) == 4
    assert asked(made.rows[0]) == (
        "Title: Ono \u5927\u91ce 0\nPassage: The Ono (0) rises in Mount Hie; it is 13 km long.\n\nQuestion: Where does it rise?"
    )
    for kind, metric in (("match", "accuracy"), ("fuzzy", "f1_score"), ("includes", "accuracy")):
        made.scores(f"SQuAD_{kind}", right=9, **{metric: 9 / 12})
        assert rate(made, kind, "unanswerable") == 1 / 3
    assert rate(made, "includes", "It says 3 km.") == 0
    made.scores("SQuAD_fact", right=10)
    world.checked("SQuAD")


def test_squad_of_version_1_serves_as_source(world: World) -> None:
    for short in ("train", "dev"):
        (world.folder / f"{short}-v1.1.json").write_bytes(squad(version="1.1"))
    made = world.generate("SQuAD", {}, "--source", world.folder)
    assert [row["ideal"] for row in made.rows[:2]] == [["Mount Hie", "in Mount Hie"], ["13 km"]]
    assert len(made.rows) == 8


def article(name: str, level: str, count: int = 2) -> bytes:
    return dumped(
        {
            "answers": ["C", "A"][:count],
            "options": [["a hen", "two, three", 'the "rake"', "snow "], ["Yes", "No", "Perhaps", "All of A, B and C"]][
                :count
            ],
            "questions": ["He took   _  .", f"Is {name} true?"][:count],
            "article": f"Here is {level} text {name}.\nI don\u2019t know .",
            "id": f"{level}{name}",
        }
    )


def race(count: int = 2) -> dict[str, bytes]:
    files = {
        f"RACE/{split}/{level}/{i + shift}.txt": article(f"{i + shift}.txt", level)
        for split, shift in (("train", 50), ("dev", 0), ("test", 90))
        for level in ("high", "middle")
        for i in range(count)
    }
    return {RACE: tar_of({**files, "RACE/._litter": b"\x00\xff", "RACE/readme": b"RACE"})}


def test_race_asks_for_letters(world: World) -> None:
    made = world.generate("RACE", race())
    assert [row["ideal"] for row in made.rows] == list("CA") * 4
    assert [row["cluster"] for row in made.rows[::2]] == ["middle0.txt", "middle1.txt", "high0.txt", "high1.txt"]
    assert made.rows[-1]["metadata"] == {"subject": "high", "title": "high school"}
    assert made.rows[0]["choices"] == ["a hen", "two, three", 'the "rake"', "snow"]
    assert asked(made.rows[0]) == (
        "Article: Here is middle text 0.txt.\nI don\u2019t know .\n\n"
        'Question: He took   _  .\nA. a hen\nB. two, three\nC. the "rake"\nD. snow'
    )
    report = made.scores("RACE_choice", right=6, wrong="The answer is (B).", accuracy=6 / 8)
    assert report["outcomes"]["scored"] == 8
    made.scores("RACE_fact", right=3)
    world.checked("RACE")


@pytest.mark.parametrize("split, first", [("train", "high50.txt"), ("test", "high90.txt")])
def test_race_has_answers_in_every_split(split: str, first: str, world: World) -> None:
    made = world.generate("RACE", race(), "--split", split, "--subset", "high")
    assert made.rows[0]["cluster"] == first
    assert len(made.rows) == 4


SETS: dict[str, Callable[[], dict[str, bytes]]] = {
    "CoQA": lambda: coqa(4),
    "DROP": lambda: drop(4),
    "SQuAD": lambda: {SQUAD.format("train"): squad(4, shift=50), SQUAD.format("dev"): squad(4)},
    "RACE": lambda: race(4),
}


@pytest.mark.parametrize("name", SETS)
def test_samples_and_examples(name: str, world: World) -> None:
    made = world.generate(name, SETS[name](), "--samples", 5, "--few_shot", 2)
    assert len(made.rows) == 5
    for row in made.rows:
        roles = [message["role"] for message in row["input"]]
        assert roles == ["system", *["user", "assistant"] * 2, "user"]
        examples = [message["content"] for message in row["input"][1:-1:2]]
        assert asked(row) not in examples
        if name == "RACE":
            assert all(f"is {row['metadata']['subject']} text" in example for example in examples)
    kind, wrong = ("choice", "The answer is D.") if name == "RACE" else ("match", "zzz")
    made.scores(f"{name}_{kind}", right=2, wrong=wrong, accuracy=2 / 5)
    world.checked(name)


def test_a_source_that_is_not_as_it_should_be_is_told_with_its_place(world: World) -> None:
    for address in (SQUAD.format("train"), SQUAD.format("dev")):
        world.publisher.serve(address, b'{"version": "v2.0", "data": [}')
    code, _, err = world.command("generate", "SQuAD")
    assert code == 2
    assert "train-v2.0.json:1:30" in err
    assert "not JSON" in err
