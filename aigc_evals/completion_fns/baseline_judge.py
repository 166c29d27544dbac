"""A grading baseline: it reads the texts out of a judge's prompt, compares them, and answers in the form asked for.

It lets model-graded evals run without a model, and shows what a verdict by words alone is worth.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aigc_evals.completion_fns.baseline import (
    CJK,
    Baseline,
    content_words,
    is_negated,
    numbers_in,
    read_messages,
    stem_of,
    word_set,
)

_QUOTED = r"[\"“]([^\"“”\s][^\"“”\n]{0,40}?)[\"”]"
_CHOICES = re.compile(rf"{_QUOTED}(?:\s*(?:or|或者?|、|か)\s*{_QUOTED})+")
_REASON = re.compile(r"reason|explain|explanation|step[- ]by[- ]step|推理|理由|解释|说明|分析|推論|説明", re.I)
_NO_REASON = re.compile(
    r"(?:\bno\b|\bnot\b|n't\b|without|nothing|不要|无需|不必|不得|不加|不写|不作)[^.。,，;；\n]{0,24}?"
    r"(?:reason\w*|explain\w*|explanation\w*|推理|理由|解释|说明|分析)",
    re.I,
)
_ROLES = {
    "question": "question task sentence instruction 问题 任务 原文 指令",
    "reference": "reference expert 参考答案 参考译文",
    "submission": "submission 待评答案 待评译文",
    "criterion": "criterion 标准",
    "question_1": "instruction_1 指令一",
    "question_2": "instruction_2 指令二",
    "response_1": "response_1 回答一",
    "response_2": "response_2 回答二",
    "responses": "responses 各份回答",
}
_ROLE_OF = {alias: role for role, aliases in _ROLES.items() for alias in aliases.split()}
_TAG = re.compile(r"^<([^<>/\n]+)>$", re.M)
_STARRED = re.compile(r"^\[([A-Z][a-z]+)\]:[ \t]*(.*?)(?=^\*{3,}\s*$|^\[END DATA\]|\Z)", re.M | re.S)
_NUMBERED = re.compile(r"^\[([A-Z][a-z]+ [12])\]\n(.*?)(?=^\[[A-Z][a-z]+ [12]\]$|\n\n\n|\Z)", re.M | re.S)
_LISTED = re.compile(r"^Instruction: (?P<question>.*?)\n\nResponses:\n(?P<responses>.*?)(?=\n\n|\Z)", re.M | re.S)
_POLAR = re.compile(
    r"^(?:(?P<yes>yes|true|correct|right|是的?|对的?|正确|没错|属实)"
    r"|(?P<no>no|false|incorrect|wrong|否|不|不是的?|不对|错误?|不正确))"
    r"(?=$|[^\w\s]|\s+(?:it|that|this|they|he|she|there|because|the)\b)"
)
_VERDICT = re.compile(r"\b(?:(true|yes)|(false|no))\b|答案[是为：:\s]*(?:(是|对|正确)|(否|错|不))")
_SAYS = {
    stem_of(word)
    for word in word_set(
        """answer reply response submission text mention mentions contain contains include includes state
        states name names give gives say says word least one sentence it"""
    )
}
_SAYS_ZH = re.compile("待评答案|答案|回答|回复|提到|包含|含有|至少|说出|给出|出现|文中|内容|列出")


class JudgeBaseline(Baseline):
    """Grades a model-graded prompt by comparing its texts.

    It knows the sections of the specs shipped here and of the usual bracketed layout (``[Expert]: ...``,
    ``[Submission]: ...``), reads the choices from the instruction (``"A" or "B"``), and gives reasons
    where they are asked for.
    """

    def reply(self, prompt: Any) -> str:
        text = "\n\n".join(m.text for m in read_messages(prompt))
        found = list(_CHOICES.finditer(text))
        choices = (
            re.findall(_QUOTED, found[-1][0]) if found else [x for x, _ in re.findall(r"^\(([A-Z])\)( )", text, re.M)]
        )
        if not choices:
            return ""
        choice, why = _grade(_sections(text), choices)
        tail_start = text.rfind("\n\n", 0, found[-1].start()) + 1 if found else len(text)
        tail = _NO_REASON.sub(lambda m: " " * len(m[0]), text[tail_start:])
        at = found[-1].start() - tail_start if found else 0
        chinese = bool(re.search(f"[{CJK}]", tail)) and not re.search("[\u3040-\u30ff]", tail)
        opening = (
            "这是比较文字的基线程序，不是语言模型"
            if chinese
            else "This is a text-comparing baseline, not a language model"
        )
        reasons = f"{opening}：{why[1]}。" if chinese else f"{opening}: {why[0]}."
        spots = [m.start() for m in _REASON.finditer(tail)]
        if not spots:
            return choice
        if min(spots) < at or re.search(r"(?:reasoning|推理|推論|分析)\s*[:：]\s*$", tail, re.I):
            return f"{reasons}\n{choice}"
        return f"{choice}\n{reasons}"


Grade = tuple[str, tuple[str, str]]  # the choice, and why in English and Chinese


_FROM_BEST = ("same", "similar", "superset", "subset", "conflict")
_FACT = {"subset": "A", "superset": "B", "same": "C", "conflict": "D", "similar": "E"}


def _sections(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    position = 0
    while opening := _TAG.search(text, position):
        name = opening[1]
        # The last closing tag is the prompt's own; earlier ones may stand in the data.
        end = text.rfind(f"\n</{name}>")
        position = opening.end()
        if name in _ROLE_OF and end >= position:
            out.setdefault(_ROLE_OF[name], text[position:end].strip())
            position = end
    if not out:
        for match in [*_STARRED.finditer(text), *_NUMBERED.finditer(text)]:
            role = _ROLE_OF.get(match[1].lower().replace(" ", "_"))
            if role:
                out.setdefault(role, match[2].strip())
    if not out and (listed := _LISTED.search(text)):
        out = {role: value.strip() for role, value in listed.groupdict().items()}
    return out


def _grade(parts: Mapping[str, str], choices: Sequence[str]) -> Grade:
    if "reference" in parts and "submission" in parts:
        compared = [compare_texts(accepted, parts["submission"]) for accepted in _accepted(parts["reference"])]
        relation, why = min(compared, key=lambda found: _FROM_BEST.index(found[0]))
        if list(choices) == list("ABCDE"):
            return _FACT[relation], why
        return choices[0 if relation in ("same", "similar") else 1], why
    if "criterion" in parts and "submission" in parts:
        return _meets(parts["criterion"], parts["submission"], choices)
    if "response_1" in parts and "response_2" in parts:
        first, second = (_merit(parts.get(f"question_{i}", ""), parts[f"response_{i}"]) for i in (1, 2))
        why = (
            f"the first response scores {first[0]:.2f} by shared words and the second {second[0]:.2f}",
            f"按共有词语计算，第一份回答得 {first[0]:.2f}，第二份得 {second[0]:.2f}",
        )
        return choices[0 if first > second else 1], why
    if "responses" in parts:
        listed = _split_list(parts["responses"], len(choices))
        merits = [_merit(parts.get("question", ""), response) for response in listed]
        best = max(range(len(merits)), key=lambda i: merits[i])
        return choices[best], (
            f"response {choices[best]} shares most with the instruction",
            f"第 {choices[best]} 份与指令共有的词语最多",
        )
    unsure = "Unsure" if "Unsure" in choices else choices[-1]
    return unsure, ("there are no two texts to compare", "没有可以比较的两段文字")


def _accepted(reference: str) -> list[str]:
    """The accepted answers of a reference: those of a list as Python or JSON writes it, else the text itself."""
    try:
        listed = ast.literal_eval(reference) if reference.startswith("[") else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        listed = None
    if not isinstance(listed, list) or not listed or not all(isinstance(item, str) for item in listed):
        return [reference]
    return listed


def compare_texts(reference: str, submission: str) -> tuple[str, tuple[str, str]]:
    """How ``submission`` stands to ``reference``, and why (English, Chinese).

    The relation is ``same``, ``subset``, ``superset``, ``similar`` or ``conflict``, judged by the words
    alone.
    """
    said = _normal(submission)
    if not said:
        return "conflict", ("the submission is empty", "待评答案为空")
    if said == _normal(reference):
        return "same", ("the texts are equal", "两段文字相同")
    verdicts = _verdict(reference), _verdict(submission, anywhere=_verdict(reference) is not None)
    if None not in verdicts:
        if verdicts[0] != verdicts[1]:
            return "conflict", ("the verdicts are opposite", "是非判断相反")
        if not content_words(_POLAR.sub("", reference.strip().lower())):
            return "same", ("the verdicts agree", "是非判断一致")
    numbers = numbers_in(reference), numbers_in(submission)
    if numbers[0] and numbers[1] and not (numbers[0] <= numbers[1] or numbers[1] <= numbers[0]):
        return "conflict", ("the numbers differ", "数字不同")
    theirs, own = content_words(reference, n=1), content_words(submission, n=1)
    shared = len(theirs & own)
    if shared and None in verdicts and is_negated(reference) != is_negated(submission):
        return "conflict", ("one text denies what the other says", "一方否定了另一方的说法")
    if theirs == own and theirs:
        return "same", ("both use the same words", "两者用词相同")
    if theirs and theirs <= own:
        return "superset", (
            "the submission has all words of the reference and more",
            "待评答案含有参考答案的全部词语，并有增加",
        )
    if own and own <= theirs:
        return "subset", ("the submission has only words of the reference", "待评答案的词语都在参考答案之中")
    f1 = 2 * shared / (len(theirs) + len(own)) if shared else 0.0
    why = (f"the shared words give F1 = {f1:.2f}", f"共有词语的 F1 为 {f1:.2f}")
    return ("similar" if f1 >= 0.7 else "conflict"), why


def _normal(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _verdict(text: str, *, anywhere: bool = False) -> bool | None:
    """Whether the text says yes or no: at its start or, if ``anywhere``, on its last line or in passing."""
    lines = [re.sub(r"^\W+", "", line) for line in text.strip().lower().splitlines() if line.strip()]
    for line in lines[:1] + (lines[-1:] if anywhere else []):
        if match := _POLAR.match(line):
            return match["yes"] is not None
    if anywhere:
        found = {bool(m[1] or m[3]) for m in _VERDICT.finditer(text.lower())}
        if len(found) == 1:
            return found.pop()
    return None


def _meets(criterion: str, submission: str, choices: Sequence[str]) -> Grade:
    yes, no = choices[0], choices[1]
    said = _normal(submission)
    if not said:
        return no, ("the submission is empty", "待评答案为空")
    quoted = [_normal(q) for q in re.findall(_QUOTED, criterion)]
    wanted = content_words(_SAYS_ZH.sub("，", criterion), n=2) - _SAYS
    own = content_words(submission, n=2)
    hits = sum(q in said for q in quoted) if quoted else len(wanted & own)
    total = len(quoted) or len(wanted) or 1
    met = hits == total if quoted else hits >= total / 2
    if is_negated(criterion):
        met = hits == 0
    why = (
        f"{hits} of {total} words of the criterion occur in the submission",
        f"标准中的 {total} 个词语有 {hits} 个出现在待评答案中",
    )
    return (yes if met else no), why


def _merit(instruction: str, response: str) -> tuple[float, int]:
    """The share of the instruction's words that the response takes up, then the number of its own words."""
    asked, own = content_words(instruction), content_words(response)
    return (len(asked & own) / len(asked) if asked else 0.0), len(own)


def _split_list(text: str, n: int) -> list[str]:
    out: list[str] = []
    for number in range(1, n + 1):
        start = re.search(rf"^{number}\. ?", text, re.M)
        end = re.search(rf"^{number + 1}\. ?", text, re.M) if number < n else None
        out.append(text[start.end() : end.start() if end else len(text)].strip() if start else "")
    return out
