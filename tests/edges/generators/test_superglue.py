"""SuperGLUE's sets from their own zip files."""

from __future__ import annotations

from typing import Any

import pytest
from support.generators import Made, World, jsonl, zip_of

ADDRESS = "https://dl.fbaipublicfiles.com/glue/superglue/data/v2/{}.zip"
BOOLQ = ADDRESS.format("BoolQ")


def boolq(split: str, count: int) -> bytes:
    return jsonl(
        {
            "question": f"is the {split} mill number {i} older than the bridge",
            "passage": f"Mill {i} -- Mill {i} was built in {1800 + i}, the bridge in 1802.",
            "idx": i,
            "label": i < 2,
        }
        for i in range(count)
    )


def test_boolq(world: World) -> None:
    files = {"BoolQ/train.jsonl": boolq("train", 5), "BoolQ/val.jsonl": boolq("val", 4), "BoolQ/test.jsonl": b"{}\n"}
    made = world.generate("BoolQ", {BOOLQ: zip_of(files)})
    assert [row["ideal"] for row in made.rows] == ["True", "True", "False", "False"]
    system, user = made.rows[0]["input"]
    assert system["role"] == "system"
    assert user == {
        "role": "user",
        "content": "Passage: Mill 0 -- Mill 0 was built in 1800, the bridge in 1802.\n\n"
        "Question: Is the val mill number 0 older than the bridge?",
    }
    made.scores("BoolQ_match", right=3, accuracy=3 / 4)
    made.scores("BoolQ_fuzzy", right=3, f1_score=3 / 4)
    made.scores("BoolQ_includes", right=1, accuracy=1 / 4)
    made.scores("BoolQ_fact", right=2)
    world.checked("BoolQ")


def archive(name: str, rows: list[Any], train: list[Any] | None = None, label: str = "label") -> dict[str, bytes]:
    """A task's zip file at its address: the rows to validate, others to train, and a test split without labels."""
    bare = [{key: value for key, value in row.items() if key != label} for row in rows]
    splits = {"train": train if train is not None else rows, "val": rows, "test": bare}
    return {ADDRESS.format(name): zip_of({f"{name}/{split}.jsonl": jsonl(found) for split, found in splits.items()})}


def asked(row: dict[str, Any]) -> str:
    """The last message of a row's prompt."""
    return str(row["input"][-1]["content"])


def says_true_and_false(made: Made, right: int, rate: float) -> None:
    """A model that answers the first ``right`` rows as expected, and not at all after that."""
    made.scores(f"{made.name}_match", right=right, accuracy=rate)
    made.scores(f"{made.name}_fuzzy", right=right, f1_score=rate)
    made.scores(f"{made.name}_includes", right=right, accuracy=rate)
    made.scores(f"{made.name}_fact", right=right)


def multirc(number: int) -> dict[str, Any]:
    told = f'In {1900 + number}, the keeper said: "Bring oil, wicks, and salt." Nobody came, so she rowed to Skerry\u2019s Bay.'
    questions = [
        {
            "question": "What did the keeper ask for?",
            "answers": [
                {"text": "Oil, wicks, and salt", "idx": 0, "label": 1},
                {"text": "Oil among other things", "idx": 1, "label": 1},
                {"text": "Bread", "idx": 2, "label": 0},
            ],
            "idx": 0,
        },
        {"question": "Who came?", "answers": [{"text": 'The "doctor"', "idx": 3, "label": 0}], "idx": 1},
    ]
    return {"idx": number, "version": 1.1, "passage": {"text": f" {told} ", "questions": questions}}


def test_multirc_asks_about_every_proposed_answer_by_itself(world: World) -> None:
    files = {f"MultiRC/{split}.jsonl": jsonl([multirc(1), multirc(2)]) for split in ("train", "val")}
    unlabelled = {"idx": 0, "passage": {"text": "t", "questions": [{"question": "q", "answers": [{"text": "a"}]}]}}
    made = world.generate(
        "MultiRC", {ADDRESS.format("MultiRC"): zip_of({**files, "MultiRC/test.jsonl": jsonl([unlabelled])})}
    )
    assert [row["ideal"] for row in made.rows] == ["True", "True", "False", "False"] * 2
    assert [row["cluster"] for row in made.rows] == ["1"] * 4 + ["2"] * 4
    assert asked(made.rows[3]) == (
        'Passage: In 1901, the keeper said: "Bring oil, wicks, and salt." Nobody came, so she rowed to Skerry\u2019s Bay.\n\n'
        'Question: Who came?\nProposed answer: The "doctor"'
    )
    says_true_and_false(made, right=6, rate=6 / 8)
    report = made.report("MultiRC_match", lambda prompt: "True")
    assert report["metrics"]["accuracy"]["value"] == 0.5
    world.checked("MultiRC")


def copa(number: int) -> dict[str, Any]:
    return {
        "premise": f"Lamp {number} went out.",
        "choice1": "The oil was used up.",
        "choice2": 'Someone said, "Dark!"',
        "question": "cause" if number % 2 else "effect",
        "label": 0 if number % 2 else 1,
        "idx": number,
    }


def test_copa_asks_for_a_letter(world: World) -> None:
    made = world.generate("COPA", archive("COPA", [copa(i) for i in range(5)]))
    assert [row["ideal"] for row in made.rows] == list("BABAB")
    assert asked(made.rows[0]) == (
        'Premise: Lamp 0 went out.\nWhat happened as a result of this?\nA. The oil was used up.\nB. Someone said, "Dark!"'
    )
    assert "What was the cause of this?" in asked(made.rows[1])
    report = made.scores("COPA_choice", right=3, wrong="Hard to say.", accuracy=1.0)
    assert (report["outcomes"]["unparsed"], report["accuracy_unparsed_wrong"]) == (2, 3 / 5)
    report = made.report("COPA_choice", lambda prompt: "The answer is (B), of course.")
    assert report["metrics"]["accuracy"]["value"] == 3 / 5
    report = made.report("COPA_choice", lambda prompt: "The oil was used up.")
    assert report["metrics"]["accuracy"]["value"] == 2 / 5, "an option's own words name it"
    made.scores("COPA_fact", right=4)
    world.checked("COPA")


def wic(number: int, label: bool) -> dict[str, Any]:
    first, second = f"The bank bank {number} is steep.", "They banked on his word."
    return {
        "word": "bank",
        "sentence1": first,
        "sentence2": second,
        "idx": number,
        "label": label,
        "start1": 9,
        "start2": 5,
        "end1": 13,
        "end2": 11,
        "version": 1.1,
    }


def test_wic_shows_which_word_is_meant(world: World) -> None:
    made = world.generate("WiC", archive("WiC", [wic(i, i < 3) for i in range(5)]))
    assert [row["ideal"] for row in made.rows] == ["True"] * 3 + ["False"] * 2
    assert asked(made.rows[4]) == (
        "Word: bank\nSentence 1: The bank **bank** 4 is steep.\nSentence 2: They **banked** on his word."
    )
    says_true_and_false(made, right=4, rate=4 / 5)
    world.checked("WiC")


def wsc(text: str, candidate: str, pronoun: str, at: int, label: bool, idx: int = 0) -> dict[str, Any]:
    target = {"span2_index": at, "span1_index": 0, "span1_text": candidate, "span2_text": pronoun}
    return {"text": text, "target": target, "idx": idx, "label": label}


MILLER = "The miller told him that he would pay him, if he could ."
ODDITIES = [
    wsc(MILLER, "The miller", "he", 5, True),
    wsc(MILLER, "the\nminer.", "he", 10, False, 1),
    wsc("Ada met Bo. SHE waved; then she left.", "Ada", "she", 6, True, 2),
    wsc("Ada met Bo. SHE waved; then she left.", "Bo", "She.", 3, False, 3),
    wsc("Cy's boat sank, so it was lost.", "boat", "them", 4, False, 4),
]


def test_wsc_marks_the_pronoun_whatever_its_span_looks_like(world: World) -> None:
    made = world.generate("WSC", archive("WSC", ODDITIES))
    texts = [asked(row).splitlines() for row in made.rows]
    assert [text[0] for text in texts] == [
        "Text: The miller told him that **he** would pay him, if he could .",
        "Text: The miller told him that he would pay him, if **he** could .",
        "Text: Ada met Bo. SHE waved; then **she** left.",
        "Text: Ada met Bo. **SHE** waved; then she left.",
        "Text: Cy's boat sank, so it was lost.",
    ]
    assert texts[1][2:] == ["Pronoun: he", "Candidate: the miner"]
    assert texts[3][2:] == ["Pronoun: She", "Candidate: Bo"]
    assert [row["cluster"] for row in made.rows] == ["0", "0", "1", "1", "2"]
    says_true_and_false(made, right=3, rate=3 / 5)
    world.checked("WSC")


def record(number: int) -> dict[str, Any]:
    text = (
        f"Mayor Ida Holm of \u00c5lesund met US envoy Lee {number}. Holm smiled.\n@highlight\nIda Holm met an envoy\n"
        "@highlight\nHe said: 'Fine, thanks'"
    )
    forms = ["Ida Holm", "\u00c5lesund", "US", "Holm"]
    places = [(text.index(form), text.index(form) + len(form) - 1, form) for form in forms[:3]]
    again = text.index("Holm smiled")
    places.append((again, again + 3, "Holm"))
    later = text.rindex("Ida Holm")
    places.append((later, later + 7, "Ida Holm"))
    answers = [{"start": start, "end": end, "text": form} for start, end, form in places if "Holm" in form]
    nation = [{"start": places[2][0], "end": places[2][1], "text": "US"}]
    return {
        "source": "Daily mail",
        "passage": {"text": text, "entities": [{"start": start, "end": end} for start, end, _ in places]},
        "qas": [
            {"query": "Later @placeholder, 51, went home.", "answers": answers, "idx": 2 * number},
            {"query": "The @placeholder has not commented.", "answers": nation, "idx": 2 * number + 1},
        ],
        "idx": number,
    }


def test_record_takes_any_form_of_the_name(world: World) -> None:
    unanswered = {**record(9), "qas": [{"query": "@placeholder", "idx": 0}]}
    splits = {"train": [record(7), record(8)], "val": [record(i) for i in range(3)], "test": [unanswered]}
    files = {f"ReCoRD/{split}.jsonl": jsonl(rows) for split, rows in splits.items()}
    made = world.generate("ReCoRD", {ADDRESS.format("ReCoRD"): zip_of(files)})
    assert [row["ideal"] for row in made.rows] == [["Ida Holm", "Holm"], ["US"]] * 3
    assert [row["cluster"] for row in made.rows] == ["0", "0", "1", "1", "2", "2"]
    assert asked(made.rows[0]) == (
        "Article: Mayor Ida Holm of \u00c5lesund met US envoy Lee 0. Holm smiled.\n\n"
        "In short:\n- Ida Holm met an envoy\n- He said: 'Fine, thanks'\n\n"
        "Entities:\n- Ida Holm\n- \u00c5lesund\n- US\n- Holm\n\n"
        "Sentence: Later @placeholder, 51, went home."
    )
    for name, metric in (("match", "accuracy"), ("fuzzy", "f1_score"), ("includes", "accuracy")):
        made.scores(f"ReCoRD_{name}", right=4, **{metric: 4 / 6})
        report = made.report(f"ReCoRD_{name}", lambda prompt: "Holm")
        assert report["metrics"]["accuracy"]["value"] == 3 / 6, "the other form of the name is right too"
    report = made.report("ReCoRD_includes", lambda prompt: "as usual")
    assert report["metrics"]["accuracy"]["value"] == 0, "US is no part of usual"
    made.scores("ReCoRD_fact", right=5)
    world.checked("ReCoRD")


SETS = {
    "MultiRC": [multirc(i) for i in range(4)],
    "COPA": [copa(i) for i in range(12)],
    "WiC": [wic(i, i < 3) for i in range(12)],
    "WSC": [wsc(f"Dora saw a whale. She left at {i}.", "Dora", "She", 4, i < 5, i) for i in range(12)],
    "ReCoRD": [record(i) for i in range(6)],
}


@pytest.mark.parametrize("name", SETS)
def test_samples_and_examples(name: str, world: World) -> None:
    rows = SETS[name]
    files = {f"{name}/{split}.jsonl": jsonl(found) for split, found in (("train", rows[::2]), ("val", rows[1::2]))}
    made = world.generate(name, {ADDRESS.format(name): zip_of(files)}, "--samples", 3, "--few_shot", 2)
    assert len(made.rows) == 3
    examples = [row["input"][1:-1] for row in made.rows]
    assert examples[0] == examples[1] == examples[2], "drawn once"
    assert [message["role"] for message in examples[0]] == ["user", "assistant"] * 2
    assert made.rows[0]["input"][0]["role"] == "system"
    for row in made.rows:
        assert asked(row) not in [message["content"] for message in row["input"][:-1]]
    world.checked(name)
