"""Which option an answer in free text chooses, in English and Chinese: pure functions over text.

Nothing is guessed: where a text says no letter, several, or two different ones equally well, there is none. A text is
searched for *statements*, each with a strength:

3. what is marked as the answer: a box, a tag, a JSON field, "final answer", a line of its own ("Answer: B", "答案：B");
2. what calls a letter the answer, or chooses it: "the answer is B", "I would choose B", "答案是B", "故选B";
1. what only calls a letter right, or ends in one: "B is correct", "so B", "B正确", "应该是B", "B. Paris".

Denied, supposed and asked statements ("not B", "if B", "B吗") do not count. The strongest decide; of those that disagree
the last one does where the text takes the others back in between ("wait", "等等"), else none does. Where no letter is
stated and the options' texts are known, one that is repeated counts.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Found(NamedTuple):
    """The letters that an answer chooses, in the order of the alphabet (none: it could not be told), and the rule that said so."""

    letters: str
    rule: str

    @property
    def letter(self) -> str | None:
        """The letter, where there is exactly one."""
        return self.letters if len(self.letters) == 1 else None


class _Statement(NamedTuple):
    letters: str
    strength: int
    start: int
    end: int
    rule: str


_OPEN = r"[\s\"“‘「『【\[(<{]{0,5}"
_CLOSE = r"[\"”’」』】\])>}]{0,4}"
# A and I are words too where a word in lower case follows that does not go on about an option.
_GOES_ON = (
    r"(?:and|or|but|because|since|as|is|are|was|for|with|which|by|due|based|here|instead|then|from|must|should)\b"
)
_ONE = (
    r"(?<![A-Za-z0-9_'’\-])[A-Z](?![A-Za-z0-9_+]|['’][A-Za-z]|-[A-Za-z0-9]|\.[A-Za-z]\.)"
    rf"(?!(?<=A)\s+(?!{_GOES_ON})[a-z])(?!(?<=I)\s+(?!is\b)[a-z])"
)
_LOWER = r"(?:(?<=\()[a-z](?=\))|(?<![A-Za-z])[a-z](?=\)?\s*(?:[.,;!。\n]|$)))"
_GLUED = r"(?<![A-Za-z0-9_])[A-Z]{2,26}(?![A-Za-z0-9_])"
_NOUN = r"(?:\s*(?:(?i:options?|choices?|letters?)\s|选项))?"
_ITEM = rf"{_NOUN}{_OPEN}(?:{_ONE}){_CLOSE}(?:\s*(?:选项|项))?"
_END = r"\s*(?:[.,;:!?。)\n]|$)"
_COMMA = rf",(?:\s*(?:and|or)\b)?(?={_OPEN}[A-Z]{_CLOSE}(?:\s*[,、/.;!?。\n]|\s*(?:and|or|和|与|或)|\s*$))"
# No two neighbours here both take white space: a list that fails late would be tried in every way.
_SEPARATOR = rf"\s*(?:{_COMMA}|[、/&+]|\band\b|\bor\b|和|与|或者|或|以及|及|还是)"
_LIST = rf"(?P<list>{_ITEM}(?:{_SEPARATOR}{_ITEM}){{0,25}}|{_OPEN}{_GLUED}{_CLOSE})"
_ANY = rf"(?:{_LIST}|{_NOUN}{_OPEN}(?P<lower>{_LOWER})\)?)"
_IS = r"(?:is|are|was|should\s+be|would\s+be|must\s+be|will\s+be|has\s+to\s+be|seems\s+to\s+be|appears\s+to\s+be|'s)"
_SURELY = r"(?:(?:definitely|clearly|probably|likely|most\s+likely|indeed|actually|therefore|thus|the|in\s+fact)\s+)*"
_RIGHT = (
    r"(?:correct|right|best|most\s+(?:appropriate|suitable|accurate|likely|plausible)|appropriate|only\s+remaining)"
)
_BEFORE = (
    r"(?:^|[.,;:!?。、\n(]|(?<![A-Z] )\b(?i:so|thus|hence|therefore|that|think|believe|only|say|both|and|answer)\b)\s*"
)

_LINE = (
    r"^[ \t]*(?:(?i:(?:the\s+)?(?:correct\s+|right\s+|my\s+)?(?:answer|choice|ans\.?))|(?:正确|参考|本题)?答\s*案?)"
    r"(?:\s+is|\s*[是为])?\s*[:\-—]?"
)
_ANSWER = rf"\banswers?\b(?:\s+(?:here|(?:to|for|among|of|from)\s+(?:\w+\s+){{0,2}}\w+))?\s*(?:{_IS}\s+|[:=]|->|→)"
_RIGHT_ONE = (
    rf"\b(?:{_RIGHT}\s+(?:\w+\s+){{0,2}}?|(?=\w+\s+that\s+is\s+(?:true|correct|right)\b))"
    r"(?:answer|option|choice|one|statement|response)s?\b"
    rf"(?:\s+here|\s+(?:among|of|from)\s+(?:\w+\s+){{1,3}}?(?=is\b)|\s+that\s+is\s+\w+)?\s*(?:{_IS}\s+|[:=])"
)
_CHOOSE = (
    r"\b(?:I|we|I'd|I'll|we'd|let's|let\s+us)\s+(?:(?:would|will|should|must|have\s+to|therefore|thus|can)\s+)*"
    r"(?:choose|select|pick|go\s+with|opt\s+for|answer(?:\s+with)?|say)\s*:?"
)
_CORRECT = rf"(?:(?:also|clearly|definitely|therefore|thus|indeed|the|only)\s+)*(?:true|answer|{_RIGHT})\b"
_ZH_ANSWER = (
    r"(?:答案|正确的?(?:选项|答案|一项|项)|正确的(?=[是为应])|(?:最佳|最合适的|最恰当的|符合题意的)(?:选项|答案|一项)?)\s*"
    r"(?:应该|应当|应|就|显然|只能|必然|肯定)?\s*(?:是|为|选择|选|:)(?:选项|选|:)?"
)
_ZH_CORRECT = (
    r"的?(?:说法|表述|描述|答案|内容)?(?:是|才是|才|最|更|都|均|完全|应该|应)*"
    rf"(?:(?:正确答案|正确|符合题意|恰当|合适|答案)(?!率|性|与否|吗)|对(?=的|了|{_END}))"
)
_ZH_IS = r"(?:^|[,;.:。!]|觉得|认为|应该|应当|应|就|而|其实|肯定|当然|显然|一定|猜|所以|因此)\s*[是为]"
_RULES = (
    ("boxed", 3, rf"\\boxed\s*{{\s*(?:\\text\s*{{)?{_ANY}"),
    ("tag", 3, rf"(?i:<answer>)\s*{_ANY}\s*\.?\s*(?i:</answer>)"),
    ("field", 3, rf"(?i:[\"'](?:final_)?(?:answer|choice|答案)[\"'])\s*:\s*[\"']{_ANY}"),
    ("final answer", 3, rf"(?i:\bfinal\s+(?:answer|choice)\s*(?:{_IS}\s+)?{_SURELY}[:\-—]*)\s*{_ANY}"),
    ("最终答案", 3, rf"最终答案(?:是|为)?[:\s]*{_ANY}"),
    ("answer line", 3, rf"(?m:{_LINE}\s*{_ANY}[ \t]*[.。]?[ \t]*$)"),
    ("the answer is", 2, rf"(?i:{_ANSWER}\s*{_SURELY}:?)\s*{_ANY}"),
    ("the right one is", 2, rf"(?i:{_RIGHT_ONE}\s*{_SURELY}:?)\s*{_ANY}"),
    ("I choose", 2, rf"(?i:{_CHOOSE})\s*{_ANY}"),
    ("not this but", 2, rf"(?i:\bnot)\s+{_ITEM},?\s*(?i:but(?:\s+rather)?|instead)\s+{_LIST}"),
    ("答案是", 2, rf"{_ZH_ANSWER}\s*{_ANY}"),
    ("选", 2, rf"选(?!项)(?:择|定|取)?(?:的是|了)?(?:答案|选项)?[:\s]*{_LIST}"),
    ("is correct", 1, rf"{_BEFORE}{_LIST}\s+(?i:(?:{_IS}|looks|seems)\s+{_CORRECT})"),
    (
        "it is",
        1,
        rf"(?i:\b(?:it|that|this)(?:'s|\s+is|\s+must\s+be|\s+should\s+be|\s+has\s+to\s+be)\s+{_SURELY}){_LIST}(?={_END})",
    ),
    (
        "so",
        1,
        r"(?i:\b(?:so|thus|therefore|hence|leaves|leaving|actually)\b[,:]?\s*(?:(?:us|me)\s+with\s+|only\s+|it'?s\s+|it\s+is\s+)*)"
        rf"{_LIST}(?={_END})",
    ),
    ("正确", 1, rf"{_LIST}{_ZH_CORRECT}"),
    ("是", 1, rf"(?m:{_ZH_IS}\s*){_LIST}(?={_END}|吧)"),
    ("所以", 1, rf"(?:所以|因此|故|综上),?\s*{_LIST}(?={_END})"),
)
_COMPILED = tuple((name, strength, re.compile(pattern)) for name, strength, pattern in _RULES)

_LONE = re.compile(
    rf"\s*(?:(?i:option|choice|answer|letter)|选项|答案)?[\s:]*(?:{_LIST}|{_OPEN}(?P<lower>[a-z]){_CLOSE})\s*[.。!,:;]*\s*"
)
_LEADING = re.compile(
    rf"\s*[\[(【]?(?P<letter>[A-Z]|[a-z](?=\)))(?:[\])】]+[.:、]?|[.:]|[、,](?!{_OPEN}[A-Z](?![A-Za-z0-9])))(?!\.\.)(?P<text>[^\n]*)"
)
_ENUMERATED = re.compile(
    r"(?:^|[\s;,。])[\[(【*\-]*\s?([A-Z])(?:[\])】]|[.:、])(?=\s|[^\s.A-Za-z0-9]|[A-Za-z]{2})", re.MULTILINE
)
_NOTHING = re.compile(r"^[*_ ]*#+\s*|\*+|__+|`+|\$+|^>\s+|\\(?:text|mathrm|mathbf|textbf)(?=\s*{)", re.MULTILINE)

_BLANK = re.compile(r"\s+")
_BEFORE_IT = 300
"""How many characters before a statement can deny or suppose it."""

_BREAK = re.compile(r"[.,;:!?。\n]|所以|因此|\bso\b|\btherefore\b|\bthus\b|\bbut\b|而是")
_SENTENCE = re.compile(r"[.!?。\n]")
_TURN = re.compile(r"[.!?。\n]|\b(?:but|however)\b|但")
_DENIED = re.compile(
    r"\b(?:not|never|neither|nor|incorrect|wrong|false|cannot|rule\s+out)\b|n't\b|[不非勿别没误错]|除了|排除",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|unless|whether|suppose|assuming|had|(?:might|may|could|would)\s+(?:think|say|argue)|(?:some|many|most)\s+(?:people|students|say|think)"
    r"|first\s+thought|at\s+first|initially)\b|如果|假如|假设|倘若|若|要是|是否|有人|容易|乍|起初|最初|原以为|一开始",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"\s*(?:(?:is|was|are|were)\s+)?(?:also\s+)?(?:not\b|wrong\b|incorrect\b|false\b|isn't|aren't)|\s*(?:是|都|均|也)*(?:错|有误|不(?:对|正确|符合|成立|合适|恰当|可能|是))",
    re.IGNORECASE,
)
_ASKED = re.compile(r"[^.!?。\n]{0,40}(?:\?|吗|么[?。])")
_TAKEN_BACK = re.compile(
    r"\bwait\b|\bactually\b|on\s+(?:reflection|second\s+thought)|\bcorrection\b|\b(?:re-?check|reconsider|re-?think|check\s+again)|\bno,|\bsorry\b|\bmistake"
    r"|不对|等等|等一下|更正|重新|其实|纠正|修正|搞错|弄错|再想|再看",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"(?:也可能|也可以|也有可能|也许|或者可能|(?i:\b(?:could|may|might)\s+(?:also|just\s+as\s+well)\s+be|\bor\s+(?:maybe|perhaps|possibly)))"
    rf"(?:是|选|为)?{_LIST}"
)
_NEXT_QUESTION = re.compile(r"\n[ \t]*(?:Question|Q|User|Human|问题|题目)\s*\d*\s*[:：]")


def extract(text: str, choices: str | Sequence[str] | Mapping[str, str], *, several: bool = False) -> Found:
    """What ``text`` chooses among ``choices``: their letters ("ABCD"), or a mapping of letters to the options' texts.

    One letter, or with ``several`` as many as it names; none where it cannot be told. The rule names the kind of statement
    that decided, or why none did: ``nothing``, ``several``, ``conflict``, ``outside`` (a letter that is no option).
    """
    options = dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
    cut = _NEXT_QUESTION.search(text)
    if cut and text[: cut.start()].strip():
        # Models without a chat template go on with questions of their own.
        found = _extract(text[: cut.start()], options, several)
        if found.letters:
            return found
    return _extract(text, options, several)


def _extract(text: str, options: Mapping[str, str], several: bool) -> Found:
    plain = _NOTHING.sub("", unicodedata.normalize("NFKC", text)).strip()
    plain = _BLANK.sub(lambda run: "\n\n" if run[0].count("\n") > 1 else "\n" if "\n" in run[0] else " ", plain)
    lone = _LONE.fullmatch(plain)
    if lone:
        return _judged(_letters(lone["list"] or lone["lower"].upper()), "letter alone", options, several)
    statements = [*_stated(plain, options), *_leading(plain, options)]
    if statements:
        return _decided(plain, sorted(statements, key=lambda one: one.start), options, several)
    return _by_text(plain, options)


def _judged(letters: str, rule: str, options: Mapping[str, str], several: bool) -> Found:
    if any(letter not in options for letter in letters):
        return Found("", "outside")
    if len(letters) > 1 and not several:
        return Found("", "several")
    return Found(letters, rule)


def _letters(listed: str) -> str:
    found = re.findall(rf"{_ONE}|{_GLUED}|(?<![A-Za-z])[A-Z](?![A-Za-z])", listed)
    return "".join(sorted(set("".join(found))))


def _stated(plain: str, options: Mapping[str, str]) -> list[_Statement]:
    found: list[_Statement] = []
    for rule, strength, pattern in _COMPILED:
        for match in pattern.finditer(plain):
            name = "list" if match["list"] else "lower"
            letters = _letters(match["list"]) if name == "list" else match["lower"].upper()
            if not letters or (name == "lower" and letters not in options):
                continue
            place, end = match.span(name)
            if rule == "not this but" or _holds(plain, match.start() if strength > 1 else place, end):
                found.append(_Statement(letters, strength, place, end, rule))
    lines = plain.splitlines()
    for line, rule in ((lines[0], "first line"), (lines[-1], "last line")) if len(lines) > 1 else ():
        lone = _LONE.fullmatch(line)
        if lone and lone["list"]:
            start = 0 if rule == "first line" else len(plain) - len(line)
            found.append(_Statement(_letters(lone["list"]), 2 if start == 0 else 3, start, start + len(line), rule))
    return found


def _holds(plain: str, start: int, end: int) -> bool:
    """Whether what is stated from ``start`` to the ``end`` of its letter is neither denied nor supposed nor asked."""
    before = plain[max(0, start - _BEFORE_IT) : start]
    if _DENIED.search(_BREAK.split(before)[-1] + plain[start:end]):
        return False
    if _SUPPOSED.search(_TURN.split(before)[-1]):
        return False
    if _DENIED_AFTER.match(plain, end):
        return False
    return _ASKED.match(plain, end) is None


def _leading(plain: str, options: Mapping[str, str]) -> list[_Statement]:
    """The letter that the text begins with, as in "B. Paris", unless it is the first of a list."""
    match = _LEADING.match(plain)
    if match is None or match["letter"].upper() not in options or _DENIED_AFTER.match(match["text"]):
        return []
    if set(_ENUMERATED.findall(plain)) - {match["letter"].upper()}:
        return []
    return [_Statement(match["letter"].upper(), 1, match.start("letter"), match.end("letter"), "letter first")]


def _decided(plain: str, statements: Sequence[_Statement], options: Mapping[str, str], several: bool) -> Found:
    strongest = max(one.strength for one in statements)
    taken_back = [match.start() for match in _TAKEN_BACK.finditer(plain)]
    decided: _Statement | None = None
    for one in statements:
        if decided is None:
            decided = one if one.strength == strongest else None
        elif one.letters != decided.letters:
            if bisect(taken_back, decided.end - 1) < bisect(taken_back, one.start):
                decided = one
            elif one.strength >= strongest:
                return Found("", "conflict")
    if decided is None:
        return Found("", "nothing")
    also = _ALSO.search(plain, decided.end)
    if also and _letters(also["list"]) != decided.letters:
        return Found("", "conflict")
    found = _judged(decided.letters, decided.rule, options, several)
    if found.letter and _named_after(plain[decided.end :], options) not in (None, found.letter):
        return Found("", "conflict")
    return found


def _named_after(rest: str, options: Mapping[str, str]) -> str | None:
    """The option whose text follows a letter at once, as in "B. Paris"."""
    rest = _folded(rest.lstrip(" .:,、-)]】"))
    matching = [letter for letter, text in options.items() if len(_folded(text)) > 1 and _starts(rest, _folded(text))]
    return max(matching, key=lambda letter: len(options[letter]), default=None)


def _by_text(plain: str, options: Mapping[str, str]) -> Found:
    """The option whose text is the answer, is called the answer, or alone stands in an answer of one sentence."""
    texts = {letter: _folded(text) for letter, text in options.items() if _folded(text)}
    whole = _folded(plain)
    same = [letter for letter, text in texts.items() if text == whole]
    if same:
        return Found(same[0], "option's text") if len(same) == 1 else Found("", "several")
    if len(_SENTENCE.split(plain.rstrip(".!?。\n"))) > 1 or _DENIED.search(plain) or _ASKED.match(plain):
        return Found("", "nothing")
    held = {letter: text for letter, text in texts.items() if len(text) > 1 and _contains(whole, text)}
    # "Paris" does not count where it stands in "Paris, Texas".
    longest = [k for k, text in held.items() if not any(text != other and text in other for other in held.values())]
    if len(longest) == 1:
        return Found(longest[0], "option's text in it")
    return Found("", "several" if longest else "nothing")


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .,;:!?。、\"'“”‘’()")


def _starts(text: str, part: str) -> bool:
    return re.match(rf"{re.escape(part)}(?![a-z0-9])", text) is not None


def _contains(text: str, part: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(part)}(?![a-z0-9])", text) is not None
