"""Examinations with four options: CSV files by subject, examples in a split of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aigc_evals.generate.base import GenerateZh, Item, Message
from aigc_evals.generate.download import Remote
from aigc_evals.generate.readers import find_all, read_csv

LETTERS = "ABCD"

# Category: subject, and its name in Chinese.
_CEVAL = {
    "STEM": {
        "computer_network": "计算机网络",
        "operating_system": "操作系统",
        "computer_architecture": "计算机组成",
        "college_programming": "大学编程",
        "college_physics": "大学物理",
        "college_chemistry": "大学化学",
        "advanced_mathematics": "高等数学",
        "probability_and_statistics": "概率统计",
        "discrete_mathematics": "离散数学",
        "electrical_engineer": "注册电气工程师",
        "metrology_engineer": "注册计量师",
        "high_school_mathematics": "高中数学",
        "high_school_physics": "高中物理",
        "high_school_chemistry": "高中化学",
        "high_school_biology": "高中生物",
        "middle_school_mathematics": "初中数学",
        "middle_school_biology": "初中生物",
        "middle_school_physics": "初中物理",
        "middle_school_chemistry": "初中化学",
        "veterinary_medicine": "兽医学",
    },
    "Social Science": {
        "college_economics": "大学经济学",
        "business_administration": "工商管理",
        "marxism": "马克思主义基本原理",
        "mao_zedong_thought": "毛泽东思想和中国特色社会主义理论体系概论",
        "education_science": "教育学",
        "teacher_qualification": "教师资格",
        "high_school_politics": "高中政治",
        "high_school_geography": "高中地理",
        "middle_school_politics": "初中政治",
        "middle_school_geography": "初中地理",
    },
    "Humanities": {
        "modern_chinese_history": "近代史纲要",
        "ideological_and_moral_cultivation": "思想道德修养与法律基础",
        "logic": "逻辑学",
        "law": "法学",
        "chinese_language_and_literature": "中国语言文学",
        "art_studies": "艺术学",
        "professional_tour_guide": "导游资格",
        "legal_professional": "法律职业资格",
        "high_school_chinese": "高中语文",
        "high_school_history": "高中历史",
        "middle_school_history": "初中历史",
    },
    "Other": {
        "civil_servant": "公务员",
        "sports_science": "体育学",
        "plant_protection": "植物保护",
        "basic_medicine": "基础医学",
        "clinical_medicine": "临床医学",
        "urban_and_rural_planner": "注册城乡规划师",
        "accountant": "注册会计师",
        "fire_engineer": "注册消防工程师",
        "environmental_impact_assessment_engineer": "环境影响评价工程师",
        "tax_accountant": "税务师",
        "physician": "医师资格",
    },
}


def subjects(categories: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """``subsets`` of a set from its subjects by category: the category and the title of each."""
    return {
        subject: {"category": category, "title": title}
        for category, titles in categories.items()
        for subject, title in titles.items()
    }


def options(item: Item) -> str:
    """The options of an item as lines ``A. text``."""
    return "\n".join(f"{letter}. {item[letter].strip()}" for letter in LETTERS)


class ceval(GenerateZh):  # noqa: N801 - the name of the set, and of its evals
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
    subsets = subjects(_CEVAL)
    evals = ("choice",)
    few_shot_split = "dev"
    few_shot_drawn = False
    suggested_samples = None
    instruction = "下面是中国考试中的单项选择题，四个选项中只有一个正确。请选出正确的选项，只回答它的字母。"

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        for split, short in (("dev", "dev"), ("validation", "val")):
            self.save_split(split, self._read(folder, short))

    def _read(self, folder: Path, short: str) -> Iterator[Item]:
        for path in find_all(folder, f"{short}/*_{short}.csv"):
            subject = path.stem.removesuffix(f"_{short}")
            for row in read_csv(path):
                yield {"subset": subject, **row}

    def format_chat_prompt(self, item: Item) -> list[Message]:
        title = self.subsets.get(item["subset"], {}).get("title", item["subset"])
        return self.chat(f"科目：{title}\n{item['question'].strip()}\n{options(item)}")

    def format_ideal(self, item: Item) -> str:
        return str(item["answer"]).strip()

    def format_more(self, item: Item) -> Mapping[str, Any]:
        return {"choices": {letter: item[letter].strip() for letter in LETTERS}, **super().format_more(item)}
