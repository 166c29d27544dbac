"""CLUE: tasks of understanding Chinese, each a zip file with ``train.json``, ``dev.json`` and more, most one object a line.

The answers of ``test.json`` are not public.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from aigc_evals.errors import DataError
from aigc_evals.generate.base import Item, Message
from aigc_evals.generate.datasets.answers_zh import LABELS, ShortAnswersZh
from aigc_evals.generate.datasets.passages import distinct
from aigc_evals.generate.kinds import EvalKind
from aigc_evals.generate.readers import find, read_json, read_jsonl

ADDRESS = "https://storage.googleapis.com/cluebenchmark/tasks/{}_public.zip"

MARKED = EvalKind(
    "marked",
    "aigc_evals.elsuite.marked_answer:MarkedAnswer",
    about="回答中最后一个【】里的内容与标准答案一致为正确",
)
"""For names that begin other names: what stands between the marks is compared whole."""

TOPICS = {
    "news_story": "故事",
    "news_culture": "文化",
    "news_entertainment": "娱乐",
    "news_sports": "体育",
    "news_finance": "财经",
    "news_house": "房产",
    "news_car": "汽车",
    "news_edu": "教育",
    "news_tech": "科技",
    "news_military": "军事",
    "news_travel": "旅游",
    "news_world": "国际",
    "news_stock": "股票",
    "news_agriculture": "农业",
    "news_game": "游戏",
}
"""The labels of TNEWS, and what they are called here."""

APPS = (
    "打车、地图导航、免费WIFI、租车、同城服务、快递物流、婚庆、家政、公共交通、政务、社区服务、薅羊毛、魔幻、仙侠、"
    "卡牌、飞行空战、射击游戏、休闲益智、动作类、体育竞技、棋牌中心、经营养成、策略、MOBA、辅助工具、约会社交、"
    "即时通讯、工作社交、论坛圈子、婚恋社交、情侣社交、社交工具、生活社交、微博博客、新闻、漫画、小说、技术、教辅、"
    "问答交流、搞笑、杂志、百科、影视娱乐、求职、兼职、视频、短视频、音乐、直播、电台、K歌、成人、中小学、职考、公务员、"
    "英语、视频教育、高等教育、成人教育、艺术、语言(非英语)、旅游资讯、综合预定、民航、铁路、酒店、行程管理、民宿短租、"
    "出国、工具、亲子儿童、母婴、驾校、违章、汽车咨询、汽车交易、日常养车、行车辅助、租房、买房、装修家居、电子产品、"
    "问诊挂号、养生保健、医疗服务、减肥瘦身、美妆美业、菜谱、餐饮店、体育咨讯、运动健身、支付、保险、股票、借贷、理财、"
    "彩票、记账、银行、美颜、影像剪辑、摄影修图、相机、绘画、二手、电商、团购、外卖、电影票务、社区超市、购物咨询、笔记、"
    "办公、日程管理、女性、经营、收款、其他"
)
"""The classes of IFLYTEK as the set itself calls them, in the order of their numbers."""


class Clue(ShortAnswersZh):
    """A task of CLUE, whose files hold one object a line unless it reads them otherwise."""

    licence = "未注明（CLUE 公开，供研究使用）"
    homepage = "https://github.com/CLUEbenchmark/CLUE"
    citation = "Xu et al.: CLUE: A Chinese Language Understanding Evaluation Benchmark. COLING 2020."
    files: ClassVar[Mapping[str, str]] = {"train": "train.json", "validation": "dev.json"}
    splits: ClassVar[Sequence[str]] = ("train", "validation")

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, file in self.files.items():
            path = find(folder, file)
            self.save_split(split, self._items(path))

    def _items(self, path: Path) -> Iterator[Item]:
        return read_jsonl(path)

    def _known(self, path: Path, key: str, names: Container[str]) -> Iterator[Item]:
        """The objects of a file, whose ``key`` must be one of ``names``."""
        for row in read_jsonl(path):
            if row[key] not in names:
                raise DataError(f"{self.class_name} has no class {row[key]!r}", path=path, key=key)
            yield row


class csl(Clue):  # noqa: N801 - the name of the set, and of its evals
    """根据中文论文摘要判断所给关键词是否全部为真实关键词。

    CSL（中文科技文献）：摘要与关键词取自核心期刊，伪造的关键词由 TF-IDF 生成。每行形如
    ``{"id": 1, "abst": "摘要", "keyword": ["词", ...], "label": "0"}``，``1`` 为全部真实。训练集 20,000 行，验证集 3,000 行。
    """

    d_url = ADDRESS.format("csl")
    evals = LABELS
    instruction = (
        "下面给出一篇论文的摘要和一组关键词，请判断这些关键词是否全部是这篇论文的真实关键词。"
        "全部真实回答“真”，其中有伪造的回答“假”，只回答这一个字，不要写其他内容。"
    )

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"摘要：{item['abst'].strip()}\n关键词：{'；'.join(item['keyword'])}")

    def format_ideal(self, item: Item) -> str:
        return "真" if str(item["label"]) == "1" else "假"


class tnews(Clue):  # noqa: N801
    """判断新闻标题属于十五个类别中的哪一个。

    TNEWS（今日头条短新闻）：每行形如 ``{"label": "102", "label_desc": "news_entertainment", "sentence": "标题", "keywords":
    "词,词"}``；十五个类别见 ``labels.json``，这里以中文名称作答，不用关键词。训练集 53,360 行，验证集 10,000 行。
    """

    d_url = ADDRESS.format("tnews")
    evals = LABELS
    instruction = (
        f"请判断新闻标题属于下列哪一个类别：{'、'.join(TOPICS.values())}。"
        "“故事”指普通人的生活故事，“股票”指证券市场，其他财经新闻属于“财经”；“游戏”包括电子竞技，“国际”指外国时事。"
        "只选最符合的一个，只回答类别名称，不要写其他内容。"
    )

    def _items(self, path: Path) -> Iterator[Item]:
        return self._known(path, "label_desc", TOPICS)

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"标题：{item['sentence'].strip()}")

    def format_ideal(self, item: Item) -> str:
        return TOPICS[item["label_desc"]]


class iflytek(Clue):  # noqa: N801
    """判断手机应用的描述属于 119 个类别中的哪一个。

    IFLYTEK（长文本分类）：每行形如 ``{"label": "110", "label_des": "社区超市", "sentence": "应用描述"}``；类别见
    ``labels.json``。有的名称是另一个的开头（视频、视频教育），所以答案写在【】里，整体比较。训练集 12,133 行，验证集 2,599 行。
    """

    d_url = ADDRESS.format("iflytek")
    evals = (MARKED, "fact")
    instruction = (
        "请根据手机应用的描述，判断它属于下列哪一个类别：\n"
        f"{APPS}\n"
        "只选最符合的一个，类别名称照抄上面的写法；都不符合时选“其他”。"
        "只回答写在【】里的类别名称，不要写其他内容，例如：【新闻】"
    )

    def _items(self, path: Path) -> Iterator[Item]:
        return self._known(path, "label_des", frozenset(APPS.split("、")))

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"应用描述：{item['sentence'].strip()}")

    def format_ideal(self, item: Item) -> str:
        return f"【{item['label_des']}】"


class cmrc(Clue):  # noqa: N801
    """阅读中文文章，用原文的词句回答问题。

    CMRC 2018（篇章片段抽取），格式同 SQuAD：``{"version": "v1.0", "data": [{"id": "DEV_0", "title": "标题", "paragraphs":
    [{"id": "DEV_0", "context": "文章", "qas": [{"question": "问题", "id": "DEV_0_QUERY_0", "answers": [{"text": "答案",
    "answer_start": 11}, ...]}]}]}]}``。验证集与试验集的每个问题有三人的答案，任何一个都算对；没有答案的问题略去。同一篇文章的
    问题为一组。训练集 10,142 题，验证集 3,219 题，试验集 1,002 题。
    """

    d_url = ADDRESS.format("cmrc2018")
    licence = "CC BY-SA 4.0"
    homepage = "https://github.com/ymcui/cmrc2018"
    citation = (
        "Cui et al.: A Span-Extraction Dataset for Chinese Machine Reading Comprehension. EMNLP 2019. " + Clue.citation
    )
    files = {**Clue.files, "trial": "trial.json"}
    splits = ("train", "validation", "trial")
    instruction = (
        "阅读文章，根据文章回答问题。请从文章中照抄能够回答问题的最短词句，一字不改，只写答案，不要写其他内容。"
    )

    def _items(self, path: Path) -> Iterator[Item]:
        for article in read_json(path)["data"]:
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    answers = distinct(answer["text"] for answer in asked["answers"])
                    if answers:
                        yield {
                            "cluster": paragraph["id"],
                            "passage": paragraph["context"],
                            "question": asked["question"],
                            "answers": answers,
                        }

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat(f"文章：{item['passage'].strip()}\n\n问题：{item['question'].strip()}")

    def format_ideal(self, item: Item) -> list[str]:
        return list(item["answers"])

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {**super().format_more(item), "cluster": item["cluster"]}
