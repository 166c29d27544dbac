"""CLUE: tasks of understanding Chinese, each a zip file with ``train.json``, ``dev.json``, ``test.json``, one object a line.

The answers of ``test.json`` are not public.
"""

from __future__ import annotations

from aigc_evals.generate.base import GenerateZh, Item, Message
from aigc_evals.generate.readers import find, read_jsonl

ADDRESS = "https://storage.googleapis.com/cluebenchmark/tasks/{}_public.zip"
FILES = {"train": "train.json", "validation": "dev.json"}
CITATION = "Xu et al.: CLUE: A Chinese Language Understanding Evaluation Benchmark. COLING 2020."


class csl(GenerateZh):  # noqa: N801 - the name of the set, and of its evals
    """根据中文论文摘要判断所给关键词是否全部为真实关键词。

    CSL（中文科技文献）：摘要与关键词取自核心期刊，伪造的关键词由 TF-IDF 生成。每行形如
    ``{"id": 1, "abst": "摘要", "keyword": ["词", ...], "label": "0"}``，``1`` 为全部真实。训练集 20,000 行，验证集 3,000 行。
    """

    d_url = ADDRESS.format("csl")
    licence = "未注明（CLUE 公开，供研究使用）"
    homepage = "https://github.com/CLUEbenchmark/CLUE"
    citation = CITATION
    splits = ("train", "validation")
    instruction = (
        "下面给出一篇论文的摘要和一组关键词，请判断这些关键词是否全部是这篇论文的真实关键词。"
        "全部真实回答“真”，其中有伪造的回答“假”，只回答这一个字，不要写其他内容。"
    )

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, file in FILES.items():
            self.save_split(split, read_jsonl(find(folder, file)))

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"摘要：{item['abst'].strip()}\n关键词：{'；'.join(item['keyword'])}")

    def format_ideal(self, item: Item) -> str:
        return "真" if str(item["label"]) == "1" else "假"
