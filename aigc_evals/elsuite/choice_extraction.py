"""Which option an answer in free text chooses, in English and Chinese: pure functions over text.

Nothing is guessed: where a text says no letter, several, or two different ones equally well, there is none. A text is
searched for statements, strong and weak ones (``choice_statements``); what is denied, supposed, asked, or said of others
does not count (``choice_denial``). The strongest decide; of those that disagree the last one does where the text takes the
others back in between ("wait", "等等"), else none does; nor does one that is taken back in the end, or that another option is
said to be as good as. Where no letter is stated and the options' texts are known, one that is repeated counts; else one that
is named by its place ("the second option", "第二项").
"""

from __future__ import annotations

import html
import re
from bisect import bisect
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aigc_evals.elsuite.choice_denial import (
    DENIED,
    SUPPOSED,
    called_wrong,
    is_asked,
    is_retracted,
    is_told,
    names_another,
    taken_back,
)
from aigc_evals.elsuite.choice_letters import LETTERS, alone, stand_in
from aigc_evals.elsuite.choice_statements import CHOOSING, Statement, statements
from aigc_evals.elsuite.choice_texts import contains, folded, lettered, normal, starts

__all__ = ["LETTERS", "Found", "extract"]


class Found(NamedTuple):
    """The letters that an answer chooses, in the order of the alphabet (none: it could not be told), and the rule that said so."""

    letters: str
    rule: str

    @property
    def letter(self) -> str | None:
        """The letter, where there is exactly one."""
        return self.letters if len(self.letters) == 1 else None


_STRUCK_OUT = re.compile(r"~~[^~\n]{1,200}~~|<(s|del)>[^<>\n]{1,200}</\1>")
_MARKUP = re.compile(
    r"^[*_ ]*#+\s*|\*+|__+|`+|\$+|^>\s+|\\(?:text|mathrm|mathbf|textbf)(?=\s*{)|\\[()\[\]]|\ufe0f"
    r"|</?(?:b|i|u|em|strong|mark|span|font|sup|sub|code)(?:\s[^<>\n]{0,100})?>",
    re.MULTILINE,
)
_LINE_MARKUP = re.compile(r"</?(?:p|div|br|li|ul|ol|h[1-6]|center)(?:\s[^<>\n]{0,100})?/?>")
_BLANK = re.compile(r"\s+")
_SENTENCE = re.compile(r"(?<!\.\w)\.(?!\w)|[!?。\n]")
_NEXT_QUESTION = re.compile(r"\n[ \t*_#>]{0,8}(?:Question|Q|User|Human|问题|题目) ?\d{0,3}[*_ ]{0,4}[:：]")
# "The answer is B. Rome is a fine city": the next clause speaks of another option.
_SENTENCE_ENDS = re.compile(r"[)\]】]?(?:[.,]\s|[,。\n])")
_TOLD_OF = re.compile(r"\s?(?:\(|(?!because\b|since\b|as\b|因为|由于)[a-z\u4e00-\u9fff])")
_HEADED = re.compile(r":[\s(\[【]{0,3}\Z")
_REASON = re.compile(r"^(?:(?:because|since)\s|因为|由于)")
_STARTS = r"(?:(?:so|i (?:think|believe)),? )?(?:(?:it is|it's|the)\s)?(?:(?:option|choice|letter)\s|选项\s?)?[(\[\"“]?"
_LEADS_ON = r"[)\]\"”.:]*(?:选项|项)?\s?(?:[,:]?\s?(?:(?:because|since|as|for|is|stands\s+for)\b|因为|由于)|[(\[\"“→/]|[-–—]+>?|=+>)"
_RATHER_THAN = re.compile(
    r"(?:,? (?:rather than|instead of|as opposed to)|,(?: and)? not|,?(?:而不是|而非)|,(?:不是|并非))[^,;]*$",
    re.IGNORECASE,
)


def extract(text: str, choices: str | Sequence[str] | Mapping[str, str], *, several: bool = False) -> Found:
    """What ``text`` chooses among ``choices``: their letters ("ABCD"), or a mapping of letters to the options' texts.

    One letter, or with ``several`` as many as it names; none where it cannot be told. The rule names the kind of statement
    that decided, or why none did: ``nothing``, ``several``, ``conflict``, ``outside`` (a letter that is no option).
    """
    options = dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
    cut = _NEXT_QUESTION.search(text)
    if cut and text[: cut.start()].strip():
        # Models without a chat template go on with questions of their own.
        found = _extract(_plain(text[: cut.start()]), options, several)
        if found.letters:
            return found
    return _extract(_plain(text), options, several)


def _plain(text: str) -> str:
    """The text without markup and what is struck out, its white space one blank, a line break, or an empty line."""
    kept = _LINE_MARKUP.sub("\n", _STRUCK_OUT.sub("", normal(html.unescape(text) if "&" in text else text)))
    plain = _MARKUP.sub("", kept).strip()
    return _BLANK.sub(lambda run: "\n\n" if run[0].count("\n") > 1 else "\n" if "\n" in run[0] else " ", plain)


def _extract(plain: str, options: Mapping[str, str], several: bool) -> Found:
    letters = alone(plain, whole=True)
    if letters:
        return _judged(letters, "letter alone", options, several)
    stated = statements(plain, options)
    if not stated and is_told(plain):
        stated = statements(plain, options, told=True)
    if stated:
        return _decided(plain, stated, options, several)
    found = _by_text(plain, options)
    by_letter = lettered(plain, options) if found.rule == "nothing" else plain
    return found if by_letter == plain else _extract(by_letter, options, several)


def _judged(letters: str, rule: str, options: Mapping[str, str], several: bool) -> Found:
    if any(letter not in options for letter in letters):
        return Found("", "outside")
    if len(letters) > 1 and not several:
        return Found("", "several")
    return Found(letters, rule)


def _decided(plain: str, stated: Sequence[Statement], options: Mapping[str, str], several: bool) -> Found:
    strongest = max(one.strength for one in stated)
    turns, denied = taken_back(plain), called_wrong(plain)
    decided: Statement | None = None
    for one in stated:
        if decided is None:
            decided = one if one.strength == strongest else None
        elif one.letters != decided.letters:
            if _between(turns, decided, one) or (
                one.strength > 1 and _between(denied.get(decided.letters, ()), decided, one)
            ):
                decided = one
            elif one.rule in CHOOSING and not several and set(one.letters) < set(decided.letters):
                # "B or C; I lean towards B"
                decided = one
            elif one.strength >= min(strongest, 2):
                return Found("", "conflict")
    if decided is None:
        return Found("", "nothing")
    last = max(one.end for one in stated if one.letters == decided.letters)
    if names_another(plain, decided.end, decided.letters) or is_retracted(plain, last, decided.letters, options):
        return Found("", "conflict")
    found = _judged(decided.letters, decided.rule, options, several)
    if found.letter and _named_after(plain, decided, options) not in (None, found.letter):
        return Found("", "conflict")
    return found


def _between(places: Sequence[int], first: Statement, second: Statement) -> bool:
    return bisect(places, first.end - 1) < bisect(places, second.start)


def _named_after(plain: str, stated: Statement, options: Mapping[str, str]) -> str | None:
    """The option whose text follows a letter at once, as in "B. Paris"."""
    rest = plain[stated.end :]
    first = stated.rule == "letter first"
    headed = first or _HEADED.search(plain[max(0, stated.start - 5) : stated.start]) is not None
    apart = not headed and _SENTENCE_ENDS.match(rest) is not None
    rest = folded(rest.lstrip(" .:,、-)]】"))
    rest = _REASON.sub("", rest) if first else rest
    matching = [
        letter
        for letter, text in options.items()
        if len(folded(text)) > 1
        and starts(rest, folded(text))
        and not (apart and _TOLD_OF.match(rest, len(folded(text))))
    ]
    return max(matching, key=lambda letter: len(options[letter]), default=None)


def _by_text(plain: str, options: Mapping[str, str]) -> Found:
    """The option whose text is the answer, is called the answer, or alone stands in an answer of one sentence."""
    if is_asked(plain):
        return Found("", "nothing")
    texts = {letter: folded(text) for letter, text in options.items() if folded(text)}
    whole = folded(plain)
    same = [letter for letter, text in texts.items() if text == whole]
    if same:
        return Found(same[0], "option's text") if len(same) == 1 else Found("", "several")
    said = _RATHER_THAN.sub("", plain)
    if len(_SENTENCE.split(plain.rstrip(".!?。\n"))) > 1 or DENIED.search(said) or SUPPOSED.search(said):
        return Found("", "nothing")
    held = {letter: text for letter, text in texts.items() if len(text) > 1 and contains(folded(said), text)}
    # "Paris" does not count where it stands in "Paris, Texas".
    longest = [k for k, text in held.items() if not any(text != other and text in other for other in held.values())]
    if len(longest) != 1:
        return Found("", "several" if longest else "nothing")
    (letter,) = longest
    named = stand_in(said, options)
    if named - {letter}:
        return Found("", "conflict")
    if named and not _follows(folded(said), held[letter], letter.lower()):
        # Who writes "Let A be the nucleus" speaks of the option.
        return Found("", "nothing")
    return Found(letter, "option's text in it")


def _follows(whole: str, text: str, letter: str) -> bool:
    """Whether the letter explains the option's text ("the nucleus (option B)"), or begins the answer that holds it."""
    if re.fullmatch(rf"(?:option|choice|选项)?[^\w=]*{letter}(?:选项|项)?[^\w=]*{re.escape(text)}[^\w=]*", whole):
        return True
    place = re.search(rf"(?<![a-z0-9]){letter}(?![a-z0-9])", whole)
    if place is not None and place.start() > whole.index(text):
        return True
    return re.match(rf"{_STARTS}{letter}(?:{_LEADS_ON}|(?:选项|项)?\s?{re.escape(text)})", whole) is not None
