"""Sets of everyday sense: two options and more, pairs of rows, files that only come by mail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.generators import World, csv_of, jsonl, read_rows, zip_of

WINOGRANDE = "https://storage.googleapis.com/ai2-mosaic/public/winogrande/winogrande_1.1.zip"
HELLASWAG = "https://raw.githubusercontent.com/rowanz/hellaswag/master/data/hellaswag_{}.jsonl"
ARC = "https://ai2-public-datasets.s3.amazonaws.com/arc/ARC-V1-Feb2018.zip"
CLOZE = [
    "InputStoryid",
    *(f"InputSentence{n}" for n in range(1, 5)),
    "RandomFifthSentenceQuiz1",
    "RandomFifthSentenceQuiz2",
    "AnswerRightEnding",
]


def winogrande() -> dict[str, bytes]:
    rows = [
        {
            "qID": f"3FCO4VKOZ4BJQ6IFUHHKT4WZ4O3HE{pair}-{turn}",
            "sentence": f"The chest no. {pair} did not fit through the door since the _ was too {how}. ",
            "option1": "chest",
            "option2": "door",
            "answer": str(turn),
        }
        for pair in range(3)
        for turn, how in ((1, "wide"), (2, "narrow"))
    ]
    files = {
        "winogrande_1.1/dev.jsonl": jsonl(rows),
        "winogrande_1.1/dev-labels.lst": b"1\n2\n",
        "winogrande_1.1/train_xl.jsonl": jsonl(
            {**row, "sentence": f"Once: {row['sentence']}", "qID": f"T{row['qID']}"} for row in rows
        ),
        "winogrande_1.1/train_xs.jsonl": jsonl([]),
        "winogrande_1.1/test.jsonl": jsonl([{key: row[key] for key in row if key != "answer"} for row in rows]),
        "__MACOSX/winogrande_1.1/._dev.jsonl": b"\x00\x05",
    }
    return {WINOGRANDE: zip_of(files)}


def test_winogrande(world: World) -> None:
    made = world.generate("WinoGrande", winogrande(), "--few_shot", 2)
    assert [row["ideal"] for row in made.rows] == list("AB") * 3
    assert made.rows[1]["input"][-1]["content"] == (
        "Sentence: The chest no. 0 did not fit through the door since the _ was too narrow.\nA. chest\nB. door"
    )
    assert [message["role"] for message in made.rows[0]["input"]] == ["system", *["user", "assistant"] * 2, "user"]
    assert all("Once" in message["content"] for message in made.rows[0]["input"][1:5:2])
    assert made.rows[0]["cluster"] == made.rows[1]["cluster"] != made.rows[2]["cluster"]
    assert len((Path("datasets") / "WinoGrande" / "train.jsonl").read_text(encoding="utf-8").splitlines()) == 6

    report = made.scores("WinoGrande_choice", right=4, wrong="It fits neither way.", accuracy=1.0)
    assert report["outcomes"]["unparsed"] == 2
    assert report["accuracy_unparsed_wrong"] == pytest.approx(4 / 6)
    report = made.report("WinoGrande_choice", lambda prompt: "The answer is (A).")
    assert report["metrics"]["accuracy"]["value"] == pytest.approx(0.5)
    made.scores("WinoGrande_fact", right=5)
    world.checked("WinoGrande")


def stories(count: int, answered: bool = True) -> bytes:
    rows = [
        [
            f"id-{n}",
            f"Ann, {n} years old, ran.",
            'She cried: "Stop, thief!"',
            "It\nrained.",
            "She hid.",
            "Bad.",
            "Good.",
        ]
        for n in range(count)
    ]
    return csv_of([CLOZE, *[[*row, str(1 + n % 2) if answered else ""] for n, row in enumerate(rows)]])


def test_story_cloze_says_where_its_files_are_asked_for(world: World) -> None:
    code, _, err = world.command("generate", "StoryCloze")
    assert code == 2
    assert "--source" in err
    assert "https://cs.rochester.edu/nlp/rocstories/" in err
    assert not world.publisher.requests
    assert not Path("datasets/StoryCloze/validation.jsonl").exists()


def test_story_cloze_reads_what_was_sent(world: World) -> None:
    sent = world.folder / "sent by mail"
    sent.mkdir()
    for name, content in {
        "cloze_test_val__spring2016 - cloze_test_ALL_val.csv": b"\xef\xbb\xbf" + stories(5),
        "cloze_test_test__spring2016 - cloze_test_ALL_test.csv": stories(7),
        "cloze_test_val__winter2018-cloze_test_ALL_val - 1 - 1.csv": stories(4),
        "cloze_test_test__winter2018-cloze_test_ALL_test - 1.csv": stories(9, answered=False),
        "ROCStories_winter2017 - ROCStories_winter2017.csv": csv_of([["storyid", "storytitle", "sentence1"]]),
    }.items():
        (sent / name).write_bytes(content)
    made = world.generate("StoryCloze", {}, "--source", sent, "--subset", "spring2016")
    assert [row["ideal"] for row in made.rows] == list("ABABA")
    assert made.rows[3]["metadata"] == {"subject": "spring2016", "title": "Spring 2016"}
    assert made.rows[3]["input"][-1]["content"] == (
        'Story: Ann, 3 years old, ran. She cried: "Stop, thief!" It\nrained. She hid.\n\nEndings:\nA. Bad.\nB. Good.'
    )
    made.scores("StoryCloze_choice", right=3, wrong="perhaps", accuracy=1.0)
    made.scores("StoryCloze_fact", right=2)
    world.checked("StoryCloze")

    assert len(world.generate("StoryCloze", {}, "--source", sent).rows) == 9
    assert len(world.generate("StoryCloze", {}, "--source", sent, "--split", "test").rows) == 7
    shown = world.generate("StoryCloze", {}, "--source", sent, "--subset", "winter2018", "--few_shot", 3).rows
    assert len(shown) == 4
    assert all(len({message["content"] for message in row["input"][1::2]}) == 4 for row in shown)


def test_story_cloze_passes_over_what_else_came_with_its_files(world: World) -> None:
    sent = world.folder / "寄来的"
    sent.mkdir()
    for name, content in {
        "cloze_test_val__spring2016.csv": stories(3),
        "cloze_test_val.xlsx": zip_of(
            {"[Content_Types].xml": b"<Types/>", "xl/sharedStrings.xml": ",".join(CLOZE).encode()}
        ),
        "café.csv": csv_of([["titre"], ["\u201cun été\u201d"]], encoding="cp1252"),
        "表.csv": csv_of([["标题"], ["甲"]], encoding="utf-16"),
        "._cloze_test_val__spring2016.csv": b"\x00\x05",
    }.items():
        (sent / name).write_bytes(content)
    assert len(world.generate("StoryCloze", {}, "--source", sent).rows) == 3

    (sent / "cloze_test_val__winter2018.csv").write_bytes(stories(2).decode().encode("utf-16"))
    code, _, err = world.command("generate", "StoryCloze", "--source", sent)
    assert (code, "It looks like utf-16" in err) == (2, True), "a file of the set is not passed over"


def test_story_cloze_takes_one_file(world: World) -> None:
    file = world.folder / "cloze_testtest_spring2016.csv"
    file.write_bytes(stories(3))
    assert len(world.generate("StoryCloze", {}, "--source", file, "--split", "test").rows) == 3
    code, _, err = world.command("generate", "StoryCloze", "--source", file, "--split", "validation")
    assert code == 2
    assert "validation" in err
    file.write_bytes(csv_of([["a", "b"], [1, 2]]))
    code, _, err = world.command("generate", "StoryCloze", "--source", file)
    assert code == 2
    assert "RandomFifthSentenceQuiz1" in err


def test_hellaswag(world: World) -> None:
    def row(n: int, source: str, ctx: str, ending: str) -> dict[str, Any]:
        endings = [
            f"[title] {ending} {n} [step] Go on. [substeps] Then rest.",
            "flies.",
            "is ripping tiles.",
            "sleeps.",
        ]
        named = {"ind": n, "activity_label": "Making tea", "ctx_a": ctx, "ctx_b": "", "ctx": ctx, "split": "val"}
        return {**named, "split_type": "indomain", "label": n % 4, "endings": endings, "source_id": source}

    rows = [
        row(0, "wikihow~7", "[header] How to make tea [title] Boil water. [step] Use a pot.", "Pour?"),
        row(1, "wikihow~7", "[header] How to drink it? [title] Wait", "Sip!"),
        row(2, "activitynet~v_-JhWjGDPHMY", "A man [sic] sits on a roof. he", "is ripping level"),
    ]
    train = [{**one, "ctx": f"Before, {one['ctx']}"} for one in rows]
    files = {HELLASWAG.format("val"): jsonl(rows), HELLASWAG.format("train"): jsonl(train)}
    made = world.generate("hellaswag", files, "--few_shot", 1)
    assert [line["ideal"] for line in made.rows] == list("ABC")
    assert [line["cluster"] for line in made.rows] == ["wikihow~7", "wikihow~7", "activitynet~v_-JhWjGDPHMY"]
    assert made.rows[0]["input"][-1]["content"] == (
        "Making tea: How to make tea. Boil water. Use a pot.\n\nContinuations:\n"
        "A. Pour? 0 Go on. Then rest.\nB. flies.\nC. is ripping tiles.\nD. sleeps."
    )
    assert made.rows[1]["input"][-1]["content"].startswith("Making tea: How to drink it? Wait\n")
    assert made.rows[2]["input"][-1]["content"].startswith("Making tea: A man [sic] sits on a roof. he\n")
    assert made.rows[2]["input"][1]["content"].startswith("Making tea: Before, A man")
    report = made.scores("hellaswag_choice", right=2, wrong="The answer is D.", accuracy=2 / 3)
    assert report["groups"]["subject"]["wikihow"]["accuracy"] == 1.0
    world.checked("hellaswag")


def test_arc(world: World) -> None:
    def row(name: str, labels: str, answer: str) -> dict[str, Any]:
        choices = [{"text": f"option {n} of {name}", "label": label} for n, label in enumerate(labels)]
        return {"id": name, "question": {"stem": f"Which, {name}?", "choices": choices}, "answerKey": answer}

    parts = {
        "ARC-Challenge": [row("Mercury_1", "ABCD", "C"), row("NYSEDREGENTS_2", "1234", "4")],
        "ARC-Easy": [row("AKDE_3", "ABCDE", "E"), row("MEA_4", "ABC", "B"), row("TIMSS_5", "12345", "1")],
    }
    files = {
        f"ARC-V1-Feb2018-2/{name}/{name}-{part}.jsonl": jsonl(
            {**one, "question": {**one["question"], "stem": f"{part}: {one['question']['stem']}"}} for one in rows
        )
        for name, rows in parts.items()
        for part in ("Train", "Dev", "Test")
    }
    files |= {name.replace(".jsonl", ".csv"): b"questionID\n" for name in files}
    files["ARC-V1-Feb2018-2/ARC_Corpus.txt"] = b"Plants need light.\n" * 9
    made = world.generate("arc", {ARC: zip_of(files)})
    assert [line["ideal"] for line in made.rows] == list("CDEBA")
    assert made.rows[1]["input"][-1]["content"] == (
        "Question: Test: Which, NYSEDREGENTS_2?\nA. option 0 of NYSEDREGENTS_2\nB. option 1 of NYSEDREGENTS_2\n"
        "C. option 2 of NYSEDREGENTS_2\nD. option 3 of NYSEDREGENTS_2"
    )
    assert [len(line["choices"]) for line in made.rows] == [4, 4, 5, 3, 5]
    report = made.scores("arc_choice", right=3, wrong="I choose E.", accuracy=3 / 4)
    assert report["outcomes"]["unparsed"] == 1, "E is no option of a question with three"
    assert report["groups"]["subject"]["ARC-Challenge"] == {"n": 2, "accuracy": 1.0, "stderr": 0.0}
    world.checked("arc")
    wanted = {f"{name}-{part}.jsonl" for name in parts for part in ("Train", "Dev", "Test")}
    assert world.unpacked("arc") == wanted, "and no corpus"

    words = ("--subset", "ARC-Easy", "--split", "dev", "--samples", 2, "--few_shot", 1)
    one = world.generate("arc", {}, *words)
    assert len(one.rows) == 2
    assert all("Train: Which" in line["input"][1]["content"] for line in one.rows)
    assert [line["metadata"]["subject"] for line in one.rows] == ["ARC-Easy"] * 2


def test_arc_names_the_row_whose_answer_is_no_option(world: World) -> None:
    row = {"id": "x", "question": {"stem": "?", "choices": [{"text": "a", "label": "A"}]}, "answerKey": "B"}
    files = {
        f"{name}-{part}.jsonl": jsonl([row]) for name in ("ARC-Easy", "ARC-Challenge") for part in ("Train", "Dev")
    }
    files |= {f"{name}-Test.jsonl": jsonl([row]) for name in ("ARC-Easy", "ARC-Challenge")}
    source = world.folder / "arc.zip"
    source.write_bytes(zip_of(files))
    code, _, err = world.command("generate", "arc", "--source", source)
    assert code == 2
    assert "item 0" in err
    assert "'B'" in err
    assert read_rows(world.folder / "datasets" / "arc" / "test.jsonl")[0]["subset"] == "ARC-Challenge"
