"""Whether Chinese text that leads to a word denies it, or only asks for it: ``不``, ``不太``, ``不能说是``, ``并非完全``, ``是否``.

Closed lists of words, no grammar: whatever else stands between a denial and the word (``不仅``, ``不外乎``, ``不是上海而是``) makes
it none. English denials are not looked at.
"""

from __future__ import annotations

import re

COPULAS = "是为选"
DENIALS = "不没未非"

_HOW_FAR = "太|大|很|够|甚|尽|全|都|总|真的|怎么|那么|这么|十分|非常|特别|完全|全部|一定|绝对|必然|必定|见得"
_MODALS = "可能|能够|可以|应该|应当|足以|能|可|会|敢|该|应|要|必"
_SAYING = "(?:(?<=[能以可好敢])[说讲]|认为|觉得|相信|同意|承认|保证|属于|算作|视为|称为|叫做|算|叫|属)[它他她这那其此]?"
_BETWEEN = rf"(?:{_HOW_FAR}|{_MODALS}|好(?=[说讲])|{_SAYING}|[{COPULAS}])"
_DENIED = re.compile(
    # 南非 is a place, 无非 and 不得不 affirm.
    rf"(?:(?<!不[得能可会])不|没有?|未|是否|(?<=[并绝决实])非|[谈称算说]不上){_BETWEEN}{{0,5}}\Z"
    rf"|(?<![东西南北中无])非[{COPULAS}]?\Z"
)


def is_denied(before: str) -> bool:
    """Whether what stands right after ``before``, a phrase without white space and punctuation, is denied or asked for by it."""
    return _DENIED.search(before) is not None
