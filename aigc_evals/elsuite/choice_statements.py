"""What a text states about the answer: one rule for every way to say it, each with a strength.

3. what is marked as the answer: a box, a tag, a JSON field, "final answer", a line of its own ("Answer: B", "答案：B");
2. what calls a letter the answer, or chooses it: "the answer is B", "I would choose B", "答案是B", "故选B";
1. what only calls a letter right, ticks it, or ends in one: "B is correct", "so B", "B正确", "应该是B", "B. Paris", or a list
   that calls one option right and every other wrong; so does what names the wrong one, for the questions that ask for it.

What is denied, supposed, asked or said of others (see ``choice_denial``) is no statement, nor is a letter that opens the
options as the question lists them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from aigc_evals.elsuite.choice_denial import DENIED_AFTER, holds, is_conceded
from aigc_evals.elsuite.choice_letters import (
    ANY,
    CROSS,
    END,
    ITEM,
    LIST,
    ONE,
    OPEN,
    STOP,
    TICK,
    alone,
    heads_list,
    letters_of,
)


class Statement(NamedTuple):
    """Letters that a text calls its answer, how strongly, where it names them, and the rule that says so."""

    letters: str
    strength: int
    start: int
    end: int
    rule: str


_IS = r"(?:is|are|was|should\s+be|would\s+be|must\s+be|will\s+be|has\s+to\s+be|seems\s+to\s+be|appears\s+to\s+be|remains|'s)"
_SURELY = (
    r"(?:(?:definitely|still|clearly|probably|likely|most\s+likely|indeed|actually|therefore|thus|the|in\s+fact)\s+)*"
)
_RIGHT = r"(?:correct|right|best|most\s+(?:appropriate|suitable|accurate|likely|plausible)|appropriate|(?:only\s+)?remaining)"
_BEFORE = (
    r"(?:^|[.,;:!?。、\n(]|(?<![A-Z] )\b"
    r"(?i:so|thus|hence|therefore|that|think|believe|only|say|both|and|answer|but|while|whereas)\b)\s*"
)

_LINE = (
    r"^[ \t]*\[?(?:(?i:(?:the\s+)?(?:(?:correct|right|best|my|your|selected|chosen)\s+)?"
    r"(?:answer|choice|pick|selection|option(?=\s*:)|ans\.?)|correct(?=\s*:))"
    r"|(?:正确|参考|本题)?答\s*案?|正确(?=\s*:))\]?(?:\s+is|\s*[是为])?\s*(?:->|→|=>|[:=\-—])?"
)
_ANSWER = (
    r"\b(?:answers?|my\s+(?:guess|pick|choice|selection))\b"
    rf"(?:\s+(?:here|(?:to|for|among|of|from)\s+(?:\w+\s+){{0,2}}\w+))?\s*(?:{_IS}(?:\s+|(?=:))|[:=]|->|→)"
)
_RIGHT_ONE = (
    rf"\b(?:{_RIGHT}\s+(?:\w+\s+){{0,2}}?|(?=\w+\s+that\s+is\s+(?:true|correct|right)\b))"
    r"(?:answer|option|choice|one|statement|response|fit|match|candidate)s?\b"
    rf"(?:\s+here|\s+(?:among|of|from)\s+(?:\w+\s+){{1,3}}?(?=is\b)|\s+that\s+is\s+\w+)?\s*(?:{_IS}(?:\s+|(?=:))|[:=])"
)
_CHOOSE = (
    r"\b(?:(?:I|we|I'd|I'll|we'd|let's|let\s+(?:us|me))\s+(?:(?:would|will|should|must|have\s+to|therefore|thus|can|finally|just)\s+)*"
    r"(?:choose|chose|select|pick|guess|go\s+(?:with|for)|opt\s+for|settle\s+on|vote(?:\s+for)?|answer(?:\s+with)?|say|prefer|lean\s+towards?)"
    r"|going\s+(?:with|for)|(?:I've|we've|(?:I|we)\s+have)\s+(?:chosen|picked|selected)|(?:I'm|I\s+am|we're|we\s+are)\s+(?:choosing|picking|selecting|leaning\s+towards?))\s*:?"
)
# "We choose A as the origin", "C from the set".
_NOT_AS = r"(?!\s+from\b|\s+as\s+(?:an?|the|our)\s+(?!(?:\w+\s+)?(?:answer|choice|option|one)\b)(?:\w+\s+)?\w+\s*(?:[.,;\n]|$|and\b))"
_CORRECT = (
    r"(?:(?:also|clearly|definitely|therefore|thus|indeed|still|the|my|final|only)\s+)*"
    rf"(?:true|answer|better\s+(?:answer|option|choice|fit|one)|(?<=my\s)(?:choice|pick)|{_RIGHT})\b"
)
_ZH_ANSWER = (
    r"(?:答案|正确的?(?:选项|答案|选择|说法|表述|做法|一项|项)|(?:我|最终|最后)的?选择|正确的(?=[是为应只])|(?:最佳|最合适的|最恰当的|符合题意的)(?:选项|答案|一项)?)\s*"
    r"(?:应该|应当|应|就|显然|只能|必然|肯定|当然|一定|其实|(?:毫)?无疑(?:问)?|显而易见|不言而喻|很?明显|还|仍然?|依然|依旧)?(?:地|,)?\s*\s*(?:是|为|只有|选择|选|[:】\]])(?:选项|选|:)?"
)
_ZH_CORRECT = (
    r" ?的?(?:说法|表述|描述|答案|内容)?(?:是|为|才是|才|最|更|都|均|完全|应该|应)*"
    rf"(?:(?:正确答案|正确|最?佳(?:答案|选项)|符合(?:题意|题目|要求|条件|文意)|恰当|合适|答案)(?!率|性|与否|吗)|符合(?={END})|对(?=的|了|{END}))"
)
_ZH_IS = r"(?:^|[,;.:。!]|觉得|认为|应该|应当|应|就|而|其实|肯定|当然|显然|一定|大概|估计|猜|所以|因此)\s*[是为](?!\n)"
# What gives a reason or another remark.
_FOR = r"(?=\s(?:[–—-]\s|(?:because|since)\b))"
_RULES = (
    ("boxed", 3, rf"\\f?box(?:ed)?\s*{{\s*(?:\\text\s*{{)?{ANY}"),
    ("tag", 3, rf"(?i:<answer>)\s*{ANY}\s*\.?\s*(?i:</answer>)"),
    ("field", 3, rf"(?i:[\"'](?:final_)?(?:answer|choice|答案)[\"'])\s*:\s*\[?\s*[\"']{ANY}"),
    (
        "field",
        2,
        rf"(?i:[\"'](?:correct_|selected_|right_)?(?:option|answer|选项|选择|正确答案)[\"'])\s*:\s*\[?\s*[\"']{ANY}",
    ),
    ("final answer", 3, rf"(?i:\bfinal\s+(?:answer|choice)\s*(?:{_IS}\s+)?{_SURELY}[:\-—]*)\s*{ANY}"),
    ("最终答案", 3, rf"最终答案(?:是|为)?[:\s]*{ANY}"),
    ("answer line", 3, rf"(?m:{_LINE}\s*{ANY}[ \t]*[.。]?[ \t]*$)"),
    (
        "conclusion line",
        2,
        rf"(?m:^[ \t]*(?:(?i:conclusion|result|solution)|结论|结果)\s*[:\-—]\s*{ANY}[ \t]*[.。]?[ \t]*$)",
    ),
    ("the answer is", 2, rf"(?i:{_ANSWER}\s*{_SURELY}:?)\s*{ANY}"),
    ("the right one is", 2, rf"(?i:{_RIGHT_ONE}\s*{_SURELY}:?)\s*{ANY}"),
    ("I choose", 2, rf"(?i:{_CHOOSE})\s*{ANY}{_NOT_AS}"),
    ("not this but", 2, rf"(?i:\bnot)\s+{ITEM},?\s*(?i:but(?:\s+rather)?|instead)\s+{LIST}"),
    ("答案是", 2, rf"{_ZH_ANSWER}\s*{ANY}"),
    ("选", 2, rf"(?<!备)选(?!项)(?:择|定|取)?(?:的是|了)?(?:答案|选项)?[:\s]*{LIST}"),
    ("is correct", 1, rf"{_BEFORE}{LIST}\s+(?i:(?:{_IS}|looks|seems)\s+{_CORRECT})"),
    (
        "it is",
        1,
        rf"(?i:\b(?:it|that|this)(?:'s|\s+(?:is|was|(?:must|should|would|will|has\s+to)\s+be))\s+{_SURELY}){LIST}(?:{STOP}|{_FOR})",
    ),
    (
        "so",
        1,
        r"(?i:\b(?:so|thus|therefore|hence|leaves|leaving|actually)\b[,:]?\s*(?:(?:us|me)\s+with\s+|only\s+|it'?s\s+|it\s+is\s+)*)"
        rf"{LIST}{STOP}",
    ),
    (
        "it matches",
        1,
        r"(?i:\b(?:supports?|matches|fits|corresponds\s+to|points\s+to|consistent\s+with)\s+(?:option|choice|answer)\s)"
        rf"{LIST}{STOP}",
    ),
    ("对应", 1, rf"对应(?:的是|的|于)?选项(?:是|为)?{LIST}{STOP}"),
    (
        "the wrong one is",
        1,
        r"(?i:\b(?:incorrect|false|wrong|untrue|exception|odd\s+one\s+out)(?:\s+(?:option|choice|one|statement))?"
        r"|\bone\s+that\s+(?:does\s+not|doesn't|is\s+not|isn't)(?:\s+\w+){1,3}?)"
        rf"(?i:\s+{_IS}\s){LIST}{STOP}",
    ),
    (
        "错误的是",
        1,
        r"(?:错误|有误|不(?:正确|恰当|准确|合适|符合|属于|包括)[^,.。;:\n]{0,12})的(?:说法|表述|选项|一项|项)?[是为]:?"
        rf"{LIST}{STOP}",
    ),
    (
        "all but it wrong",
        1,
        rf"除了?{LIST}(?:之外|以外|外)?,?(?:其[他它余]|剩下)[^,.。;\n]{{0,6}}(?:错|不对|不正确|不符合|有误)",
    ),
    (
        "all but it wrong",
        1,
        r"(?i:\b(?:all|everything|every\s+option)(?:\s+\w+)?\s+(?:except(?:\s+for)?|but|other\s+than)\s)"
        rf"{LIST}\s+(?i:(?:is|are)\s+(?:wrong|incorrect|false)\b)",
    ),
    (
        "best describes",
        1,
        rf"{_BEFORE}{LIST}\s+(?i:best\s+(?:describes|fits|matches|answers|explains|represents|captures|completes|expresses|summari[sz]es|supports))",
    ),
    (
        "makes it",
        1,
        r"(?i:\b(?:makes?|leaves|points?\s+to|identif(?:y|ies)|confirms?)\s)"
        rf"{LIST}\s+(?i:(?:as\s+)?(?:the\s+)?{_RIGHT}\s+(?:answer|option|choice|one)\b)",
    ),
    (
        "I think",
        1,
        rf"(?i:\b(?:I\s+(?:think|believe)|probably|likely|definitely|certainly|I\s+meant?)\s*[,:]?\s){LIST}{STOP}",
    ),
    (
        "taken back",
        1,
        # Not "A: no. B: yes."
        rf"(?i:(?<![A-Z]: )(?<![A-Z]:)\b(?:wait|no|sorry|scratch\s+that|correction|rather)\s?[,.!:]+\s?)(?i:actually,?\s)?{LIST}{STOP}",
    ),
    ("猜", 1, rf"(?:猜测?|蒙)(?:一个)?(?:是|为|选|:|,)?\s?{LIST}{STOP}"),
    ("倾向", 2, rf"倾向于?(?:选择?|认为是?)?\s?{LIST}{STOP}"),
    ("it does", 1, rf"[;.,]\s?(?i:but\s|only\s)?{LIST}\s(?:is|does)\s?(?=[.!;\n]|$)"),
    ("吧", 1, rf"(?m:(?:^|[,;:。!?])\s?){LIST}(?=吧)"),
    ("正确", 1, rf"{LIST}{_ZH_CORRECT}"),
    ("是", 1, rf"(?m:{_ZH_IS}\s*){LIST}(?:{STOP}|(?=吧))"),
    ("所以", 1, rf"(?:所以|因此|故|综上|只剩下?),?\s*{LIST}{STOP}"),
)
# Where none of these words stands, the lists before them need not be tried.
_AFTER = {
    "is correct": r"(?i:true|answer|correct|right|best|most|appropriate|remaining)",
    "best describes": r"(?i:best)\s",
    "it does": r"\s(?:is|does)\b",
    "吧": "吧",
    "正确": "[正符恰合答佳对]",
}
_DENYING = ("not this but", "the wrong one is", "错误的是", "all but it wrong")
CHOOSING = ("I choose", "选", "倾向")
_CONCEDING = ("is correct", "正确")

_BEFORE_COMMA = re.compile(rf"{ITEM}(?=\s?,)")
_LEADING = re.compile(
    rf"\s*(?:{TICK}\s?)?[\[(【]?(?P<letter>[A-Z]|[a-z](?=\)))(?:[\])】]+[.:、]?|[.:。]|[、,](?!{OPEN}[A-Z](?![A-Za-z0-9])))(?!\.\.)(?P<text>[^\n]*)"
)
_BECAUSE = re.compile(
    rf"\s*(?:(?i:option|choice)\s|选项\s?)?[(\[]?(?P<letter>{ONE})[)\]]?(?:选项|项)?,?\s?(?:(?i:because|since)\b|因为|由于)"
)
_ENUMERATED = re.compile(
    r"(?:^|[\s;,。])[\[(【*\-]*\s?([A-Z])(?:[\])】]|[.:、])(?=\s|[^\s.A-Za-z0-9]|[A-Za-z]{2})", re.MULTILINE
)
_TICKED = re.compile(
    rf"(?:\[[xX✓✔]\]|[●◉🔘☑])\s?[\[(]?(?P<box>{ONE})|^[ \d.•\-]*{TICK}\s?[\[(]?(?P<after>{ONE})"
    rf"|^[ \d.•\-]*[\[(]?(?P<before>{ONE})[\]).:]?\s?{TICK}\s?$",
    re.MULTILINE,
)
_JUDGED = re.compile(
    r"(?:^|[;,.。{])[ |>•\-\"]*(?:\d+\. )?(?:(?i:options?|choices?) |选项 ?)?[\[(【]?(?P<letter>[A-Z])"
    rf"(?=[\])】.:、|( \"]|选项|项|{TICK}|{CROSS}|[不错对正])",
    re.MULTILINE,
)
_CALLED_WRONG = re.compile(
    rf"\b(?:incorrect|wrong|false|untrue)\b|(?:\bnot|n't)\s+(?:correct|right|true)\b|{CROSS}(?=[\s)|,。:;]|$)|错误?|有误|不(?:正确|对|符合|成立)|排除",
    re.IGNORECASE,
)
_CALLED_RIGHT = re.compile(
    rf"\b(?:correct|right|true)\b|{TICK}|正确|符合题意|成立|(?<![不绝相针面反应核校])对(?=[的了\s。,;]|$)",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(r"(?:[\])】.:、|\-– \"]|选项|项)*(?:(?P<yes>yes|是)|no|否)(?=[\s.,;!|。]|$)", re.IGNORECASE)


@cache
def _compiled() -> tuple[tuple[str, int, re.Pattern[str]], ...]:
    """The rules, ready for use: compiled when first wanted, for it takes longer than a program should need to start."""
    return tuple((name, strength, re.compile(pattern)) for name, strength, pattern in _RULES)


def statements(plain: str, options: Mapping[str, str], *, told: bool = False) -> list[Statement]:
    """What ``plain`` states, in the order of its letters; with ``told`` also what a source is only reported to say."""
    found = [*_stated(plain, options, told), *_lines(plain), *_leading(plain, options)]
    found += [*_verdicts(plain, options), *_ticked(plain, options)]
    return sorted(found, key=lambda one: one.start)


def _stated(plain: str, options: Mapping[str, str], told: bool) -> list[Statement]:
    found: list[Statement] = []
    for rule, strength, pattern in _compiled():
        if rule in _AFTER and not re.search(_AFTER[rule], plain):
            continue
        for match in pattern.finditer(plain):
            name = "list" if match["list"] else "lower"
            letters = letters_of(match["list"]) if name == "list" else match["lower"].upper()
            if not letters or (name == "lower" and letters not in options):
                continue
            place, end = match.span(name)
            if strength > 1 and set(letters) == set(options) and DENIED_AFTER.match(plain, end):
                letters, end = _first(plain, place) or (letters, end)
            if len(letters) == 1 and heads_list(plain, letters, end):
                continue
            if rule in _CONCEDING and is_conceded(plain, match.end()):
                continue
            denying = rule in _DENYING
            start = match.start() if strength > 1 or denying else place
            if holds(plain, start, start if denying else end, match.end() if denying else end, told=told):
                found.append(Statement(letters, strength, place, end, rule))
    return found


def _first(plain: str, place: int) -> tuple[str, int] | None:
    """The first letter of a list, where a comma follows: "the answer is A, B, C and D are wrong"."""
    match = _BEFORE_COMMA.match(plain, place)
    return (letters_of(match[0]), match.end()) if match else None


def _lines(plain: str) -> list[Statement]:
    """The first and the last line, where it holds letters alone and its neighbour does not."""
    lines = plain.splitlines()
    found: list[Statement] = []
    if len(lines) < 2:
        return found
    first, last = alone(lines[0]), alone(lines[-1])
    if first and (lines[0] == lines[1] or not alone(lines[1])) and holds(plain, 0, len(lines[0]), len(lines[0])):
        found.append(Statement(first, 2, 0, len(lines[0]), "first line"))
    if last and (lines[-1] == lines[-2] or not alone(lines[-2])):
        found.append(Statement(last, 3, len(plain) - len(lines[-1]), len(plain), "last line"))
    return found


def _verdicts(plain: str, options: Mapping[str, str]) -> list[Statement]:
    """The only letter called right, where a list goes through the options and calls each of the others wrong."""
    called: dict[bool, dict[str, int]] = {True: {}, False: {}}
    heads = [match for match in _JUDGED.finditer(plain) if match["letter"] in options]
    ends = [head.start() for head in heads[1:]] + [len(plain)]
    for match, end in zip(heads, ends, strict=bool(heads)):
        text = re.split(r"[\n;]", plain[match.end() : end], maxsplit=1)[0]
        rest, wrong = _CALLED_WRONG.subn("", text)
        right = _CALLED_RIGHT.search(rest) is not None
        answered = _YES_OR_NO.match(text)
        if answered:
            right, wrong = answered["yes"] is not None, answered["yes"] is None
        if right != bool(wrong):
            called[right][match["letter"]] = match.start("letter")
    if len(called[True]) != 1 or len(options) < 2 or set(called[False]) != set(options) - set(called[True]):
        return []
    ((letter, start),) = called[True].items()
    return [Statement(letter, 1, start, start + 1, "only one right")]


def _ticked(plain: str, options: Mapping[str, str]) -> list[Statement]:
    """The letters with a tick or a filled box."""
    marks = [match for match in _TICKED.finditer(plain) if match[match.lastgroup or 0] in options]
    if not marks:
        return []
    letters = "".join(sorted({match[match.lastgroup or 0] for match in marks}))
    return [Statement(letters, 1, marks[-1].start(), marks[-1].end(), "ticked")]


def _leading(plain: str, options: Mapping[str, str]) -> list[Statement]:
    """The letter that the text begins with, as in "B. Paris", unless it is the first of a list."""
    match = _BECAUSE.match(plain)
    if match and match["letter"] in options and {m["letter"] for m in _BECAUSE.finditer(plain)} == {match["letter"]}:
        end = match.end("letter")
        if is_conceded(plain, end) or not holds(plain, match.start(), end, end):
            return []
        return [Statement(match["letter"], 1, match.start("letter"), match.end("letter"), "letter first")]
    match = _LEADING.match(plain)
    if match is None or match["letter"].upper() not in options or DENIED_AFTER.match(match["text"]):
        return []
    if set(_ENUMERATED.findall(plain)) - {match["letter"].upper()}:
        return []
    return [Statement(match["letter"].upper(), 1, match.start("letter"), match.end("letter"), "letter first")]
