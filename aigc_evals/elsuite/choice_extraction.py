"""Which option an answer in free text chooses, in English and Chinese: pure functions over text.

Nothing is guessed: where a text says no letter, several, or two different ones equally well, there is none. A text is
searched for *statements*, each with a strength:

3. what is marked as the answer: a box, a tag, a JSON field, "final answer", a line of its own ("Answer: B", "答案：B");
2. what calls a letter the answer, or chooses it: "the answer is B", "I would choose B", "答案是B", "故选B";
1. what only calls a letter right, or ends in one: "B is correct", "so B", "B正确", "应该是B", "B. Paris", or a list that
   calls one option right and every other wrong; so does what names the wrong one, for the questions that ask for it.

Denied, supposed and asked statements ("not B", "if B", "B吗") do not count, nor does a letter that opens the options as
the question lists them. The strongest decide; of those that disagree the last one does where the text takes the others
back in between ("wait", "等等"), else none does. Where no letter is stated and the options' texts are known, one that is
repeated counts; else one that is named by its place ("the second option", "第二项").
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aigc_evals.elsuite.choice_texts import contains, folded, lettered, normal, starts

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
    rf"(?!(?<=A)\s+(?!{_GOES_ON})[a-z])(?!(?<=I)\s+(?!is\b)[a-z])(?![股型级栋座]|语言|字母)"
)
_LOWER = r"(?:(?<=\()[a-z](?=\))|(?<![A-Za-z])[a-z](?=\)|\s*(?:[.,;!。\n]|$)))"
_GLUED = r"(?<![A-Za-z0-9_])[A-Z]{2,26}(?![A-Za-z0-9_])"
_NOUN = r"(?:\s*(?:(?i:options?|choices?|letters?)\s|选项))?"
_ITEM = rf"{_NOUN}{_OPEN}(?:{_ONE}){_CLOSE}(?:\s*(?:选项|项))?"
_END = r"\s*(?:[.,;:!?。)\n]|$)"
_COMMA = rf",(?:\s*(?:and|or)\b)?(?={_OPEN}[A-Z]{_CLOSE}(?:\s*[,、/.;!?。\n]|\s*(?:and|or|和|与|或)|\s*$))"
# No two neighbours here both take white space: a list that fails late would be tried in every way.
_SEPARATOR = rf"\s*(?:{_COMMA}|[、/&+]|\band\b|\bor\b|和|与|或者|或|以及|及|还是)"
_LIST = rf"(?P<list>{_ITEM}(?:{_SEPARATOR}{_ITEM}){{0,25}}|{_OPEN}{_GLUED}{_CLOSE})"
# Not where only the first of a list would be taken: "so A, B and C are on a line".
_STOP = rf"(?!{_SEPARATOR}{_ITEM})(?={_END})"
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
    r"^[ \t]*(?:(?i:(?:the\s+)?(?:correct\s+|right\s+|my\s+)?(?:answer|choice|pick|selection|ans\.?)|correct(?=\s*:))"
    r"|(?:正确|参考|本题)?答\s*案?|正确(?=\s*:))(?:\s+is|\s*[是为])?\s*[:\-—]?"
)
_ANSWER = (
    r"\b(?:answers?|my\s+(?:guess|pick|choice|selection))\b"
    rf"(?:\s+(?:here|(?:to|for|among|of|from)\s+(?:\w+\s+){{0,2}}\w+))?\s*(?:{_IS}(?:\s+|(?=:))|[:=]|->|→)"
)
_RIGHT_ONE = (
    rf"\b(?:{_RIGHT}\s+(?:\w+\s+){{0,2}}?|(?=\w+\s+that\s+is\s+(?:true|correct|right)\b))"
    r"(?:answer|option|choice|one|statement|response)s?\b"
    rf"(?:\s+here|\s+(?:among|of|from)\s+(?:\w+\s+){{1,3}}?(?=is\b)|\s+that\s+is\s+\w+)?\s*(?:{_IS}(?:\s+|(?=:))|[:=])"
)
_CHOOSE = (
    r"\b(?:I|we|I'd|I'll|we'd|let's|let\s+us)\s+(?:(?:would|will|should|must|have\s+to|therefore|thus|can)\s+)*"
    r"(?:choose|select|pick|guess|go\s+with|opt\s+for|answer(?:\s+with)?|say)\s*:?"
)
# "We choose A as the origin", "C from the set".
_NOT_AS = r"(?!\s+from\b|\s+as\s+(?:an?|the|our)\s+(?!(?:\w+\s+)?(?:answer|choice|option|one)\b)(?:\w+\s+)?\w+\s*(?:[.,;\n]|$|and\b))"
_CORRECT = rf"(?:(?:also|clearly|definitely|therefore|thus|indeed|the|only)\s+)*(?:true|answer|{_RIGHT})\b"
_ZH_ANSWER = (
    r"(?:答案|正确的?(?:选项|答案|一项|项)|正确的(?=[是为应只])|(?:最佳|最合适的|最恰当的|符合题意的)(?:选项|答案|一项)?)\s*"
    r"(?:应该|应当|应|就|显然|只能|必然|肯定)?\s*(?:是|为|只有|选择|选|[:】\]])(?:选项|选|:)?"
)
_ZH_CORRECT = (
    r"的?(?:说法|表述|描述|答案|内容)?(?:是|为|才是|才|最|更|都|均|完全|应该|应)*"
    rf"(?:(?:正确答案|正确|符合题意|恰当|合适|答案)(?!率|性|与否|吗)|对(?=的|了|{_END}))"
)
_ZH_IS = r"(?:^|[,;.:。!]|觉得|认为|应该|应当|应|就|而|其实|肯定|当然|显然|一定|大概|估计|猜|所以|因此)\s*[是为](?!\n)"
_RULES = (
    ("boxed", 3, rf"\\boxed\s*{{\s*(?:\\text\s*{{)?{_ANY}"),
    ("tag", 3, rf"(?i:<answer>)\s*{_ANY}\s*\.?\s*(?i:</answer>)"),
    ("field", 3, rf"(?i:[\"'](?:final_)?(?:answer|choice|答案)[\"'])\s*:\s*[\"']{_ANY}"),
    (
        "field",
        2,
        rf"(?i:[\"'](?:correct_|selected_|right_)?(?:option|answer|选项|选择|正确答案)[\"'])\s*:\s*[\"']{_ANY}",
    ),
    ("final answer", 3, rf"(?i:\bfinal\s+(?:answer|choice)\s*(?:{_IS}\s+)?{_SURELY}[:\-—]*)\s*{_ANY}"),
    ("最终答案", 3, rf"最终答案(?:是|为)?[:\s]*{_ANY}"),
    ("answer line", 3, rf"(?m:{_LINE}\s*{_ANY}[ \t]*[.。]?[ \t]*$)"),
    ("the answer is", 2, rf"(?i:{_ANSWER}\s*{_SURELY}:?)\s*{_ANY}"),
    ("the right one is", 2, rf"(?i:{_RIGHT_ONE}\s*{_SURELY}:?)\s*{_ANY}"),
    ("I choose", 2, rf"(?i:{_CHOOSE})\s*{_ANY}{_NOT_AS}"),
    ("not this but", 2, rf"(?i:\bnot)\s+{_ITEM},?\s*(?i:but(?:\s+rather)?|instead)\s+{_LIST}"),
    ("答案是", 2, rf"{_ZH_ANSWER}\s*{_ANY}"),
    ("选", 2, rf"选(?!项)(?:择|定|取)?(?:的是|了)?(?:答案|选项)?[:\s]*{_LIST}"),
    ("is correct", 1, rf"{_BEFORE}{_LIST}\s+(?i:(?:{_IS}|looks|seems)\s+{_CORRECT})"),
    (
        "it is",
        1,
        rf"(?i:\b(?:it|that|this)(?:'s|\s+is|\s+must\s+be|\s+should\s+be|\s+has\s+to\s+be)\s+{_SURELY}){_LIST}{_STOP}",
    ),
    (
        "so",
        1,
        r"(?i:\b(?:so|thus|therefore|hence|leaves|leaving|actually)\b[,:]?\s*(?:(?:us|me)\s+with\s+|only\s+|it'?s\s+|it\s+is\s+)*)"
        rf"{_LIST}{_STOP}",
    ),
    (
        "it matches",
        1,
        r"(?i:\b(?:supports?|matches|fits|corresponds\s+to|points\s+to|consistent\s+with)\s+(?:option|choice|answer)\s)"
        rf"{_LIST}{_STOP}",
    ),
    ("对应", 1, rf"对应(?:的是|的|于)?选项(?:是|为)?{_LIST}{_STOP}"),
    (
        "the wrong one is",
        1,
        r"(?i:\b(?:incorrect|false|wrong|untrue|exception|odd\s+one\s+out)(?:\s+(?:option|choice|one|statement))?"
        rf"\s+{_IS}\s){_LIST}{_STOP}",
    ),
    (
        "错误的是",
        1,
        r"(?:错误|有误|不(?:正确|恰当|准确|合适|符合|属于|包括)[^,.。;:\n]{0,12})的(?:说法|表述|选项|一项|项)?[是为]:?"
        rf"{_LIST}{_STOP}",
    ),
    ("正确", 1, rf"{_LIST}{_ZH_CORRECT}"),
    ("是", 1, rf"(?m:{_ZH_IS}\s*){_LIST}(?:{_STOP}|(?=吧))"),
    ("所以", 1, rf"(?:所以|因此|故|综上|只剩下?),?\s*{_LIST}{_STOP}"),
)
_DENYING = ("not this but", "the wrong one is", "错误的是")
_CONCEDING = ("is correct", "正确")
_COMPILED = tuple((name, strength, re.compile(pattern)) for name, strength, pattern in _RULES)

_LONE = re.compile(
    rf"\s*(?:(?i:option|choice|answer|letter)|选项|答案)?[\s:]*(?:{_LIST}|{_OPEN}(?P<lower>[a-z]){_CLOSE})\s*[.。!,:;]*\s*"
)
_LEADING = re.compile(
    rf"\s*[\[(【]?(?P<letter>[A-Z]|[a-z](?=\)))(?:[\])】]+[.:、]?|[.:。]|[、,](?!{_OPEN}[A-Z](?![A-Za-z0-9])))(?!\.\.)(?P<text>[^\n]*)"
)
_ENUMERATED = re.compile(
    r"(?:^|[\s;,。])[\[(【*\-]*\s?([A-Z])(?:[\])】]|[.:、])(?=\s|[^\s.A-Za-z0-9]|[A-Za-z]{2})", re.MULTILINE
)
_NOTHING = re.compile(r"^[*_ ]*#+\s*|\*+|__+|`+|\$+|^>\s+|\\(?:text|mathrm|mathbf|textbf)(?=\s*{)", re.MULTILINE)

_HEADS_LIST = re.compile(
    r"(?:(?<=[\])】])|[.:、])[^\n]{0,200}?(?:\s{1,2})[\[(【]?([A-Z])(?:[\])】.:]|、(?![A-Z]))",
)
_JUDGED = re.compile(
    r"(?:^|;)[ |>•\-]*(?:\d+\. )?(?:(?i:options?|choices?) |选项)?[\[(【]?(?P<letter>[A-Z])(?=[\])】.:、|( ]|选项|项)(?P<text>[^\n;]*)",
    re.MULTILINE,
)
_CALLED_WRONG = re.compile(
    r"\b(?:incorrect|wrong|false|untrue)\b|(?:\bnot|n't)\s+(?:correct|right|true)\b|[✗✘❌✕]|×(?=[\s)|,。:]|$)|错误?|有误|不(?:正确|对|符合|成立)|排除",
    re.IGNORECASE,
)
_CALLED_RIGHT = re.compile(r"\b(?:correct|right|true)\b|[✓✔✅☑√]|正确|符合题意|成立", re.IGNORECASE)
_BLANK = re.compile(r"\s+")
_BEFORE_IT = 300
"""How many characters before a statement can deny or suppose it."""

_BREAK = re.compile(r"[.,;:!?。\n]|所以|因此|\bso\b|\btherefore\b|\bthus\b|\bbut\b|而是")
_SENTENCE = re.compile(r"[.!?。\n]")
_TURN = re.compile(r"[.!?。\n]|\b(?:but|however)\b|但|(?:\b(?:although|though|while)\b|虽然)[^.,。\n]*,", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:not|never|neither|nor|incorrect|wrong|false|cannot|rule\s+out|no\s+way|hardly)\b|n't\b|[不非勿别没误错]|除了|排除",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|unless|whether|suppose|assuming|had|(?:might|may|could|would)\s+(?:think|say|argue)|(?:some|many|most)\s+(?:people|students|say|think)"
    r"|first\s+thought|at\s+first|initially)\b|如果|假如|假设|倘若|若|要是|是否|有人|容易|乍|起初|最初|原以为|一开始",
    re.IGNORECASE,
)
_FORCED = re.compile(
    r"\bif\s+(?:I|we)\s+(?:had|have|need|must|were)\b[^.,\n]*|(?:如果|要是|若)[^,。\n]{0,6}(?:只能|必须|一定要|非要|非得)",
    re.IGNORECASE,
)
"""Words that only sound like a supposition."""

_DENIED_AFTER = re.compile(
    r" ?(?:(?:is|was|are|were)\s+)?(?:also\s+)?(?:not\b|wrong\b|incorrect\b|false\b|isn't|aren't)"
    r"| ?(?:是|都|均|也)*(?:错|有误|不(?:对|正确|符合|成立|合适|恰当|可能|是))|的话| ?(?:only\s+)?(?:if|unless)\b(?!\s+(?:I|we)\b)",
    re.IGNORECASE,
)
_CONCEDED = re.compile(
    r"[^.!?。\nA-Z]{0,60}?(?:[,;]\s*(?:(?:but(?!\s+also)|however|yet)\b|但(?![也还])|却)|但不|不选|不符合|排除(?=[,.。;\n]|$))"
)
_NAMED = re.compile(rf"({_ONE})(?:选项|项)?")
_ASKED = re.compile(r"[^.!?。\n]{0,40}(?:\?|吗|么[?。])")
_TAKEN_BACK = re.compile(
    r"\bwait\b|\bactually\b|on\s+(?:reflection|second\s+thought)|\bcorrection\b|\b(?:re-?check|reconsider|re-?think|check\s+again)|\bno,|\bsorry\b|\bmistake"
    r"|\bhold\s+on\b|不对|等等|等一下|更正|重新|其实|纠正|修正|[搞弄看算读选]错|哦不|再想|再看",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"(?:也可能|也可以|也有可能|也许|或者可能|(?i:\b(?:could|may|might)\s+(?:also|just\s+as\s+well)\s+be|\bor\s+(?:maybe|perhaps|possibly)))"
    rf"(?:是|选|为)?{_LIST}"
)
_NEXT_QUESTION = re.compile(r"\n[ \t*_#>]{0,8}(?:Question|Q|User|Human|问题|题目) ?\d{0,3}[*_ ]{0,4}[:：]")


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
    plain = _NOTHING.sub("", normal(text)).strip()
    plain = _BLANK.sub(lambda run: "\n\n" if run[0].count("\n") > 1 else "\n" if "\n" in run[0] else " ", plain)
    lone = _LONE.fullmatch(plain)
    if lone:
        return _judged(_letters(lone["list"] or lone["lower"].upper()), "letter alone", options, several)
    statements = [*_stated(plain, options), *_leading(plain, options), *_verdicts(plain, options)]
    if statements:
        return _decided(plain, sorted(statements, key=lambda one: one.start), options, several)
    found = _by_text(plain, options)
    by_letter = lettered(plain, options) if found.rule == "nothing" else plain
    return found if by_letter == plain else _extract(by_letter, options, several)


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
            if len(letters) == 1 and _heads_list(plain, letters, end):
                continue
            if rule in _CONCEDING and _CONCEDED.match(plain, match.end()):
                continue
            start = match.start() if strength > 1 else place
            if _holds(plain, match.start(), match.start(), end) if rule in _DENYING else _holds(plain, start, end, end):
                found.append(_Statement(letters, strength, place, end, rule))
    lines = plain.splitlines()
    ends = ((lines[0], lines[1], "first line"), (lines[-1], lines[-2], "last line")) if len(lines) > 1 else ()
    for line, next_to, rule in ends:
        lone = _LONE.fullmatch(line)
        if lone and lone["list"] and (line == next_to or not _LONE.fullmatch(next_to)):
            start = 0 if rule == "first line" else len(plain) - len(line)
            found.append(_Statement(_letters(lone["list"]), 2 if start == 0 else 3, start, start + len(line), rule))
    return found


def _holds(plain: str, start: int, denied_to: int, end: int) -> bool:
    """Whether what is stated from ``start`` to the ``end`` of its letter is neither denied nor supposed nor asked.

    Words up to ``denied_to`` can deny it: a statement that denies something itself ("not A but B") is not denied by that.
    """
    before = plain[max(0, start - _BEFORE_IT) : start]
    if _DENIED.search(_BREAK.split(before)[-1] + plain[start:denied_to]):
        return False
    if _SUPPOSED.search(_FORCED.sub("", _TURN.split(before)[-1])):
        return False
    if _DENIED_AFTER.match(plain, end):
        return False
    return _ASKED.match(plain, end) is None


def _heads_list(plain: str, letter: str, end: int) -> bool:
    """Whether the ``letter`` that ends there is the mark of an item, and the next mark that of the next letter."""
    following = _HEADS_LIST.match(plain, end)
    return following is not None and ord(following[1]) == ord(letter) + 1


def _verdicts(plain: str, options: Mapping[str, str]) -> list[_Statement]:
    """The only letter called right, where a list goes through the options and calls each of the others wrong."""
    called: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for match in _JUDGED.finditer(plain):
        rest, wrong = _CALLED_WRONG.subn("", match["text"])
        right = _CALLED_RIGHT.search(rest) is not None
        if right != bool(wrong):
            called[right][match["letter"]] = match.start("letter")
    if len(called[True]) != 1 or len(options) < 2 or set(called[False]) != set(options) - set(called[True]):
        return []
    ((letter, start),) = called[True].items()
    return [_Statement(letter, 1, start, start + 1, "only one right")]


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
    denied: dict[str, list[int]] = {}
    for match in _NAMED.finditer(plain):
        if _DENIED_AFTER.match(plain, match.end()):
            denied.setdefault(match[1], []).append(match.start())
    decided: _Statement | None = None
    for one in statements:
        if decided is None:
            decided = one if one.strength == strongest else None
        elif one.letters != decided.letters:
            if _between(taken_back, decided, one) or (
                one.strength > 1 and _between(denied.get(decided.letters, ()), decided, one)
            ):
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


def _between(places: Sequence[int], first: _Statement, second: _Statement) -> bool:
    return bisect(places, first.end - 1) < bisect(places, second.start)


def _named_after(rest: str, options: Mapping[str, str]) -> str | None:
    """The option whose text follows a letter at once, as in "B. Paris"."""
    rest = folded(rest.lstrip(" .:,、-)]】"))
    matching = [letter for letter, text in options.items() if len(folded(text)) > 1 and starts(rest, folded(text))]
    return max(matching, key=lambda letter: len(options[letter]), default=None)


def _by_text(plain: str, options: Mapping[str, str]) -> Found:
    """The option whose text is the answer, is called the answer, or alone stands in an answer of one sentence."""
    texts = {letter: folded(text) for letter, text in options.items() if folded(text)}
    whole = folded(plain)
    same = [letter for letter, text in texts.items() if text == whole]
    if same:
        return Found(same[0], "option's text") if len(same) == 1 else Found("", "several")
    if len(_SENTENCE.split(plain.rstrip(".!?。\n"))) > 1 or _DENIED.search(plain) or _ASKED.match(plain):
        return Found("", "nothing")
    held = {letter: text for letter, text in texts.items() if len(text) > 1 and contains(whole, text)}
    # "Paris" does not count where it stands in "Paris, Texas".
    longest = [k for k, text in held.items() if not any(text != other and text in other for other in held.values())]
    if len(longest) == 1:
        return Found(longest[0], "option's text in it")
    return Found("", "several" if longest else "nothing")
