"""Examinations with four options: CSV files by subject, examples in a split of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from aigc_evals.generate.base import Generate, GenerateZh, Item, Message
from aigc_evals.generate.datasets.subjects import CEVAL, CHINA_SPECIFIC, CMMLU, MMLU, in_words, subjects
from aigc_evals.generate.download import Remote
from aigc_evals.generate.kinds import CHINESE, EvalKind
from aigc_evals.generate.readers import find_all, read_csv

LETTERS = "ABCD"


def options(item: Item) -> str:
    """The options of an item as lines ``A. text``."""
    return "\n".join(f"{letter}. {item[letter].strip()}" for letter in LETTERS)


class Exam(Generate):
    """A set with a CSV file for every subject and split, whose columns ``A`` to ``D`` are the options."""

    files: ClassVar[Mapping[str, tuple[str, str]]]
    """Split -> the pattern of its files, and what follows the subject in their names."""
    columns: ClassVar[Sequence[str] | None] = None
    """The columns of files without a head."""
    question: ClassVar[str] = "question"
    answer: ClassVar[str] = "answer"
    evals: ClassVar[Sequence[str | EvalKind]] = ("choice",)
    few_shot_split = "dev"
    few_shot_drawn = False
    suggested_samples = None

    def wanted_members(self, folder: Path) -> Sequence[str]:
        return [pattern for pattern, _ in self.files.values()]

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, (pattern, ending) in self.files.items():
            self.save_split(split, self._read(find_all(folder, pattern), ending))

    def _read(self, paths: Sequence[Path], ending: str) -> Iterator[Item]:
        for path in paths:
            for row in read_csv(path, columns=self.columns):
                # The column without a name is a row's number.
                yield {"subset": path.stem.removesuffix(ending), **{name: row[name] for name in row if name}}

    def title(self, item: Item) -> str:
        """The name of an item's subject."""
        return str(self.subsets.get(item["subset"], {}).get("title") or in_words(item["subset"]))

    def format_ideal(self, item: Item) -> str:
        return str(item[self.answer]).strip()

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {"choices": {letter: item[letter].strip() for letter in LETTERS}, **super().format_more(item)}


class ExamZh(Exam, GenerateZh):
    """An examination in Chinese."""

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"科目：{self.title(item)}\n{item[self.question].strip()}\n{options(item)}")


class ceval(ExamZh):  # noqa: N801 - the name of the set, and of its evals
    """中国考试中的单项选择题，52 个科目，从初中到职业资格。

    C-Eval：压缩包内为 ``{dev,val,test}/<科目>_{dev,val,test}.csv``，列为 ``id,question,A,B,C,D,answer,explanation``。
    ``dev`` 每科 5 题作示例，``val`` 共 1,346 题；``test`` 的答案不公开。
    """

    d_url = Remote(
        "https://huggingface.co/datasets/ceval/ceval-exam/resolve/main/ceval-exam.zip",
        also=("https://www.modelscope.cn/datasets/opencompass/ceval-exam/resolve/master/ceval-exam.zip",),
    )
    licence = "CC BY-NC-SA 4.0"
    homepage = "https://cevalbenchmark.com"
    citation = "Huang et al.: C-Eval: A Multi-Level Multi-Discipline Chinese Evaluation Suite for Foundation Models. NeurIPS 2023."
    splits = ("dev", "validation")
    subsets = subjects(CEVAL)
    files = {"dev": ("dev/*_dev.csv", "_dev"), "validation": ("val/*_val.csv", "_val")}
    instruction = "下面是中国考试中的单项选择题，四个选项中只有一个正确。请选出正确的选项，只回答它的字母。"


class cmmlu(ExamZh):  # noqa: N801 - the name of the set, and of its evals
    """中文知识与推理的单项选择题，67 个科目，从小学到专业水平，含中国特有的科目。

    CMMLU：压缩包内为 ``{dev,test}/<科目>.csv``，列为 ``Question,A,B,C,D,Answer``，前面另有一个无名的序号列。``dev`` 每科 5 题作示例，
    ``test`` 每科 100 题以上。分类为 STEM、Humanities、Social Science、Other；其中 15 个中国特有的科目（如古汉语、中国驾驶规则）
    在报告的 ``scope`` 一栏另计，与官方榜单的“中国特定主题”一致。
    """

    d_url = Remote(
        "https://huggingface.co/datasets/lmlmcat/cmmlu/resolve/main/cmmlu_v1_0_1.zip",
        also=(
            "https://huggingface.co/datasets/haonan-li/cmmlu/resolve/main/cmmlu_v1_0_1.zip",
            "https://www.modelscope.cn/datasets/modelscope/cmmlu/resolve/master/cmmlu_v1_0_1.zip",
        ),
    )
    licence = "CC BY-NC-SA 4.0"
    homepage = "https://github.com/haonan-li/CMMLU"
    citation = "Li et al.: CMMLU: Measuring massive multitask language understanding in Chinese. Findings of ACL 2024."
    splits = ("dev", "test")
    default_split = "test"
    subsets = {
        subject: {**known, "scope": "China specific" if subject in CHINA_SPECIFIC else "general"}
        for subject, known in subjects(CMMLU).items()
    }
    files = {"dev": ("dev/*.csv", ""), "test": ("test/*.csv", "")}
    question = "Question"
    answer = "Answer"
    evals = (replace(CHINESE["choice"], args={"by": ["category", "scope", "subject"]}),)
    instruction = "下面是一道单项选择题，四个选项中只有一个正确。请选出正确的选项，只回答它的字母，不要写其他内容。"


class mmlu(Exam):  # noqa: N801 - the name of the set, and of its evals
    """Multiple-choice questions from examinations in 57 subjects, from elementary school to the professions.

    MMLU: files ``data/{dev,val,test}/<subject>_{dev,val,test}.csv`` without a head, a row being question, four options and the
    right letter. ``dev`` has 5 examples for a subject; 1,531 rows to validate, 14,042 to test. ``auxiliary_train``, rows of
    other data sets, is left out.
    """

    d_url = Remote(
        "https://people.eecs.berkeley.edu/~hendrycks/data.tar",
        also=("https://huggingface.co/datasets/cais/mmlu/resolve/main/data.tar",),
    )
    licence = "MIT"
    homepage = "https://github.com/hendrycks/test"
    citation = "Hendrycks et al.: Measuring Massive Multitask Language Understanding. ICLR 2021."
    splits = ("dev", "validation", "test")
    default_split = "test"
    subsets = subjects(MMLU)
    files = {
        "dev": ("dev/*_dev.csv", "_dev"),
        "validation": ("val/*_val.csv", "_val"),
        "test": ("test/*_test.csv", "_test"),
    }
    columns = ("question", *LETTERS, "answer")
    instruction = (
        "Answer a multiple-choice question from an examination. Exactly one of the four options is right. "
        "Reply with its letter, A, B, C or D, and nothing else."
    )

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"Subject: {self.title(item)}\n\n{item['question'].strip()}\n{options(item)}")
