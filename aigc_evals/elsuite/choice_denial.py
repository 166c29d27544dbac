"""What of a text does not count as its answer: denied, supposed, asked, quoted, said of others, taken back.

Statements are given by their places in the text (see ``choice_statements``). The words are those of English and Chinese
replies; a denial is looked for before a statement in its clause, and after it up to the first words of the next sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from aigc_evals.elsuite.choice_letters import CROSS, END, ITEM, LIST, ONE, letters_of, stand_in

_BEFORE_IT = 300
"""How many characters before a statement can deny or suppose it."""

_BREAK = re.compile(r"[.,;:!?。\n]|所以|因此|\bso\b|\btherefore\b|\bthus\b|(?<!anything )\bbut\b|而是")
_TURN = re.compile(
    r"[.!?。\n]|\b(?:but|however)\b|但|(?:\b(?:although|though|while)\b|虽然)[^.,。\n]*,|[,;]\s?(?:(?:and\s+)?(?:here|now)\b|这[里儿]|此处)"
    r"|[这本此]一?道?题|\b(?:this|your|the\s+current)\s+question\b",
    re.IGNORECASE,
)
_SO = re.compile(r"所以|因此|故|\b(?:so|therefore|thus|hence)\b", re.IGNORECASE)
DENIED = re.compile(
    r"\b(?:not|never|neither|nor|incorrect|wrong|false|cannot|rule\s+out|no\s+way|hardly|except|anything\s+but|other\s+than)\b"
    r"|n't\b|(?<!不得)不(?!如选|妨|难|言而喻|得不|仅)|(?<!无)非|[勿别没误错]|与其|除了|排除|以外|之外",
    re.IGNORECASE,
)
SUPPOSED = re.compile(
    r"\b(?:if|unless|whether|suppose|assuming|(?<!I )assume|had|let\s+[A-Z]|(?:might|may|could|would)\s+(?:think|say|argue)"
    r"|(?:some|many|most)\s+(?:people|students|say|think)|(?:commonly|often|widely|generally|usually|frequently)\s+(?:believed|thought|said|assumed|claimed)|first\s+thought|at\s+first|initially)\b"
    r"|如果|假如|假设|倘若|若|要是|是否|有人|容易|乍|起初|最初|原以为|一开始",
    re.IGNORECASE,
)
_FORCED = re.compile(
    r"\bif\s+(?:I|we)\s+(?:had|have|need|must|were)\b[^.,\n]*|(?:如果|要是|若)[^,。\n]{0,6}(?:只能|必须|一定要|非要|非得)",
    re.IGNORECASE,
)
"""Words that only sound like a supposition."""

_THEY_ZH = "同学们?|用户|网友|网上|别人|他们?|她们?|大家|学生|考生|(?<!个)人们?|朋友"
_SOURCE_ZH = r"老师|(?:课本|教材|教科书|书)[上里中]?|资料[上里中]?|标准答案"
_SPEAKER_ZH = (
    rf"(?:{_THEY_ZH}|{_SOURCE_ZH}|你们?|小[\u4e00-\u9fff]"
    r"|(?<![夸主])[李王张刘陈杨赵黄周吴][\u4e00-\u9fff]{0,2}|[师生家者员友妈爸哥姐授长])"
)
_SOURCE = r"(?:the|my|our)\s+(?:teacher|textbook|book|source|key|article|passage|lecturer|professor)|people"
_BY_OTHERS = re.compile(
    r"\b(?:you|(?:the|my|your|a|an?other|one)\s+(?:user|student|classmate|friend|teacher|prompt|question|textbook|book|source|website|key|model)|users|students|classmates|friends|sources|others|they|s?he|people"
    r"|some(?:one|body)?|many|most|critics|everyone)(?:\s+\w+){0,2}?\s+"
    r"(?:sa(?:y|ys|id)|claim(?:s|ed)?|think(?:s)?|thought|believe[sd]?|argue[sd]?|answer(?:s|ed)|suggest(?:s|ed)?|insist(?:s|ed)?)"
    r"\s+(?:that\s+)?(?:the\s+|option\s+)*[\"“]?$"
    rf"|(?:{_THEY_ZH}|你们?|老师|小[\u4e00-\u9fff])(?:可能|会|都|也|就|曾|却|误|要)*(?:认为|觉得|猜)(?:应该?|要|的是)?[,:]?[\"“「]?$"
    # A speaker is wanted: 简单地说, 一般说 and 如他所说 are the writer's own words.
    rf"|{_SPEAKER_ZH}[^,.。;\n所的地来是]{{0,6}}说(?:应该?|要|的是)?[,:]?[\"“「]?$"
    r"|(?:声称|宣称|据说|听说|(?<!我)以为)(?:应该?|要|的是)?[,:]?[\"“「]?$"
    # What they choose: 选 is where the statement begins.
    rf"|(?:{_THEY_ZH})(?:可能|会|都|也|就|曾|却|误|要)*$",
    re.IGNORECASE,
)
_TOLD = re.compile(
    rf"(?:{_SOURCE})\s+says?\s+(?:that\s+)?(?:the\s+|option\s+)*|(?:{_SOURCE_ZH})说(?:应该?|要)?,?", re.IGNORECASE
)
_LAST = re.compile(r"[^.,;!?。\n]{0,60}[.!。]?\s*$")
_QUOTED = re.compile(r"[^\s:,.;!?。>*] ?[\"“「『](?:the\s+|this\s+)?(?:(?:正确|标准)?(?:答案)?)?$", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"(?:上一?|前一?|下一|另一)[道个]?(?:小?题|问)|例题|\b(?:previous|last|other|next)\s+(?:question|problem|item)\b|\bexample\s?:",
    re.IGNORECASE,
)

_VERDICT = (
    r"(?:not\s+(?:right|correct|true|the\s+case|so)|wrong|incorrect|false|untrue|mistaken|a\s+mistake|in\s+error)\b"
)
_ZH_VERDICT = rf"(?:错|有误|不[太大很够]?(?:对|正确|准确|符合|成立|合适|恰当|可能|是(?!{ITEM}))|站不住脚)"
# A verdict on what was stated ends its clause; with more words it is one on something else: "it is wrong to say A".
_ENDS = (
    r"(?:\s+(?:either|too|though|here|there|of\s+course|I\s+think|(?:at|in|by|on|given|from|under|considering)\b"
    r"(?!\s+(?:general|most|other))(?-i:[^.,;:!?\nA-Z]{0,40})))?"
    r"(?=\s*(?:[.,;:!)\n]|$|\b(?:and|so|but)\b))"
)
_ZH_ENDS = (
    r"(?:得[^,.。;\n]{0,6}|误?(?:题意|题目的?要求|事实|要求|常识)?)的?"
    r"(?:说法|看法|答案|选择|观点|结论|想法|理解)?[了吧啊]?(?=\s*(?:[.,;:。!)\n]|$))"
)
DENIED_AFTER = re.compile(
    # "A (not B)" and "A not B" deny the other one.
    rf" ?(?:(?:is|was|are|were)\s+)?(?:also\s+)?(?:not\b(?!{ITEM})|wrong\b|incorrect\b|false\b|isn't|aren't)"
    rf"| ?\( ?(?:I\s+think\s+)?(?:(?:this|that|it)?\s?(?:is|was)\s)?(?:{_VERDICT}|(?:这|此|也|显然)?是?{_ZH_VERDICT}|{CROSS})| ?{CROSS}"
    rf"| ?(?:是|都|均|也)*{_ZH_VERDICT}|的话| ?(?:only\s+)?(?:if|unless)\b(?!\s+(?:I|we)\b)",
    re.IGNORECASE,
)
_HMM = r"[\s.…]{0,8}(?:(?:hmm+|oh|uh|um|ah|but|or|actually|however|well|ok(?:ay)?)\b[,.…\s]{0,8}|[啊哦嗯呃哎额但可],?){0,4}"
# The rest of the clause, without another letter; then a clause that is only about this one.
_REST = r"[\"”」』]{0,2}[^.,;!?。\nA-Z\"”」』]{0,40}[\"”」』]{0,2}"
_IT = r"(?:that|this|it|which|they|s?he|these|the\s+(?:user|student|claim|answer|statement|textbook|source|key)s?)"
_REJECTED_AFTER = re.compile(
    rf"{_REST}(?:[.,;!。]\s?|\n)(?i:{_HMM})(?:"
    rf"(?i:(?:but|however|yet|though|although)\b,?\s?(?:I\s+(?:think|believe|know)\s+)?{_IT}(?:'s|\s+(?:is|are|was|were|would\s+be|seems?|must\s+be))"
    rf"\s+(?:\w+\s+)?{_VERDICT}(?:{_ENDS}|\s+(?:because|since|as)\b))"
    rf"|(?i:{_IT}\s+(?:can't|cannot|couldn't|doesn't|does\s+not)\s+(?:be|seem|look|sound|feel)\s+(?:right|correct|true)\b{_ENDS})"
    rf"|(?i:(?:and\s+)?(?!which){_IT}(?:'s|\s+(?:is|are|was|were))\s+(?:\w+\s+)?{_VERDICT}(?!,?\s+(?:because|since|as|for)\b){_ENDS})"
    r"|(?i:(?:but\s+|and\s+)?I\s+(?:strongly\s+)?(?:disagree|(?:do\s+not|don't|can't|cannot)\s+(?:agree|accept|believe))"
    rf"(?:\s+(?:with\s+)?(?:(?:that|this)\s+(?:answer|claim|choice|view)|that|this|it|them|him|her|the\s+(?:user|student|claim|answer|textbook|source|key)))?{_ENDS})"
    r"|(?:但是?|可是?|然而|不过|却|而)?(?:我们?)?(?:认为|觉得)?(?:这|那|此|其|它|他们?|她)(?:个|种|样|是|一)*"
    rf"(?:说法|看法|答案|选择|观点|结论|想法|理解)?(?:是|显然|明显|其实|并|都|也|完全)*{_ZH_VERDICT}{_ZH_ENDS}(?![^.。\n]{{0,6}}因为)"
    r"|(?:但是?|可是?|然而|不过)?(?:我|并|们)+(?:不(?:同意|赞同|认同|敢苟同)(?!其|别)[^,.。;!\nA-Z选项是]{0,8}(?=\s*(?:[.,;。!\n]|$))"
    r"|(?:对此)?(?:表示|很|深表)?(?:怀疑|存疑|反对))"
    r"|(?:但是?|可是?|然而|不过)?(?:其实|事实)(?:上)?(?:不然|并非如此)(?=\s*(?:[.,;。!\n]|$)))"
)
_SAID_OF_OTHERS = re.compile(
    r"的(?:人|同学|学生|考生|网友|占|比例|概率|都|也|居多|较多)|[^.!?。\n]{0,30}\b(?:in|for|to|on)\s+the\s+(?:previous|last|other|next)\s+(?:question|problem|one)\b",
)
_ASKED = re.compile(r"[^.!?。\n]{0,40}(?:\?|吗|么[?。])")
_CONCEDED = re.compile(
    r"[^.!?。\nA-Z]{0,60}?(?:[,;]\s*(?:(?:but(?!\s+also)|however|yet)\b|但(?![也还])|却)|\bbut\s+(?:(?:does|is|do|are|did|was)(?:\s+not\b|n't)|irrelevant)|但不|不[能可]?选|不符合|排除(?=[,.。;\n]|$))"
)

_TAKEN_BACK = re.compile(
    r"\bwait\b|\bactually\b|on\s+(?:reflection|second\s+thought)|\bcorrection\b|\b(?:re-?check|reconsider|re-?think|check\s+again)|\bno[,.!]|\bsorry\b|\bmistake"
    r"|\bhold\s+on\b(?!\s+to\b)|\bscratch\s+that\b|\bI\s+meant?\b|\bbut\s+(?:the|this)\s+question\s+(?:asks|wants)\b|但是?(?:本|这道?|此)?题目?(?:问|要求)|不对|等等|等一下|更正|重新|其实|纠正|修正|[搞弄看算读选说写]错|抱歉|不好意思|哦不|再想|再看",
    re.IGNORECASE,
)
_FIRM = r"(?<!not )(?:clear|right|correct|fine|good|obvious|sure|certain|confident|happy|so)\b"
_RETRACTED = re.compile(
    rf"(?:[.!。\n—]|^){_HMM}(?:(?:no\s*,?\s*)?wait\b(?!\s+(?:for|until|to)\b)|nope\b|hold\s+on\b(?!\s+to\b)|(?:scratch|strike)\s+that\b|never\s?mind\b"
    rf"|on\s+(?:second\s+thought|reflection)\b(?!,?\s+(?:(?:it|this|that)(?:'s|\s+(?:is|was|seems))|I(?:'m|\s+am))\s+(?:\w+\s+)?{_FIRM})"
    r"|(?:let\s+me|I\s+(?:need|have|want)\s+to|I\s+should)\s+(?:re-?think|reconsider|think\s+again)"
    r"|I\s+(?:take\s+(?:that|it)\s+back|was\s+wrong|made\s+an?\s+(?:mistake|error)|misread)"
    r"|(?:等等|等一下|等下|慢着|且慢|稍等|(?:让?我)?(?:再|重新)(?:仔细)?(?:想|考虑|看|算)(?:一?[想下看遍算])?|我?[搞弄看算读选说写]错了|收回)(?:吧|了)?\s?(?=[.,!。…\n]|$))",
    re.IGNORECASE,
)
_RETRACTED_AT_ONCE = re.compile(
    # "No, it is not a trick question" and "No, A is in England" go on about something else.
    rf"[.,!。;\n—]{_HMM}(?:no\s?(?:[.!…\n]|$|,\s?(?:no|wait|hmm|hold|sorry|scratch|actually|let\s+me|I\s+(?:was|made|mis\w+|meant?))\b|,\s?{_IT}(?:'s|\s+(?:is|was))\s+(?:\w+\s+)?{_VERDICT}{_ENDS}|,\s?{_IT}\s+(?:can't|cannot|doesn't)\b)"
    r"|(?:好像|似乎|感觉)?[又也]?(?:不[太大很]?对|错了)\s?(?=[.,!。…\n]|$))",
    re.IGNORECASE,
)
"""Where no other option is named in between, of which it may be said."""

_UPHELD = re.compile(
    r"\b(?:stands?|holds|confirm(?:s|ed)?|yes|still|indeed|(?:is|was)\s+(?:right|correct))\b|[✓✔✅]|仍|依然|依旧|还是|无误|没错|没问题|确认|是的",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"(?:也可能|也可以|也有可能|也许|或者可能|(?i:\b(?:could|may|might)\s+(?:also|just\s+as\s+well)\s+be|\bor\s+(?:actually\s+)?(?:maybe|perhaps|possibly)"
    r"|\bor\s+(?:is|was|could|might)\s+it(?:\s+be)?|[,(]\s?(?:possibly|perhaps|maybe)))"
    rf"(?:是|选|为)?{LIST}"
)
_ALSO_RIGHT = re.compile(
    rf"(?<![A-Za-z])(?P<list>{ITEM})\s?(?:(?i:(?:is|are|would\s+be|would)\s+also\s+(?:be\s+)?(?:an?\s+)?(?:correct|right|acceptable|valid|true)\b)"
    r"|(?:也|同样)(?:是|都)?(?:对|正确|可以|行|成立)(?:的|了)?(?=[,.。;!\n]|$))"
)
_YIELDING = re.compile(
    r"\b(?:though|although|while|even\s+if)\b[^.,。\n]*$|(?:虽然|尽管|即使|即便)[^.,。\n]*$", re.IGNORECASE
)
_DENIED_LATER = re.compile(
    rf"(?:\bnot|n't(?:\s+be)?|\bcannot\s+be|不(?:应该?|可能|会)?[是选])(?P<list>{ITEM})(?={END})", re.IGNORECASE
)
_NAMED = re.compile(rf"({ONE})(?:选项|项)?")


def holds(plain: str, start: int, denied_to: int, end: int, *, told: bool = False) -> bool:
    """Whether what is stated from ``start`` to the ``end`` of its letter is the writer's own answer to this question.

    With ``told`` it may be what a source says that is not the writer, a textbook or a teacher, if it ends the reply.
    Words up to ``denied_to`` can deny it: a statement that denies something itself ("not A but B") is not denied by that.
    """
    before = plain[max(0, start - _BEFORE_IT) : start]
    if DENIED.search(_BREAK.split(before)[-1] + plain[start:denied_to]):
        return False
    supposed = _FORCED.sub("", _TURN.split(before)[-1])
    if SUPPOSED.search(supposed) or _ELSEWHERE.search(_last_clause(before, plain[start:end])):
        return False
    if _BY_OTHERS.search(before[-60:]) and not (told and _TOLD.fullmatch(plain, 0, start) and _LAST.match(plain, end)):
        return False
    if _QUOTED.search(before[-12:]):
        return False
    if DENIED_AFTER.match(plain, end) or _SAID_OF_OTHERS.match(plain, end):
        return False
    if denied_to > start and _REJECTED_AFTER.match(plain, end):
        return False
    return _ASKED.match(plain, end) is None


def _last_clause(before: str, statement: str) -> str:
    """The text since the last turn or conclusion, and of the statement what leads to its letter."""
    return _SO.split(_TURN.split(before + statement)[-1])[-1]


def is_conceded(plain: str, end: int) -> bool:
    """Whether a "but" follows what ends there: "A is true, but it is not what was asked"."""
    return _CONCEDED.match(plain, end) is not None


def is_told(plain: str) -> bool:
    """Whether the text begins with what a source says: "the textbook says"."""
    return _TOLD.match(plain) is not None


def is_asked(plain: str) -> bool:
    """Whether the text is a question."""
    return plain.rstrip().endswith("?") or _ASKED.match(plain) is not None


def taken_back(plain: str) -> list[int]:
    """Where the text takes back something said before."""
    return [match.start() for match in _TAKEN_BACK.finditer(plain)]


def called_wrong(plain: str) -> dict[str, list[int]]:
    """Where each letter is called wrong right after it is named."""
    found: dict[str, list[int]] = {}
    for match in _NAMED.finditer(plain):
        if DENIED_AFTER.match(plain, match.end()):
            found.setdefault(match[1], []).append(match.start())
    return found


def is_retracted(plain: str, start: int, letters: str, options: Iterable[str]) -> bool:
    """Whether ``letters``, stated before ``start``, are denied or taken back after it, and not upheld afterwards."""
    places = [match.end() for match in _RETRACTED.finditer(plain, start)]
    places += [m.end() for m in _DENIED_LATER.finditer(plain, start) if letters_of(m["list"].upper()) == letters]
    at_once = _RETRACTED_AT_ONCE.search(plain, start)
    if at_once and not stand_in(plain[start : at_once.start()], options):
        places.append(at_once.end())
    return bool(places) and _UPHELD.search(plain, max(places)) is None


def names_another(plain: str, start: int, letters: str) -> bool:
    """Whether other letters than ``letters`` are called possible, or right as well, after ``start``."""
    also = _ALSO.search(plain, start)
    if also and letters_of(also["list"]) != letters:
        return True
    return any(
        letters_of(match["list"]) != letters
        and not _YIELDING.search(plain, max(start, match.start() - _BEFORE_IT), match.start())
        and not is_conceded(plain, match.end())
        for match in _ALSO_RIGHT.finditer(plain, start)
    )
