"""Which letter is read from an answer: a table of replies, and what holds for any text."""

from __future__ import annotations

from collections import Counter
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import choice_replies_chinese as chinese
from support import choice_replies_english as english
from support import choice_replies_everyday_chinese as everyday_chinese
from support import choice_replies_everyday_english as everyday_english
from support import choice_replies_plain as plain
from support import choice_replies_unseen as unseen
from support.bounded import ends
from support.choice_replies import FIRST, OPTIONS, SECOND, THIRD

from aigc_evals.elsuite.choice_extraction import LETTERS, extract

REPLIES = [
    (kind, reply.text, getattr(reply, "choices", "ABCD"), reply.letter)
    for table in (FIRST, SECOND, OPTIONS, THIRD)
    for kind, replies in table.items()
    for reply in replies
]


def test_no_reply_of_the_table_is_read_wrongly_or_left_unread() -> None:
    judged: dict[str, Counter[str]] = {}
    wrong, unread = [], []
    for kind, text, choices, letter in REPLIES:
        found = extract(text, choices).letter
        word = "right" if found == letter else "unparsed" if found is None else "wrong"
        judged.setdefault(kind, Counter())[word] += 1
        if word == "wrong":
            wrong.append((text, letter, found))
        elif word == "unparsed":
            unread.append((text, letter))
    for kind, counts in judged.items():
        print(f"{kind:15}", *(f"{word} {counts[word]:3}" for word in ("right", "wrong", "unparsed")))
    print(
        f"{'all':15}", *(f"{word} {sum(c[word] for c in judged.values()):3}" for word in ("right", "wrong", "unparsed"))
    )
    assert len(REPLIES) >= 180
    assert not wrong
    assert not unread


@pytest.mark.parametrize("language", [english, chinese], ids=["English", "Chinese"])
def test_of_the_held_out_replies_none_is_read_wrongly_and_few_are_left_unread(language: ModuleType) -> None:
    rows = [row for table in (language.HELD_OUT, language.HARDEST) for replies in table.values() for row in replies]
    read = [(row.text, row.letter, extract(row.text, getattr(row, "choices", "ABCD")).letter) for row in rows]
    assert len(rows) == 100
    assert [row for row in read if row[2] is not None and row[2] != row[1]] == []
    unread = [text for text, letter, found in read if found is None and letter is not None]
    assert len(unread) <= 5, unread


@pytest.mark.parametrize("language", [everyday_english, everyday_chinese], ids=["English", "Chinese"])
def test_of_the_everyday_replies_none_is_read_wrongly_and_few_are_left_unread(language: ModuleType) -> None:
    rows = [(text, letter) for letter, texts in language.REPLIES.items() for text in texts]
    read = [(text, letter, extract(text, language.OPTIONS).letter) for text, letter in rows]
    assert len(rows) >= 220
    assert [row for row in read if row[2] is not None and row[2] != row[1]] == []
    unread = [text for text, letter, found in read if found is None and letter is not None]
    assert len(unread) <= 6, unread


def test_of_the_unseen_replies_none_is_read_wrongly_and_few_are_left_unread() -> None:
    tables = (unseen.HELD_OUT, unseen.HARDEST, unseen.LAST, unseen.CLEAR)
    rows = [row for table in tables for replies in table.values() for row in replies]
    read = [(row.text, row.letter, extract(row.text, getattr(row, "choices", "ABCD")).letter) for row in rows]
    assert len(rows) == 194
    assert [row for row in read if row[2] is not None and row[2] != row[1]] == []
    unread = [text for text, letter, found in read if found is None and letter is not None]
    assert len(unread) <= 4, unread


@pytest.mark.parametrize(
    "texts, options",
    [
        (plain.SPOILT_ENGLISH, plain.ENGLISH),
        (plain.SPOILT_CHINESE, plain.CHINESE),
        (plain.HELD_OUT_ENGLISH, plain.ENGLISH),
        (plain.HELD_OUT_CHINESE, plain.CHINESE),
        (plain.LATER_ENGLISH, plain.ENGLISH),
        (plain.LATER_CHINESE, plain.CHINESE),
    ],
    ids=[f"{kind}, {language}" for kind in ("spoilt", "held out", "later") for language in ("English", "Chinese")],
)
def test_what_is_said_of_other_options_does_not_spoil_a_plain_answer(texts: list[str], options: dict[str, str]) -> None:
    read = [(text, extract(text, options).letter) for text in texts]
    assert [row for row in read if row[1] not in (None, "B")] == []
    unread = [text for text, letter in read if letter is None]
    assert len(unread) <= 3, unread


@pytest.mark.parametrize(
    "texts, options",
    [(plain.DENIED_ENGLISH, plain.ENGLISH), (plain.DENIED_CHINESE, plain.CHINESE)],
    ids=["English", "Chinese"],
)
def test_an_answer_that_is_rejected_or_only_reported_is_not_read(texts: list[str], options: dict[str, str]) -> None:
    assert [(text, found) for text in texts if (found := extract(text, options)).letters] == []


STATEMENTS = [
    "The answer is {}",
    "Answer: {}",
    "I would choose {}",
    "答案是{}",
    "应该选{}",
    "The correct answer is ({})",
]


@given(
    st.sampled_from("ABCD"),
    st.sampled_from(STATEMENTS),
    st.sampled_from(
        [
            " (incorrect).",
            ", but that is wrong.",
            ". That is not correct.",
            ". They are mistaken.",
            "; I disagree.",
            "（错误）",
            "，但这是不对的。",
            "，这个说法是错误的。",
            "。我不同意。",
            ". Wait, no.",
            ". Actually, scratch that.",
            "。等等，我再想想。",
            "。不对。",
            ". Hmm, let me reconsider.",
        ]
    ),
)
def test_what_is_denied_or_taken_back_afterwards_is_not_read(letter: str, statement: str, after: str) -> None:
    assert extract(statement.format(letter) + after, "ABCD").letter is None


@given(
    st.permutations("ABCD"),
    st.sampled_from(STATEMENTS),
    st.sampled_from([". Wait, no. ", "。不对，", ". Sorry, ", "。抱歉，刚才说错了，", "……等等，"]),
    st.sampled_from(["the answer is {}.", "I choose {}.", "答案是{}。", "应选{}。"]),
)
def test_what_replaces_a_statement_taken_back_is_read(
    letters: list[str], first: str, between: str, second: str
) -> None:
    assert extract(first.format(letters[0]) + between + second.format(letters[1]), "ABCD").letter == letters[1]


@given(
    st.sampled_from("ABCD"),
    st.sampled_from(["{}", "The answer is {}.", "答案：{}", "故选{}。", "选项{}是正确的。", "{}正确", "Answer: {}"]),
    st.sampled_from(
        ["( {} )", "[ {} ]", "（ {} ）", "【 {} 】", " {} ", "「{}」", "《{}》", "<b>{}</b>", "**（ {} ）**"]
    ),
)
def test_blanks_and_brackets_around_a_letter_change_nothing(letter: str, statement: str, brackets: str) -> None:
    assert extract(statement.format(brackets.format(letter)), "ABCD").letter == letter


@pytest.mark.parametrize(
    "text, letter",
    [
        ("下列说法正确的是：\nA. 甲\nB. 乙\nC. 丙\nD. 丁", None),
        ("The correct option is\nA) x\nB) y\nC) z", None),
        ("The correct option is\nA) x\n\nIt is not B.", "A"),
        ("Options:\nA\nB\nC\nD", None),
        ("Therefore A, B and C are on one line.", None),
        ("Let us pick A as the origin.", None),
        ("I pick A as the best answer.", "A"),
        ("他选C语言", None),
        ("A项正确但不符合题意，D项符合题意。", "D"),
        ("C选项是正确的说法，所以不选。", None),
        ("A is true, but it is not what was asked.", None),
        ("说法错误的是C选项", "C"),
        ("The odd one out is D.", "D"),
        ("The answer is A if x is positive.", None),
        ("选A的话会少算一步，应该选B", "B"),
        ("答案：A。验算不成立，因此A错误，应选B。", "B"),
        ("A: correct\nB: wrong\nC: wrong", None),
        ("A: correct\nB: wrong\nC: wrong\nD: wrong", "A"),
        ("第一项错误，第二项正确", "B"),
        ("The last option is wrong.", None),
        ("Option 9", None),
        ("the former", None),
    ],
)
def test_what_only_looks_like_a_statement_is_told_from_one(text: str, letter: str | None) -> None:
    assert extract(text, "ABCD").letter == letter


@pytest.mark.parametrize(
    "text, rule",
    [
        ("B", "letter alone"),
        ("\\boxed{B} it is", "boxed"),
        ("Answer: B\nI hope that helps.", "answer line"),
        ("So x = 2.\nB", "last line"),
        ("The answer is B, since it rains.", "the answer is"),
        ("本题选B，因为下雨。", "选"),
        ("B. Paris", "letter first"),
        ("A and B", "several"),
        ("The answer is A. The answer is D.", "conflict"),
        ("The answer is F.", "outside"),
        ("I do not know.", "nothing"),
    ],
)
def test_the_rule_that_decided_is_told(text: str, rule: str) -> None:
    assert extract(text, "ABCD").rule == rule


@pytest.mark.parametrize(
    "text, letters",
    [
        ("ABD", "ABD"),
        ("答案是ABD", "ABD"),
        ("答案：A、B、D", "ABD"),
        ("The correct answers are A, B and D.", "ABD"),
        ("选BDA。", "ABD"),
        ("C", "C"),
        ("A and B are wrong; so C and D.", "CD"),
        ("无法确定", ""),
        ("答案是AE", ""),
    ],
)
def test_several_letters_are_read_where_several_may_be_right(text: str, letters: str) -> None:
    assert extract(text, "ABCD", several=True).letters == letters


PIECES = [
    *"ABCDEabI().,。，：: \n不是选项",
    *(
        "答案",
        "正确",
        "错误",
        "the",
        "answer",
        "is",
        "not",
        "correct",
        "so",
        "and",
        "or",
        "wait",
        "**",
        "because ",
        "Option ",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@given(TEXTS | st.text(max_size=80), st.integers(1, 26))
def test_a_letter_is_always_one_of_the_choices(text: str, count: int) -> None:
    for several in (False, True):
        assert set(extract(text, LETTERS[:count], several=several).letters) <= set(LETTERS[:count])


@given(st.text(st.characters(exclude_characters=LETTERS + LETTERS.lower(), max_codepoint=0x2FFF), max_size=80))
def test_a_text_without_latin_letters_has_no_letter(text: str) -> None:
    import unicodedata

    if not any("A" <= c.upper() <= "Z" for c in unicodedata.normalize("NFKC", text)):
        assert extract(text, "ABCD").letters == ""


@given(TEXTS, st.sampled_from(["\n", "  ", " \n\n", "\t"]))
def test_white_space_at_the_end_changes_nothing(text: str, space: str) -> None:
    assert extract(text + space, "ABCD") == extract(text, "ABCD")


@given(st.sampled_from([reply for reply in REPLIES if "*" not in reply[1] and reply[1].strip()]))
def test_bold_changes_nothing(reply: tuple[str, str, object, str | None]) -> None:
    _, text, choices, _ = reply
    bold = "\n".join(f"**{line.strip()}**" if line.strip() else line for line in text.strip().splitlines())
    assert extract(bold, choices).letter == extract(text, choices).letter  # type: ignore[arg-type]


@given(
    st.sampled_from("ABCD"),
    st.sampled_from(
        ["", "Let me think. ", "Sure! ", "We add 2 and 3.\n\n", "首先看题目。", "Thank you for asking. ", "经过计算，"]
    ),
    st.sampled_from(
        ["The answer is {}.", "The correct answer is ({}).", "答案是{}。", "正确答案为{}", "因此选{}", "Answer: {}"]
    ),
)
def test_a_plain_statement_is_read_after_any_neutral_words(letter: str, prefix: str, statement: str) -> None:
    assert extract(prefix + statement.format(letter), "ABCD").letter == letter


@pytest.mark.parametrize(
    "part",
    ["A", "A and ", "A, ", "Option A is ", "选", "(", " ", "\n", "- A: x\n", "the answer ", "correct a ", "not A but "]
    + [
        "A错误，选B。",
        "| A | wrong ",
        ";A ",
        "so A, ",
        "though A ",
        "the first option ",
        "I pick A as the ",
        "错误的是",
        "wait, ",
        "The answer is B. hmm. ",
        "...",
        "though A is also true ",
        "A也对",
        "~~A ",
        "[x] A ",
        "A: no, ",
        "rather than A ",
        "<b ",
        "( A ) ",
        "[ ( ",
        "A ) ) ) ",
        "you said that the ",
        "上一题选A，",
        "选A，B、C、D",
        "A. hmm, hmm, ",
        "A, but that is ",
        "that's wrong. ",
        "北京大学",
    ],
)
def test_a_long_reply_is_read_in_bounded_time(part: str) -> None:
    with ends():
        extract(part * (20_000 // len(part)) + "x", {"A": "mitochondria", "B": "nucleus", "C": "北京", "D": "x"})
