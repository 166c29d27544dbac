"""Baselines: completion functions without a model, to show what a score is worth and to run evals offline.

``LexicalBaseline`` answers by comparing words, ``RandomBaseline`` guesses, ``EchoBaseline`` repeats the question (the one
that grades is in ``baseline_judge``). All depend on nothing but the prompt and a seed, so a run gives the same result at
any concurrency. None of them understands anything.
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
        messages = read_messages(prompt)
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
        return task.sentences[
            _nearest_sentence(content_words(task.question), [content_words(s) for s in task.sentences])
        ]


# -- reading a prompt ------------------------------------------------------------------------------


class _Message(NamedTuple):
    role: str
    text: str


class _Task(NamedTuple):
    verdict: list[str]  # [yes, no] in the words asked for; empty when another form is asked for
    options: list[tuple[str, str]]  # lettered choices
    sentences: list[str]  # of the context
    question: str


def read_messages(prompt: Any) -> list[_Message]:
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
    messages = [m for m in read_messages(prompt) if m.role not in ("assistant", "example_user", "example_assistant")]
    if not messages:
        return _Task([], [], [], "")
    asked = max((i for i, m in enumerate(messages) if m.role == "user"), default=len(messages) - 1)
    text = "\n".join(m.text for m in messages)
    found = [m for m in (pair.search(text) for pair in _PAIRS) if m]
    first = min(found, key=lambda m: m.start(), default=None)
    verdict = [first["yes"], first["no"]] if first else []
    # Examples have options of their own, which are not those of the question.
    options = _options(messages[asked].text) or _options(text)
    own = [s.strip() for s in _SENTENCE.split(_OPTION.sub("", messages[asked].text)) if s.strip()]
    at = max((i for i, s in enumerate(own) if s.endswith(("?", "？"))), default=len(own) - 1)
    question = own.pop(at) if own else ""
    given = [s.strip() for i, m in enumerate(messages) if i != asked for s in _SENTENCE.split(m.text) if s.strip()]
    # A sentence that asks for the form of the answer is an instruction, no matter where it stands.
    context = [s for s in given + own if not any(pair.search(s) for pair in _PAIRS)]
    return _Task(verdict, options, context, question)


def _options(text: str) -> list[tuple[str, str]]:
    """The lettered choices of a text, if they are A, B and so on, each once."""
    options = _OPTION.findall(text)
    return options if len(options) > 1 and "ABCDEFGH".startswith("".join(letter for letter, _ in options)) else []


# -- comparing words -------------------------------------------------------------------------------


def word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Function words, negators, numbers and opposites of the two languages in general; none from a data set.
_STOP = word_set(
    """a an the of to in on at by for with from and or is are was were be been being do does did has have
    had it its this that these those their his her him you your they them he she we our i who whom which
    what when where how why as than any there can could may might must will would should if then also so
    ever"""
)
_NEGATORS = word_set(
    """no not never none nobody nothing neither nor without cannot hardly lack lacks except unless unlike
    instead rather forbid forbidden refuse refuses refused ban banned prohibit prohibited"""
)
_NEGATION_ZH = re.compile("不(?!仅|但是|过)|没|无(?!论)|未|禁止|严禁|拒绝|取消")
_TOKEN = re.compile(rf"[a-z]+(?:'t)?|\d+(?:[.,:]\d+)*|[{CJK}]+")
_FUNCTION_ZH = re.compile("[的了吗呢是在有会能把被就也都还和与或从到于以对为个这那它他她们其之所着过吧啊可请由]")
_NUMBER_WORDS = word_set(
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
        one, other = (word_set(side) for side in pair.split("|"))
        out.update({w: out.get(w, frozenset()) | other for w in one})
        out.update({w: out.get(w, frozenset()) | one for w in other})
    return out


_ANTONYMS = _opposites(_OPPOSITES)
_ANTONYM_ZH = {pair[i]: pair[1 - i] for pair in _OPPOSITES_ZH.split() for i in (0, 1)}


def stem_of(word: str) -> str:
    for suffix in ("ing", "ies", "ed", "es", "er", "ly", "s", "e"):
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)] + ("y" if suffix == "ies" else "")
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def content_words(text: str, *, n: int = 2) -> set[str]:
    """Content words: stems, numbers, and ``n``-grams of Chinese characters between function words."""
    out: set[str] = set()
    for token in _TOKEN.findall(text.lower()):
        if token[0] > "\u3000":
            for run in _FUNCTION_ZH.split(token):
                out.update({run} if 0 < len(run) < n else (run[i : i + n] for i in range(len(run) - n + 1)))
        elif token not in _STOP and token not in _NEGATORS:
            out.add(stem_of(token))
    return out


def _raw_words(text: str) -> set[str]:
    return {t for t in _TOKEN.findall(text.lower().replace("’", "'")) if t[0] < "\u3000"}


def is_negated(text: str) -> bool:
    # "can't" is negated; the words themselves are compared without their negators.
    return any(w in _NEGATORS or w.endswith("'t") for w in _raw_words(text)) or bool(_NEGATION_ZH.search(text))


def numbers_in(text: str) -> set[str]:
    return set(_NUMBER.findall(text)) | (_raw_words(text) & _NUMBER_WORDS)


def _nearest_sentence(question: set[str], sentences: Sequence[set[str]]) -> int:
    """The index of the sentence that shares most with the question, rare words counting more."""
    frequency = Counter(word for sentence in sentences for word in sentence)
    n = len(sentences)
    # An exact sum: a set has another order in every process, and rounding would follow it.
    scores = [math.fsum(math.log1p(n / frequency[word]) for word in question & sentence) for sentence in sentences]
    return max(range(n), key=lambda i: scores[i])


def _supported(question: str, sentences: Sequence[str]) -> bool:
    if not sentences:
        return True
    nearest = sentences[_nearest_sentence(content_words(question), [content_words(s) for s in sentences])]
    if is_negated(nearest) != is_negated(question):
        return False
    if numbers_in(question) - set().union(*map(numbers_in, sentences)):
        return False
    said, asked = _raw_words(nearest), _raw_words(question)
    if any(_ANTONYMS[w] & said for w in asked - said if w in _ANTONYMS):
        return False
    return not any(_ANTONYM_ZH[c] in nearest for c in set(question) - set(nearest) if c in _ANTONYM_ZH)


def _nearest_option(task: _Task) -> str:
    asked = content_words(task.question)
    context = [content_words(s) for s in task.sentences]
    near = context[_nearest_sentence(asked, context)] if context else set()
    everything = set().union(*context) if context else set()

    def score(option: tuple[str, str]) -> float:
        words = content_words(option[1])
        size = len(words) or 1
        return (2 * len(words & near) + len(words & everything) + 0.5 * len(words & asked)) / size

    return max(task.options, key=score)[0]
