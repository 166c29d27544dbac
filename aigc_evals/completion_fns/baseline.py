"""Baselines: completion functions without a model, to show what a score is worth and to run evals offline.

``LexicalBaseline`` answers by comparing words, ``RandomBaseline`` guesses, ``EchoBaseline`` repeats the
question, and ``JudgeBaseline`` grades by comparing texts. All depend on nothing but the prompt (and a
seed), so a run gives the same result at any concurrency. None of them understands anything, and none
replaces a model or a judge.
"""

from __future__ import annotations

import json
import math
import random
import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aigc_evals.api import TextResult

CJK = "\u3400-\u9fff"


class Baseline(ABC):
    """A completion function that computes its reply from the prompt alone."""

    description = "a baseline, not a language model"

    def __init__(self, registry: Any = None, **kwargs: Any) -> None:
        """``registry`` and unknown arguments are accepted, as for every completion function, and not used."""
        del registry, kwargs

    @abstractmethod
    def reply(self, prompt: Any) -> str:
        """The reply to a text or chat prompt."""

    def __call__(self, prompt: Any, **kwargs: Any) -> TextResult:
        return TextResult(self.reply(prompt), model=type(self).__name__)

    async def acall(self, prompt: Any, **kwargs: Any) -> TextResult:
        return self(prompt, **kwargs)


class EchoBaseline(Baseline):
    """Repeats the last user message (the last message of any role when there is none)."""

    def reply(self, prompt: Any) -> str:
        messages = _messages(prompt)
        users = [m.text for m in messages if m.role == "user"]
        return users[-1] if users else messages[-1].text if messages else ""


class RandomBaseline(Baseline):
    """Picks uniformly among the answers that the prompt asks for; depends on ``(seed, prompt)`` only."""

    def __init__(self, seed: int = 0, registry: Any = None, **kwargs: Any) -> None:
        super().__init__(registry, **kwargs)
        self.seed = seed

    def reply(self, prompt: Any) -> str:
        task = _read_task(prompt)
        choices = task.verdict or [letter for letter, _ in task.options] or task.sentences
        key = prompt if isinstance(prompt, str) else json.dumps(prompt, ensure_ascii=False, sort_keys=True, default=str)
        return random.Random(f"{self.seed}:{key}").choice(choices) if choices else ""


class LexicalBaseline(Baseline):
    """Answers from the words of the prompt, in English and Chinese.

    A yes/no question is answered with yes unless the sentence nearest to it differs from it in negation
    or says the opposite by an antonym, or the whole context lacks one of the question's numbers. A
    lettered choice goes to the option nearest to the context and the question. Any other question is
    answered with the nearest sentence of the context.
    """

    def reply(self, prompt: Any) -> str:
        task = _read_task(prompt)
        if task.verdict:
            return task.verdict[0 if _supported(task.question, task.sentences) else 1]
        if task.options:
            return _nearest_option(task)
        if not task.sentences:
            return task.question
        return task.sentences[_nearest_sentence(_words(task.question), [_words(s) for s in task.sentences])]


# -- reading a prompt ------------------------------------------------------------------------------


class _Message(NamedTuple):
    role: str
    text: str


class _Task(NamedTuple):
    verdict: list[str]  # [yes, no] in the words asked for; empty when another form is asked for
    options: list[tuple[str, str]]  # lettered choices
    sentences: list[str]  # of the context
    question: str


def _messages(prompt: Any) -> list[_Message]:
    if isinstance(prompt, str):
        return [_Message("user", prompt)] if prompt.strip() else []
    out = []
    for part in prompt or []:
        if isinstance(part, Mapping):
            content = part.get("content")
            if isinstance(content, list):
                content = "\n".join(str(p.get("text", "")) for p in content if isinstance(p, Mapping))
            out.append(_Message(str(part.get("name") or part.get("role") or ""), str(content or "")))
        elif isinstance(part, str):
            out.append(_Message("user", part))
    return out


_PAIRS = [
    re.compile(r"\b(?P<yes>true)\b.{0,60}?\b(?P<no>false)\b", re.I | re.S),
    re.compile(r"\b(?P<no>false)\b.{0,60}?\b(?P<yes>true)\b", re.I | re.S),
    re.compile(r"\b(?P<yes>yes)\b.{0,60}?\b(?P<no>no)\b", re.I | re.S),
    re.compile(r"\b(?P<no>no)\b.{0,20}?\b(?P<yes>yes)\b", re.I | re.S),
    re.compile("(?P<yes>【是】)[^。？]{0,30}?(?P<no>【否】)"),
    re.compile("[“\"「'‘](?P<yes>是|对|正确)[”\"」'’][^。？]{0,30}?[“\"「'‘](?P<no>否|错|错误|不是)[”\"」'’]"),
    re.compile("(?P<yes>是)(?:或者?|/|、|还是)(?P<no>否)"),
    re.compile("(?P<yes>对)(?:或者?|/|、|还是)(?P<no>错)"),
    re.compile("(?P<yes>正确)(?:或者?|/|、|还是)(?P<no>错误)"),
]
_OPTION = re.compile(r"^[ \t]*\(?([A-H])[).:、．：）][ \t]*(\S.*)$", re.M)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])|\n+")


def _read_task(prompt: Any) -> _Task:
    messages = [m for m in _messages(prompt) if m.role not in ("assistant", "example_user", "example_assistant")]
    if not messages:
        return _Task([], [], [], "")
    asked = max((i for i, m in enumerate(messages) if m.role == "user"), default=len(messages) - 1)
    text = "\n".join(m.text for m in messages)
    found = [m for m in (pair.search(text) for pair in _PAIRS) if m]
    first = min(found, key=lambda m: m.start(), default=None)
    verdict = [first["yes"], first["no"]] if first else []
    options = _OPTION.findall(text)
    if [letter for letter, _ in options] != list("ABCDEFGH"[: len(options)]) or len(options) < 2:
        options = []
    own = [s.strip() for s in _SENTENCE.split(_OPTION.sub("", messages[asked].text)) if s.strip()]
    at = max((i for i, s in enumerate(own) if s.endswith(("?", "？"))), default=len(own) - 1)
    question = own.pop(at) if own else ""
    given = [s.strip() for i, m in enumerate(messages) if i != asked for s in _SENTENCE.split(m.text) if s.strip()]
    # A sentence that asks for the form of the answer is an instruction, no matter where it stands.
    context = [s for s in given + own if not any(pair.search(s) for pair in _PAIRS)]
    return _Task(verdict, options, context, question)


# -- comparing words -------------------------------------------------------------------------------


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Function words, negators, numbers and opposites of the two languages in general; none from a data set.
_STOP = _set(
    """a an the of to in on at by for with from and or is are was were be been being do does did has have
    had it its this that these those their his her him you your they them he she we our i who whom which
    what when where how why as than any there can could may might must will would should if then also so
    ever"""
)
_NEGATORS = _set(
    """no not never none nobody nothing neither nor without cannot hardly lack lacks except unless unlike
    instead rather forbid forbidden refuse refuses refused ban banned prohibit prohibited"""
)
_NEGATION_ZH = re.compile("不(?!仅|但是|过)|没|无(?!论)|未|禁止|严禁|拒绝|取消")
_TOKEN = re.compile(rf"[a-z]+(?:'t)?|\d+(?:[.,:]\d+)*|[{CJK}]+")
_FUNCTION_ZH = re.compile("[的了吗呢是在有会能把被就也都还和与或从到于以对为个这那它他她们其之所着过吧啊可请由]")
_NUMBER_WORDS = _set(
    """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand
    million half quarter"""
)
_NUMBER = re.compile(
    r"\d+(?:[.,:]\d+)*|[零〇一二三四五六七八九十百千万]{2,}"
    r"|[二三四五六七八九十百千万](?=[个元年月日点人只条次种位])"
)
_OPPOSITES = """
    open opens opened|shut closed closes; allowed permitted|forbidden banned prohibited; rise rises rose
    increase increased grow grew|fall falls fell decrease decreased shrink; more|fewer less; most|least;
    older|younger newer; before|after; earlier|later; high higher highest|low lower lowest; above
    top|below bottom; long longer longest|short shorter shortest; hot warm warmer|cold cool cooler; fast
    faster fastest quickly|slow slower slowest slowly; first|last; cheap cheaper|expensive dearer;
    free|paid; win won wins|lose lost loses; hard harder|soft softer easy easier; begin began started|end
    ended finished; success succeeded|failure failed; accepted|refused rejected; alive|dead; inside
    indoors|outside outdoors; left|right; male|female; natural|artificial; same|different;
    possible|impossible; best|worst; better|worse; float floats|sink sinks; full|empty; north|south;
    east|west
"""
_OPPOSITES_ZH = "早晚 高低 大小 多少 先后 快慢 长短 前后 左右 男女 冷热 远近 新旧 软硬 轻重 胜败 升降"


def _opposites(pairs: str) -> dict[str, frozenset[str]]:
    out: dict[str, frozenset[str]] = {}
    for pair in pairs.split(";"):
        one, other = (_set(side) for side in pair.split("|"))
        out.update({w: out.get(w, frozenset()) | other for w in one})
        out.update({w: out.get(w, frozenset()) | one for w in other})
    return out


_ANTONYMS = _opposites(_OPPOSITES)
_ANTONYM_ZH = {pair[i]: pair[1 - i] for pair in _OPPOSITES_ZH.split() for i in (0, 1)}


def _stem(word: str) -> str:
    for suffix in ("ing", "ies", "ed", "es", "er", "ly", "s", "e"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)] + ("y" if suffix == "ies" else "")
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def _words(text: str, *, n: int = 2) -> set[str]:
    """Content words: stems, numbers, and ``n``-grams of Chinese characters between function words."""
    out: set[str] = set()
    for token in _TOKEN.findall(text.lower()):
        if token[0] > "\u3000":
            for run in _FUNCTION_ZH.split(token):
                out.update({run} if 0 < len(run) < n else (run[i : i + n] for i in range(len(run) - n + 1)))
        elif token not in _STOP and token not in _NEGATORS:
            out.add(_stem(token))
    return out


def _raw_words(text: str) -> set[str]:
    return {t for t in _TOKEN.findall(text.lower().replace("’", "'")) if t[0] < "\u3000"}


def _negated(text: str) -> bool:
    # "can't" is negated; the words themselves are compared without their negators.
    return any(w in _NEGATORS or w.endswith("'t") for w in _raw_words(text)) or bool(_NEGATION_ZH.search(text))


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(text)) | (_raw_words(text) & _NUMBER_WORDS)


def _nearest_sentence(question: set[str], sentences: Sequence[set[str]]) -> int:
    """The index of the sentence that shares most with the question, rare words counting more."""
    frequency = Counter(word for sentence in sentences for word in sentence)
    n = len(sentences)
    scores = [sum(math.log1p(n / frequency[word]) for word in question & sentence) for sentence in sentences]
    return max(range(n), key=lambda i: scores[i])


def _supported(question: str, sentences: Sequence[str]) -> bool:
    if not sentences:
        return True
    nearest = sentences[_nearest_sentence(_words(question), [_words(s) for s in sentences])]
    if _negated(nearest) != _negated(question):
        return False
    if _numbers(question) - set().union(*map(_numbers, sentences)):
        return False
    said, asked = _raw_words(nearest), _raw_words(question)
    if any(_ANTONYMS[w] & said for w in asked - said if w in _ANTONYMS):
        return False
    return not any(_ANTONYM_ZH[c] in nearest for c in set(question) - set(nearest) if c in _ANTONYM_ZH)


def _nearest_option(task: _Task) -> str:
    asked = _words(task.question)
    context = [_words(s) for s in task.sentences]
    near = context[_nearest_sentence(asked, context)] if context else set()
    everything = set().union(*context) if context else set()

    def score(option: tuple[str, str]) -> float:
        words = _words(option[1])
        size = len(words) or 1
        return (2 * len(words & near) + len(words & everything) + 0.5 * len(words & asked)) / size

    return max(task.options, key=score)[0]


# -- judging ---------------------------------------------------------------------------------------

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
    _stem(word)
    for word in _set(
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
        text = "\n\n".join(m.text for m in _messages(prompt))
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
        relation, why = compare_texts(parts["reference"], parts["submission"])
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
        if not _words(_POLAR.sub("", reference.strip().lower())):
            return "same", ("the verdicts agree", "是非判断一致")
    numbers = _numbers(reference), _numbers(submission)
    if numbers[0] and numbers[1] and not (numbers[0] <= numbers[1] or numbers[1] <= numbers[0]):
        return "conflict", ("the numbers differ", "数字不同")
    theirs, own = _words(reference, n=1), _words(submission, n=1)
    shared = len(theirs & own)
    if shared and None in verdicts and _negated(reference) != _negated(submission):
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
    wanted = _words(_SAYS_ZH.sub("，", criterion), n=2) - _SAYS
    own = _words(submission, n=2)
    hits = sum(q in said for q in quoted) if quoted else len(wanted & own)
    total = len(quoted) or len(wanted) or 1
    met = hits == total if quoted else hits >= total / 2
    if _negated(criterion):
        met = hits == 0
    why = (
        f"{hits} of {total} words of the criterion occur in the submission",
        f"标准中的 {total} 个词语有 {hits} 个出现在待评答案中",
    )
    return (yes if met else no), why


def _merit(instruction: str, response: str) -> tuple[float, int]:
    """The share of the instruction's words that the response takes up, then the number of its own words."""
    asked, own = _words(instruction), _words(response)
    return (len(asked & own) / len(asked) if asked else 0.0), len(own)


def _split_list(text: str, n: int) -> list[str]:
    out: list[str] = []
    for number in range(1, n + 1):
        start = re.search(rf"^{number}\. ?", text, re.M)
        end = re.search(rf"^{number + 1}\. ?", text, re.M) if number < n else None
        out.append(text[start.end() : end.start() if end else len(text)].strip() if start else "")
    return out
