"""Everyday sense: which word fills a gap, how a text goes on, which answer to a question of science is right."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from aigc_evals.errors import DataError, UsageError
from aigc_evals.files import unreadable
from aigc_evals.generate.base import Generate, Item, Message
from aigc_evals.generate.datasets.passages import lettered
from aigc_evals.generate.download import Remote
from aigc_evals.generate.kinds import EvalKind
from aigc_evals.generate.readers import files_below, find, read_csv, read_jsonl

_HEAD = 1 << 12
"""In so many bytes of a CSV file of Story Cloze are the names of its columns."""


class Options(Generate):
    """A set of questions with options, one of which is right: ``options`` and ``right`` say which; letters are by their order."""

    evals: ClassVar[Sequence[str | EvalKind]] = ("choice", "fact")

    def options(self, item: Item) -> Sequence[str]:
        """The options of an item, in their order."""
        raise self._lacking("options")

    def right(self, item: Item) -> int:
        """The place of the right one, from 0."""
        raise self._lacking("right")

    def format_ideal(self, item: Item) -> str:
        return string.ascii_uppercase[range(len(self.options(item)))[self.right(item)]]

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {**super().format_more(item), "choices": [option.strip() for option in self.options(item)]}


class WinoGrande(Options):
    """Which of two words fills the gap in a sentence, so that a pronoun would be understood.

    Raw rows of ``winogrande_1.1/{train_xl,dev}.jsonl``: ``{"qID": "3X...-1", "sentence": "... because _ ...", "option1": "...",
    "option2": "...", "answer": "1"}``. 40,398 rows to train (the largest of the training files), 1,267 to validate;
    ``test.jsonl`` has no answers. The two sentences of a pair, which differ in a word that turns the answer, have a ``qID`` that
    ends in 1 and 2: they are a cluster.
    """

    d_url = "https://storage.googleapis.com/ai2-mosaic/public/winogrande/winogrande_1.1.zip"
    licence = "CC BY"
    homepage = "https://winogrande.allenai.org"
    citation = "Sakaguchi et al.: WinoGrande: An Adversarial Winograd Schema Challenge at Scale. AAAI 2020."
    splits = ("train", "validation")
    members = ("train_xl.jsonl", "dev.jsonl")
    instruction = (
        "A sentence has a gap, written _. Choose the option that fills it so that the sentence makes sense. "
        "Reply with its letter, A or B, and nothing else."
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, file in (("train", "train_xl.jsonl"), ("validation", "dev.jsonl")):
            self.save_split(split, read_jsonl(find(folder, file)))

    def options(self, item: Item) -> Sequence[str]:
        return [item["option1"], item["option2"]]

    def right(self, item: Item) -> int:
        return "12".index(str(item["answer"]))

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"Sentence: {item['sentence'].strip()}\n{lettered(self.options(item))}")

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {**super().format_more(item), "cluster": item["qID"].rpartition("-")[0]}


class StoryCloze(Options):
    """Which of two sentences is the right ending of a story of four.

    Story Cloze Test: CSV files that are sent to whoever asks with the form on the homepage, ``cloze_test_val__spring2016 -
    cloze_test_ALL_val.csv`` and alike, with the columns ``InputStoryid``, ``InputSentence1`` to ``4``,
    ``RandomFifthSentenceQuiz1`` and ``2``, ``AnswerRightEnding`` (1 or 2). Spring 2016 has 1,871 stories to validate and 1,871
    to test, winter 2018 1,571 to validate; its test file has no answers and is passed over. ``--source`` names one of the files
    or a folder with them; what else came with them, such as the stories of ROCStories, may lie in it too.
    """

    licence = "not stated (free to everyone who asks with the form)"
    homepage = "https://cs.rochester.edu/nlp/rocstories/"
    citation = (
        "Mostafazadeh et al.: A Corpus and Cloze Evaluation for Deeper Understanding of Commonsense Stories. NAACL 2016. "
        "Sharma et al.: Tackling the Story Ending Biases in The Story Cloze Test. ACL 2018."
    )
    splits = ("validation", "test")
    subsets = {"spring2016": {"title": "Spring 2016"}, "winter2018": {"title": "Winter 2018"}}
    few_shot_split = "validation"
    instruction = (
        "Four sentences begin a story. Choose the sentence that is the right ending. "
        "Reply with its letter, A or B, and nothing else."
    )

    def fetch(self) -> Path:
        if self.source is None:
            raise UsageError(
                f"the files of {self.class_name} have no public address: they are sent to whoever asks",
                key="source",
                hint=f"Fill in the form at {self.homepage}, and name the folder of its CSV files, or one of them:"
                f" {self.command_with('FOLDER')}",
            )
        return super().fetch()

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        files = sorted(path for path in files_below(folder) if _is_cloze(path))
        if not files:
            hint = "Wanted are CSV files whose first line has RandomFifthSentenceQuiz1 and AnswerRightEnding."
            raise DataError("no file of the Story Cloze Test with answers", path=folder, hint=hint)
        by_split: dict[str, list[Path]] = {}
        for path in files:
            by_split.setdefault(_cloze_split(path), []).append(path)
        for split, paths in by_split.items():
            self.save_split(split, self._read(paths))

    def _read(self, paths: Sequence[Path]) -> Iterator[Item]:
        for path in paths:
            release = next((name for name in self.subsets if name in path.name.lower()), None)
            for row in read_csv(path):
                if row["AnswerRightEnding"].strip():
                    yield {"subset": release, **row}

    def options(self, item: Item) -> Sequence[str]:
        return [item["RandomFifthSentenceQuiz1"], item["RandomFifthSentenceQuiz2"]]

    def right(self, item: Item) -> int:
        return "12".index(item["AnswerRightEnding"].strip())

    def format_chat_prompt(self, item: Item) -> list[Message]:
        story = " ".join(item[f"InputSentence{number}"].strip() for number in range(1, 5))
        return self.chat(f"Story: {story}\n\nEndings:\n{lettered(self.options(item))}")


class hellaswag(Options):  # noqa: N801 - the name of the set, and of its evals
    """Which of four texts is the likely continuation of what somebody does.

    HellaSwag, raw rows: ``{"ind": 24, "activity_label": "...", "ctx_a": "...", "ctx_b": "he", "ctx": "... he", "split": "val",
    "split_type": "indomain", "label": 3, "endings": ["...", "...", "...", "..."], "source_id": "activitynet~v_..."}``: captions
    of videos (``activitynet``) and instructions (``wikihow``) in which ``[title]``, ``[step]`` and alike mark what a text is.
    39,905 rows to train, 10,042 to validate; ``hellaswag_test.jsonl`` has no labels. Rows of one video or page are a cluster.
    """

    d_url = {
        f"hellaswag_{split}.jsonl": f"https://raw.githubusercontent.com/rowanz/hellaswag/master/data/hellaswag_{split}.jsonl"
        for split in ("train", "val")
    }
    licence = "MIT"
    homepage = "https://rowanzellers.com/hellaswag/"
    citation = "Zellers et al.: HellaSwag: Can a Machine Really Finish Your Sentence? ACL 2019."
    splits = ("train", "validation")
    subsets = {"activitynet": {"title": "captions of videos"}, "wikihow": {"title": "instructions"}}
    evals = ("choice",)
    suggested_samples = 1000
    instruction = (
        "Read the beginning of a text and choose the continuation that is the most likely. Exactly one of the four is right. "
        "Reply with its letter, A, B, C or D, and nothing else."
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, short in (("train", "train"), ("validation", "val")):
            self.save_split(split, self._read(find(folder, f"hellaswag_{short}.jsonl")))

    def _read(self, path: Path) -> Iterator[Item]:
        for row in read_jsonl(path):
            yield {"subset": row["source_id"].partition("~")[0], **row}

    def options(self, item: Item) -> Sequence[str]:
        return [_unmarked(ending) for ending in item["endings"]]

    def right(self, item: Item) -> int:
        return int(item["label"])

    def format_chat_prompt(self, item: Item) -> list[Message]:
        about = f"{item['activity_label'].strip()}: {_unmarked(item['ctx'])}"
        return self.chat(f"{about}\n\nContinuations:\n{lettered(self.options(item))}")

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {**super().format_more(item), "cluster": item["source_id"]}


class arc(Options):  # noqa: N801 - the name of the set, and of its evals
    """Questions of science from American schools, grades 3 to 9, with three to five options.

    ARC, raw rows of ``{ARC-Challenge,ARC-Easy}/<subset>-{Train,Dev,Test}.jsonl``: ``{"id": "Mercury_...", "question": {"stem":
    "...", "choices": [{"text": "...", "label": "A"}, ...]}, "answerKey": "C"}``; options are labelled A to E or 1 to 5, and
    always lettered here. Challenge: 1,119 rows to train, 299 to validate, 1,172 to test; Easy: 2,251, 570, 2,376. Most of the
    archive's 680 MB are a corpus that is not used, and not unpacked.
    """

    d_url = Remote(
        "https://ai2-public-datasets.s3.amazonaws.com/arc/ARC-V1-Feb2018.zip",
        also=("https://s3-us-west-2.amazonaws.com/ai2-website/data/ARC-V1-Feb2018.zip",),
    )
    licence = "CC BY-SA 4.0"
    homepage = "https://allenai.org/data/arc"
    citation = "Clark et al.: Think you have Solved Question Answering? Try ARC, the AI2 Reasoning Challenge. arXiv:1803.05457, 2018."
    splits = ("train", "validation", "test")
    default_split = "test"
    members = ("ARC-Challenge-*.jsonl", "ARC-Easy-*.jsonl")
    subsets = {"ARC-Challenge": {"title": "Challenge"}, "ARC-Easy": {"title": "Easy"}}
    evals = ("choice",)
    suggested_samples = None
    instruction = (
        "Choose the option that answers the question. Exactly one is right. Reply with its letter and nothing else."
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, part in (("train", "Train"), ("validation", "Dev"), ("test", "Test")):
            self.save_split(split, self._read(folder, part))

    def _read(self, folder: Path, part: str) -> Iterator[Item]:
        for subset in self.subsets:
            for row in read_jsonl(find(folder, f"{subset}-{part}.jsonl")):
                yield {"subset": subset, **row}

    def options(self, item: Item) -> Sequence[str]:
        return [choice["text"] for choice in item["question"]["choices"]]

    def right(self, item: Item) -> int:
        return [choice["label"] for choice in item["question"]["choices"]].index(item["answerKey"])

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"Question: {item['question']['stem'].strip()}\n{lettered(self.options(item))}")


def _is_cloze(path: Path) -> bool:
    """Whether a file is a CSV of two endings, with a column of answers."""
    if not (path.name.lower().endswith(".csv") or "cloze" in path.name.lower()):
        return False
    try:
        with open(path, "rb") as stream:
            # Other files need not be text. Without NUL bytes the names are found in UTF-16 too, of which its reader tells.
            head = stream.read(_HEAD).replace(b"\x00", b"").partition(b"\n")[0]
    except OSError as error:
        raise unreadable(path, error) from None
    return b"RandomFifthSentenceQuiz1" in head and b"AnswerRightEnding" in head


def _cloze_split(path: Path) -> str:
    """The split of a file by its name, ``cloze_test_val__...`` or ``cloze_test_test__...``; validation where it says none."""
    name = path.name.lower().replace("cloze_test", "").replace("cloze", "")
    return "test" if "test" in name and "val" not in name else "validation"


def _unmarked(text: str) -> str:
    """A text of HellaSwag as it is read: a title is a sentence, and the marks of headers and steps are left out."""
    text = re.sub(r"([.?!:])?\s*\[title\]\s*", lambda stop: f"{stop[1] or '.'} ", text)
    return " ".join(re.sub(r"\[(?:header|step|substeps)\]", " ", text).split()).removeprefix(". ")
