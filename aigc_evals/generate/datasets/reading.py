"""Reading comprehension in English: answers in free words to questions about a passage, and an examination by letters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aigc_evals.generate.base import Item, Message
from aigc_evals.generate.datasets.passages import WORDS, Clustered, distinct, lettered
from aigc_evals.generate.download import Remote
from aigc_evals.generate.readers import find, find_all, read_json

SHORT = {"train": "train", "validation": "dev"}
UNANSWERABLE = "unanswerable"


class CoQA(Clustered):
    """The next question of a conversation about a story.

    Raw files: ``{"version": "1.0", "data": [{"source": "mctest", "id": "...", "story": "...", "questions": [{"input_text": "...",
    "turn_id": 1}, ...], "answers": [{"input_text": "white", "span_text": "...", "span_start": 59, "span_end": 93,
    "turn_id": 1}, ...], "additional_answers": {"0": [...], "1": [...], "2": [...]}}]}``; only the stories to validate have
    answers of further people. Every turn is an item that knows the turns before it with their answers; those of a story
    are a cluster. 7,199 stories to train, 500 to validate, some 15 turns each.
    """

    d_url = {
        file: Remote(
            f"https://nlp.stanford.edu/data/coqa/{file}",
            also=(f"https://downloads.cs.stanford.edu/nlp/data/coqa/{file}",),
        )
        for file in ("coqa-train-v1.0.json", "coqa-dev-v1.0.json")
    }
    licence = "by story: CC BY-SA 4.0, MSR-LA, RACE's own or Apache"
    homepage = "https://stanfordnlp.github.io/coqa/"
    citation = "Reddy, Chen and Manning: CoQA: A Conversational Question Answering Challenge. TACL 2019."
    splits = ("train", "validation")
    evals = WORDS
    instruction = (
        "Read the story and the conversation about it so far, and answer the question that comes next from the story alone. "
        "Reply with the answer in as few words as possible, in no full sentence, and with nothing else. "
        "Where yes or no is the answer, write just that, in lower case; where the story does not tell the answer, write: unknown"
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, short in SHORT.items():
            self.save_split(split, self._items(read_json(find(folder, f"coqa-{short}-v*.json"))))

    def _items(self, raw: Any) -> Iterator[Item]:
        for story in raw["data"]:
            by_turn: dict[int, list[str]] = {}
            for answers in (story["answers"], *story.get("additional_answers", {}).values()):
                for answer in answers:
                    by_turn.setdefault(answer["turn_id"], []).append(answer["input_text"])
            earlier: list[tuple[str, str]] = []
            for question in story["questions"]:
                asked, answers = question["input_text"].strip(), distinct(by_turn.get(question["turn_id"], []))
                if answers:
                    yield {
                        "cluster": story["id"],
                        "story": story["story"],
                        "earlier": list(earlier),
                        "question": asked,
                        "answers": answers,
                    }
                    earlier.append((asked, answers[0]))

    def format_chat_prompt(self, item: Item) -> list[Message]:
        turns = [f"Q: {question}\nA: {answer}" for question, answer in item["earlier"]]
        earlier = "\n".join(["The conversation so far:", *turns]) + "\n\n" if turns else ""
        return self.chat(f"Story: {item['story'].strip()}\n\n{earlier}Question: {item['question']}")

    def format_ideal(self, item: Item) -> list[str]:
        return list(item["answers"])


class DROP(Clustered):
    """Questions about a paragraph that want counting, adding or comparing what it says.

    Raw files: ``{"nfl_1184": {"passage": "...", "wiki_url": "...", "qa_pairs": [{"question": "...", "query_id": "...", "answer":
    {"number": "3", "date": {"day": "", "month": "", "year": ""}, "spans": []}, "validated_answers": [{...}, ...]}]}, ...}``: of
    number, date and spans one is filled, several spans are one answer together, and only the questions to validate have
    answers of further people. Questions without any answer (about ten) are left out. 77,409 questions to train, 9,536 to
    validate; those of a paragraph are a cluster.
    """

    d_url = Remote(
        "https://ai2-public-datasets.s3.amazonaws.com/drop/drop_dataset.zip",
        also=("https://s3-us-west-2.amazonaws.com/allennlp/datasets/drop/drop_dataset.zip",),
    )
    licence = "CC BY-SA 4.0"
    homepage = "https://allenai.org/data/drop"
    citation = (
        "Dua et al.: DROP: A Reading Comprehension Benchmark Requiring Discrete Reasoning Over Paragraphs. NAACL 2019."
    )
    splits = ("train", "validation")
    evals = WORDS
    instruction = (
        "Read the passage and answer the question from it; you may have to count, calculate or compare. "
        "Reply with the answer alone: a number in digits without a unit, a date as day, month and year as far as they are known "
        "(for instance 4 May 1912), or words of the passage. Separate several answers by commas, in the order of the passage."
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, short in SHORT.items():
            self.save_split(split, self._items(read_json(find(folder, f"drop_dataset_{short}.json"))))

    def _items(self, raw: Any) -> Iterator[Item]:
        for name, section in raw.items():
            for pair in section["qa_pairs"]:
                given = [pair["answer"], *(pair.get("validated_answers") or [])]
                answers = distinct(_drop_answer(answer) for answer in given)
                if answers:
                    yield {
                        "cluster": name,
                        "passage": section["passage"],
                        "question": pair["question"],
                        "answers": answers,
                    }

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"Passage: {item['passage'].strip()}\n\nQuestion: {item['question'].strip()}")

    def format_ideal(self, item: Item) -> list[str]:
        return list(item["answers"])


class SQuAD(Clustered):
    """Questions about a paragraph of Wikipedia, answered in its own words, or not answerable from it.

    SQuAD 2.0, raw files: ``{"version": "v2.0", "data": [{"title": "Normans", "paragraphs": [{"context": "...", "qas":
    [{"question": "...", "id": "...", "is_impossible": false, "answers": [{"text": "France", "answer_start": 159}, ...]}]}]}]}``.
    About half of the questions to validate have no answer: their ``answers`` are empty (``plausible_answers`` are wrong
    ones), their ideal is the word "unanswerable". A folder with the files of version 1.1, where every question has an
    answer, serves as ``--source`` too. 130,319 questions to train, 11,873 to validate; those of a paragraph are a cluster.
    """

    d_url = tuple(
        f"https://rajpurkar.github.io/SQuAD-explorer/dataset/{file}" for file in ("train-v2.0.json", "dev-v2.0.json")
    )
    licence = "CC BY-SA 4.0"
    homepage = "https://rajpurkar.github.io/SQuAD-explorer/"
    citation = (
        "Rajpurkar, Jia and Liang: Know What You Don't Know: Unanswerable Questions for SQuAD. ACL 2018. "
        "Rajpurkar et al.: SQuAD: 100,000+ Questions for Machine Comprehension of Text. EMNLP 2016."
    )
    splits = ("train", "validation")
    evals = WORDS
    instruction = (
        "Read the passage and answer the question from it alone. "
        "Reply with the shortest words of the passage that answer the question, copied exactly, and nothing else. "
        f"If the passage does not answer the question, reply with the one word: {UNANSWERABLE}"
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, short in SHORT.items():
            self.save_split(split, self._items(read_json(find(folder, f"{short}-v*.json"))))

    def _items(self, raw: Any) -> Iterator[Item]:
        for article in raw["data"]:
            for number, paragraph in enumerate(article["paragraphs"]):
                for asked in paragraph["qas"]:
                    yield {
                        "cluster": f"{article['title']}/{number}",
                        "title": article["title"].replace("_", " "),
                        "passage": paragraph["context"],
                        "question": asked["question"],
                        "answers": distinct(answer["text"] for answer in asked["answers"]),
                    }

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(
            f"Title: {item['title']}\nPassage: {item['passage'].strip()}\n\nQuestion: {item['question'].strip()}"
        )

    def format_ideal(self, item: Item) -> str | list[str]:
        return list(item["answers"]) or UNANSWERABLE


class RACE(Clustered):
    """Multiple-choice questions about articles, from English examinations of Chinese schools.

    Raw files, one for an article, ``RACE/{train,dev,test}/{middle,high}/<number>.txt``: ``{"id": "high73.txt", "article": "...",
    "questions": ["...", ...], "options": [["...", "...", "...", "..."], ...], "answers": ["C", ...]}``; most articles have four
    questions, many of them with a gap written ``_``. 87,866 questions to train, 4,887 to validate, 4,934 to test; those of
    an article are a cluster.
    """

    d_url = Remote(
        "https://www.cs.cmu.edu/~glai1/data/race/RACE.tar.gz",
        also=("http://www.cs.cmu.edu/~glai1/data/race/RACE.tar.gz",),
    )
    licence = "non-commercial research only"
    homepage = "https://www.cs.cmu.edu/~glai1/data/race/"
    citation = "Lai et al.: RACE: Large-scale ReAding Comprehension Dataset From Examinations. EMNLP 2017."
    splits = ("train", "validation", "test")
    subsets = {"middle": {"title": "middle school"}, "high": {"title": "high school"}}
    evals = ("choice", "fact")
    instruction = (
        "Read the article and choose the option that answers the question, or fills its gap (_), according to the article. "
        "Exactly one of the four is right. Reply with its letter, A, B, C or D, and nothing else."
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, short in {**SHORT, "test": "test"}.items():
            self.save_split(split, self._read(folder, short))

    def _read(self, folder: Path, short: str) -> Iterator[Item]:
        for level in self.subsets:
            for path in find_all(folder, f"{short}/{level}/*.txt"):
                raw = read_json(path)
                for question, options, answer in zip(raw["questions"], raw["options"], raw["answers"], strict=True):
                    yield {
                        "subset": level,
                        "cluster": raw["id"],
                        "article": raw["article"],
                        "question": question,
                        "options": options,
                        "answer": answer,
                    }

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(
            f"Article: {item['article'].strip()}\n\nQuestion: {item['question'].strip()}\n{lettered(item['options'])}"
        )

    def format_ideal(self, item: Item) -> str:
        return str(item["answer"]).strip()

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {**super().format_more(item), "choices": [option.strip() for option in item["options"]]}


def _drop_answer(raw: Mapping[str, Any]) -> str:
    """An answer of DROP as text: its number, its spans, or its date; "" for none."""
    number = str(raw.get("number", "")).strip()
    spans = distinct(raw.get("spans") or [])
    date = raw.get("date") or {}
    return number or ", ".join(spans) or " ".join(filter(None, (date.get(part) for part in ("day", "month", "year"))))
