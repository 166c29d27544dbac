"""Short texts in Chinese: pairs of questions, and what guests thought of a meal or a hotel."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from aigc_evals.errors import DataError
from aigc_evals.generate.base import Item, Message
from aigc_evals.generate.datasets.answers_zh import LABELS, ShortAnswersZh
from aigc_evals.generate.download import Remote
from aigc_evals.generate.readers import find, read_csv, read_tsv


class lcqmc(ShortAnswersZh):  # noqa: N801 - the name of the set, and of its evals
    """判断两个中文问句的意思是否相同。

    LCQMC（问句匹配）：压缩包内为 ``lcqmc/{train,dev,test}.tsv``，首行为列名 ``text_a``、``text_b``、``label``，``1`` 为意思相同。
    没有首行的文件也可以用作 ``--source``，没有答案的行略去。训练集 238,766 对，验证集 8,802 对，测试集 12,500 对。
    """

    d_url = "https://bj.bcebos.com/paddlehub-dataset/lcqmc.tar.gz"
    licence = "未注明（哈尔滨工业大学（深圳）公开，供研究使用）"
    homepage = "https://aclanthology.org/C18-1166/"
    evals = LABELS
    splits = ("train", "validation", "test")
    citation = "Liu et al.: LCQMC: A Large-scale Chinese Question Matching Corpus. COLING 2018."
    instruction = (
        "下面有两个问句，请判断它们问的是不是同一件事，也就是同一个回答能不能同时回答这两个问句。"
        "是同一件事回答“是”，不是回答“否”，只回答这一个字，不要写其他内容。"
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, short in (("train", "train"), ("validation", "dev"), ("test", "test")):
            self.save_split(split, self._items(find(folder, f"{short}.tsv")))

    def _items(self, path: Path) -> Iterator[Item]:
        columns = ("text_a", "text_b", "label")
        for row in read_tsv(path, columns=columns):
            if tuple(row.values()) != columns and row["label"].strip():
                yield {**row, "label": _binary(row["label"], path)}

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"问句一：{item['text_a'].strip()}\n问句二：{item['text_b'].strip()}")

    def format_ideal(self, item: Item) -> str:
        return "是" if item["label"] else "否"


class Reviews(ShortAnswersZh):
    """Reviews as a CSV file ``label,review`` without splits, 1 for a good one.

    A review belongs to the split that the SHA-256 of ``"<name>:<SEED>:<review>"`` says: of its first eight hexadecimal digits
    the number modulo 10 is 0 for test, 1 for validation, else train. So a review is in the same split wherever it stands in
    the file. Empty reviews are left out, the same text is taken once, and not at all where it is called both good and bad.
    """

    SEED = 20220722
    splits = ("train", "validation", "test")
    licence = "未注明（公开，供研究使用）"
    evals = LABELS

    def extract_and_save_datasets(self) -> None:
        labels: dict[str, int | None] = {}
        path = find(self.fetch(), "*.csv")
        for row in read_csv(path):
            review = row["review"].strip()
            label = _binary(row["label"], path)
            if review:
                labels[review] = label if labels.get(review, label) == label else None
        for split in self.splits:
            self.save_split(
                split,
                (
                    {"review": review, "label": label}
                    for review, label in labels.items()
                    if label is not None and self.split_of(review) == split
                ),
            )

    def split_of(self, review: str) -> str:
        """The split that a review belongs to."""
        digits = hashlib.sha256(f"{self.class_name}:{self.SEED}:{review}".encode()).hexdigest()[:8]
        return {0: "test", 1: "validation"}.get(int(digits, 16) % 10, "train")

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"评论：{item['review']}")

    def format_ideal(self, item: Item) -> str:
        return "正面" if item["label"] else "负面"


def _corpus(path: str) -> Remote:
    """A file of the corpus that both sets of reviews are from."""
    return Remote(
        f"https://raw.githubusercontent.com/SophonPlus/ChineseNlpCorpus/master/datasets/{path}",
        also=(f"https://github.com/SophonPlus/ChineseNlpCorpus/raw/master/datasets/{path}",),
    )


class waimai_10k(Reviews):  # noqa: N801
    """判断外卖评论是正面的还是负面的。

    waimai_10k：某外卖平台的评论，CSV 文件，列为 ``label,review``，``1`` 为正面（约 4,000 条），``0`` 为负面（约 8,000 条），
    有重复。原始数据不分训练与验证，这里按评论内容的散列值划分，约为 8:1:1。
    """

    d_url = _corpus("waimai_10k/waimai_10k.csv")
    homepage = "https://github.com/SophonPlus/ChineseNlpCorpus/tree/master/datasets/waimai_10k"
    citation = "SophonPlus: ChineseNlpCorpus, waimai_10k. 2018."
    instruction = (
        "请判断下面这条外卖评论总的来说是正面的还是负面的。"
        "满意回答“正面”，不满意回答“负面”，只回答这两个字，不要写其他内容。"
    )


class ChnSentiCorp(Reviews):
    """判断酒店评论是正面的还是负面的。

    ChnSentiCorp_htl_all：携程网的酒店评论，CSV 文件，列为 ``label,review``，``1`` 为正面（5,322 条），``0`` 为负面（2,444 条）。
    原始数据不分训练与验证，这里按评论内容的散列值划分，约为 8:1:1。
    """

    d_url = _corpus("ChnSentiCorp_htl_all/ChnSentiCorp_htl_all.csv")
    homepage = "https://github.com/SophonPlus/ChineseNlpCorpus/tree/master/datasets/ChnSentiCorp_htl_all"
    citation = (
        "Tan and Zhang: An Empirical Study of Sentiment Analysis for Chinese Documents. "
        "Expert Systems with Applications 34(4), 2008."
    )
    instruction = (
        "请判断下面这条酒店评论总的来说是正面的还是负面的。"
        "满意回答“正面”，不满意回答“负面”，只回答这两个字，不要写其他内容。"
    )


def _binary(label: str, path: Path) -> int:
    """A label that is 0 or 1; DataError for any other."""
    if label.strip() not in ("0", "1"):
        raise DataError(f"a label must be 0 or 1, got {label!r}", path=path, key="label")
    return int(label)
