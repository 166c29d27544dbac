"""SuperGLUE: tasks of understanding English, each a zip file with ``<Task>/{train,val,test}.jsonl``; test has no answers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from aigc_evals.generate.base import Generate, Item, Message
from aigc_evals.generate.datasets.passages import WORDS, Clustered, distinct, lettered
from aigc_evals.generate.readers import find, read_jsonl

ADDRESS = "https://dl.fbaipublicfiles.com/glue/superglue/data/v2/{}.zip"
FILES = {"train": "train.jsonl", "validation": "val.jsonl"}
CITATION = (
    "Wang et al.: SuperGLUE: A Stickier Benchmark for General-Purpose Language Understanding Systems. NeurIPS 2019."
)


class SuperGlue(Generate):
    """A task of SuperGLUE, most of which give an item for each row, with a ``label`` that says whether something is so."""

    task: ClassVar[str]
    splits: ClassVar[Sequence[str]] = ("train", "validation")

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, file in FILES.items():
            self.save_split(split, self._items(read_jsonl(find(folder, f"{self.task}/{file}"))))

    def _items(self, rows: Iterator[Any]) -> Iterator[Item]:
        return rows

    def format_ideal(self, item: Item) -> str | list[str]:
        return "True" if item["label"] else "False"


class BoolQ(SuperGlue):
    """Yes/no questions that people asked a search engine, each with a passage of Wikipedia that answers it.

    Raw rows: ``{"question": "is ... the same as ...", "passage": "Title -- Text", "idx": 0, "label": true}``.
    9,427 rows to train, 3,270 to validate.
    """

    task = "BoolQ"
    d_url = ADDRESS.format(task)
    licence = "CC BY-SA 3.0"
    homepage = "https://github.com/google-research-datasets/boolean-questions"
    citation = (
        "Clark et al.: BoolQ: Exploring the Surprising Difficulty of Natural Yes/No Questions. NAACL 2019. " + CITATION
    )
    instruction = (
        "Read the passage and answer the question about it from the passage alone. "
        "Reply with one word and nothing else: True if the answer is yes, False if it is no."
    )

    def format_chat_prompt(self, item: Item) -> list[Message]:
        question = item["question"].strip().rstrip("?")
        return self.chat(f"Passage: {item['passage'].strip()}\n\nQuestion: {question[:1].upper()}{question[1:]}?")


class MultiRC(SuperGlue, Clustered):
    """Questions about paragraphs with several proposed answers, each of which is right or wrong by itself.

    Raw rows, one for a paragraph: ``{"idx": 27, "version": 1.1, "passage": {"text": "...", "questions": [{"question": "...",
    "idx": 313, "answers": [{"text": "...", "idx": 1617, "label": 1}, ...]}, ...]}}``. As in SuperGLUE, every proposed answer
    is an item of its own (27,243 to train, 4,848 to validate), since a question has any number of right ones; the items of
    a paragraph are a cluster.
    """

    task = "MultiRC"
    d_url = ADDRESS.format(task)
    licence = "academic and research use only"
    homepage = "https://cogcomp.org/multirc/"
    citation = (
        "Khashabi et al.: Looking Beyond the Surface: A Challenge Set for Reading Comprehension over Multiple Sentences. "
        "NAACL 2018. " + CITATION
    )
    instruction = (
        "Read the passage. A question about it and one proposed answer follow; a question may have several correct answers. "
        "Judge the proposed answer by the passage alone. "
        "Reply with one word and nothing else: True if it is a correct answer to the question, False if it is not."
    )

    def _items(self, rows: Iterator[Any]) -> Iterator[Item]:
        for row in rows:
            passage = row["passage"]
            for question in passage["questions"]:
                for answer in question["answers"]:
                    yield {
                        "cluster": str(row["idx"]),
                        "passage": passage["text"],
                        "question": question["question"],
                        "answer": answer["text"],
                        "label": answer["label"],
                    }

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(
            f"Passage: {item['passage'].strip()}\n\n"
            f"Question: {item['question'].strip()}\nProposed answer: {item['answer'].strip()}"
        )


class COPA(SuperGlue):
    """Which of two sentences is the more plausible cause, or effect, of what a premise says.

    Raw rows: ``{"premise": "...", "choice1": "...", "choice2": "...", "question": "effect", "label": 1, "idx": 0}``, where
    ``question`` is ``cause`` or ``effect`` and ``label`` 0 for the first choice, 1 for the second. 400 rows to train, 100 to
    validate.
    """

    task = "COPA"
    d_url = ADDRESS.format(task)
    licence = "BSD 2-Clause"
    homepage = "http://people.ict.usc.edu/~gordon/copa.html"
    citation = (
        "Roemmele et al.: Choice of Plausible Alternatives: An Evaluation of Commonsense Causal Reasoning. "
        "AAAI Spring Symposium 2011. " + CITATION
    )
    evals = ("choice", "fact")
    suggested_samples = None
    instruction = (
        "A premise is followed by a question about its cause or its effect, with two options. "
        "Choose the more plausible one. Reply with its letter, A or B, and nothing else."
    )

    def format_chat_prompt(self, item: Item) -> list[Message]:
        asked = {"cause": "What was the cause of this?", "effect": "What happened as a result of this?"}
        question = asked[item["question"]]
        return self.chat(f"Premise: {item['premise'].strip()}\n{question}\n{lettered(self._choices(item))}")

    def format_ideal(self, item: Item) -> str:
        return "AB"[item["label"]]

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {**super().format_more(item), "choices": self._choices(item)}

    def _choices(self, item: Item) -> list[str]:
        return [item["choice1"].strip(), item["choice2"].strip()]


class WiC(SuperGlue):
    """Whether a word has the same meaning in two sentences.

    Raw rows: ``{"word": "stripe", "sentence1": "...", "sentence2": "...", "start1": 21, "end1": 27, "start2": 18, "end2": 25,
    "idx": 1, "label": false, "version": 1.1}``; the word stands, inflected perhaps, between ``start`` and ``end``. 5,428 rows
    to train, 638 to validate.
    """

    task = "WiC"
    d_url = ADDRESS.format(task)
    licence = "CC BY-NC 4.0"
    homepage = "https://pilehvar.github.io/wic/"
    citation = (
        "Pilehvar and Camacho-Collados: WiC: the Word-in-Context Dataset for Evaluating Context-Sensitive Meaning "
        "Representations. NAACL 2019. " + CITATION
    )
    instruction = (
        "A word stands between double asterisks in each of two sentences. Decide whether it is used in the same meaning in both. "
        "Reply with one word and nothing else: True if the meaning is the same, False if it is not."
    )

    def format_chat_prompt(self, item: Item) -> list[Message]:
        sentences = [_marked(item[f"sentence{n}"], item[f"start{n}"], item[f"end{n}"]) for n in "12"]
        return self.chat(f"Word: {item['word']}\nSentence 1: {sentences[0]}\nSentence 2: {sentences[1]}")


class WSC(SuperGlue, Clustered):
    """Whether a pronoun in a short text refers to the person or thing that is named.

    Raw rows: ``{"text": "...", "target": {"span1_index": 0, "span1_text": "Mark", "span2_index": 13, "span2_text": "He"},
    "idx": 0, "label": false}``: ``span1`` is the candidate, ``span2`` the pronoun, the indices count words between white
    space. Some indices are off by a few words, some spans have other white space or a stop that the text has not. 554 rows
    to train, 104 to validate; those of one text are a cluster.
    """

    task = "WSC"
    d_url = ADDRESS.format(task)
    licence = "CC BY 4.0"
    homepage = "https://cs.nyu.edu/faculty/davise/papers/WinogradSchemas/WS.html"
    citation = "Levesque et al.: The Winograd Schema Challenge. KR 2012. " + CITATION
    suggested_samples = None
    instruction = (
        "A pronoun stands between double asterisks in a text. Decide whether it refers to the candidate that is named below the "
        "text. Reply with one word and nothing else: True if it does, False if it does not."
    )

    def _items(self, rows: Iterator[Any]) -> Iterator[Item]:
        numbers: dict[str, int] = {}
        for row in rows:
            yield {"cluster": str(numbers.setdefault(row["text"], len(numbers))), **row}

    def format_chat_prompt(self, item: Item) -> list[Message]:
        text, target = item["text"], item["target"]
        pronoun, candidate = _span(text, target["span2_text"]), _span(text, target["span1_text"])
        place = _nearest(text, pronoun, target["span2_index"])
        shown = text if place is None else _marked(text, *place)
        return self.chat(f"Text: {shown.strip()}\n\nPronoun: {pronoun}\nCandidate: {candidate}")


class ReCoRD(SuperGlue, Clustered):
    """Which entity of a news article was taken out of a sentence that goes with it.

    Raw rows, one for an article: ``{"source": "Daily mail", "passage": {"text": "article\\n@highlight\\npoint\\n@highlight\\n...",
    "entities": [{"start": 0, "end": 11}, ...]}, "qas": [{"query": "... @placeholder ...", "answers": [{"start": 0, "end": 11,
    "text": "Tracy Morgan"}, ...], "idx": 0}], "idx": 0}``; ``end`` is the place of the last character. Every query is an item,
    with all forms of the name in the article as ideals (100,730 to train, 10,000 to validate); those of an article are a
    cluster.
    """

    task = "ReCoRD"
    d_url = ADDRESS.format(task)
    licence = "not stated (articles of CNN and Daily Mail)"
    homepage = "https://sheng-z.github.io/ReCoRD-explorer/"
    citation = (
        "Zhang et al.: ReCoRD: Bridging the Gap between Human and Machine Commonsense Reading Comprehension. "
        "arXiv:1810.12885, 2018. " + CITATION
    )
    evals = WORDS
    instruction = (
        "Read the news article. In the sentence below it, @placeholder stands where an entity was taken out. "
        "Say which of the listed entities belongs there. "
        "Reply with this entity, written exactly as in the list, and nothing else."
    )

    def _items(self, rows: Iterator[Any]) -> Iterator[Item]:
        for row in rows:
            text = row["passage"]["text"]
            entities = distinct(text[span["start"] : span["end"] + 1] for span in row["passage"]["entities"])
            for query in row["qas"]:
                yield {
                    "cluster": str(row["idx"]),
                    "passage": text,
                    "entities": entities,
                    "query": query["query"],
                    "answers": distinct(answer["text"] for answer in query["answers"]),
                }

    def format_chat_prompt(self, item: Item) -> list[Message]:
        article, *points = distinct(re.split(r"@highlight\b", item["passage"]))
        return self.chat(
            "\n".join(
                [
                    f"Article: {article}",
                    *(["", "In short:", *(f"- {point}" for point in points)] if points else []),
                    "",
                    "Entities:",
                    *(f"- {entity}" for entity in item["entities"]),
                    "",
                    f"Sentence: {item['query'].strip()}",
                ]
            )
        )

    def format_ideal(self, item: Item) -> list[str]:
        return list(item["answers"])


def _marked(text: str, start: int, end: int) -> str:
    """``text`` with double asterisks around what stands from ``start`` to ``end``."""
    return f"{text[:start]}**{text[start:end]}**{text[end:]}"


def _span(text: str, span: str) -> str:
    """A span in the white space of a sentence, without a stop at its end that ``text`` does not have there."""
    span = " ".join(span.split())
    return span if span in text else span.rstrip(".")


def _nearest(text: str, span: str, number: int) -> tuple[int, int] | None:
    """Where ``span`` stands in ``text`` (start, end), whatever its case: nearest to the word of this number, counted from 0."""
    begins = [word.start() for word in re.finditer(r"\S+", text)]
    pattern = r"\s+".join(map(re.escape, span.split()))
    found = [place.span() for place in re.finditer(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)] if pattern else []
    return min(found, key=lambda place: abs(bisect_right(begins, place[0]) - 1 - number), default=None)
