"""Replies in both languages that were written, with the letters a careful reader takes from them, before the rules were run
on them: what stands around a statement denies it, takes it back, says it of somebody else, or only looks as if it did.

At first sight, with the rules as they were then; after each table the rules were extended:

- ``HELD_OUT``: 78 of 80 read rightly, none wrongly, 2 not read.
- ``HARDEST``: 33 of 40 read rightly, 5 wrongly (taken back without another letter, and the like), 2 not read.
- ``LAST``, made to be read wrongly: 16 of 30 read rightly, 10 wrongly, 4 not read.
- ``CLEAR``, that the rules for denials might have spoilt: 35 of 44 read rightly, none wrongly, 9 not read.
"""

from __future__ import annotations

from support.choice_replies import Reply, WithOptions

_CELL = {"A": "mitochondria", "B": "nucleus", "C": "ribosome", "D": "chloroplast"}
_TOWNS = {"A": "北京", "B": "上海", "C": "广州", "D": "深圳"}

HELD_OUT = {
    "spaces and marks": [
        Reply("C", "The answer is ( C )."),
        Reply("B", "答案：【 B 】"),
        Reply("D", "我认为 D 选项是正确的。"),
        Reply("A", "因此， A 是符合题意的选项。"),
        Reply("C", "本题应该选择 [ C ]"),
        Reply("B", "由于 A、C、D 均不符合要求，因此 B 正确。"),
        Reply("D", "**Answer:** <b>D</b>"),
        Reply("A", "<p>The correct answer is <strong>A</strong>.</p>"),
        Reply("C", "☑ C"),
        Reply("B", "- [ ] A\n- [X] B\n- [ ] C\n- [ ] D"),
        Reply("D", "=> D"),
        Reply("C", '{"answer": ["C"], "confidence": "high"}'),
        Reply(None, '{"answer": ["A", "C"]}'),
        Reply("A", "{'answer': 'a'}"),
        Reply("B", "~~C~~ B"),
        Reply(None, "- [x] A\n- [ ] B\n- [x] C\n- [ ] D"),
        Reply("D", "⇒ **D**"),
        Reply("B", "结论：**B**"),
        Reply("C", "Conclusion: option C"),
        Reply("A", "Chosen answer: A"),
    ],
    "denied afterwards": [
        Reply(None, "One classmate says the answer is B, but he is mistaken."),
        Reply(None, "The model claims that the answer is C. That is not correct."),
        Reply(None, "有网友说答案是D，但是这种说法站不住脚。"),
        Reply(None, "答案是C（不正确）"),
        Reply(None, "Answer: D (wrong)"),
        Reply("D", "They said the answer is B, but that's wrong: the answer is D."),
        Reply("C", "老师说选A，但我认为应该选C。"),
        Reply("B", "The answer is B (not C)."),
        Reply("A", "The answer is A. The others are wrong."),
        Reply("D", "答案是D。其他选项都不对。"),
        Reply("B", "选B。A项的说法是错误的，因为时间不符。"),
        Reply("C", "The answer is C. It is not the largest, but it is the oldest."),
        Reply("A", "The correct answer is A, and B, C and D are incorrect."),
        Reply("C", "本题选C，C的说法是错误的，其余三项都正确。"),
        Reply(None, "他说答案是A，我不认同。"),
    ],
    "taken back": [
        Reply(None, "I'd go with C. Hmm, wait."),
        Reply(None, "正确答案是A。等一下，我看错了。"),
        Reply(None, "Answer: D\n\nActually, hold on, I misread the question."),
        Reply("A", "D. No, sorry, A."),
        Reply("C", "The answer is B. No, C."),
        Reply("B", "选A。说错了，是B。"),
        Reply("D", "The answer is D. Wait, let me double-check the units. Yes, they match, so D it is."),
        Reply("B", "答案是B。等等，我再检查一下……没错，还是B。"),
        Reply("C", "The answer is C. Could it be A? No, because A is a gas."),
        Reply("A", "答案：A\n解析：B项张冠李戴，不对；C项时间错误，不对。"),
        Reply("B", "Answer: B. You can wait for the next question."),
        Reply("D", "选D。D项包括了苹果、香蕉等等，最全面。"),
        Reply("A", "The answer is A. I hope this helps, and sorry for the delay!"),
        Reply(None, "B. Actually, never mind."),
    ],
    "said of others": [
        Reply(None, "选B的同学占多数。"),
        Reply(None, "前一题的答案是C。"),
        Reply(None, "The answer to the previous question was D."),
        Reply("B", "上一题选的是D，而本题应选B。"),
        Reply("C", "People often say the answer is A. However, the correct answer is C."),
        Reply(None, "You said the answer is B."),
        Reply(None, "多数学生认为答案是A。"),
        Reply("D", "虽然有些人认为选C，但正确答案是D。"),
        Reply("A", "选A的理由是它符合题意。"),
        Reply(None, "Let's assume the answer is C for now."),
    ],
    "as good as": [
        Reply(None, "The answer is A. That said, D is also correct."),
        Reply(None, "我选B，不过D也可以。"),
        Reply("B", "The answer is B, although C is also true."),
        Reply(None, "Answer: C, or perhaps D"),
        Reply("A", "Both A and B are tempting, but the answer is A."),
    ],
    "texts": [
        WithOptions(None, "上海交通大学", _TOWNS),
        WithOptions("B", "上海是中国最大的港口城市。", _TOWNS),
        WithOptions("D", "应该是深圳吧", _TOWNS),
        WithOptions(None, "除了广州都可以。", _TOWNS),
        WithOptions("C", "是广州，而不是深圳。", _TOWNS),
        WithOptions(None, "The answer is ribosome (B).", _CELL),
        WithOptions("C", "Ribosome, i.e. option C", _CELL),
        WithOptions("D", "It's the chloroplast, not the nucleus.", _CELL),
        WithOptions(None, "Everything except the ribosome.", _CELL),
        WithOptions(None, "Is it the ribosome?", _CELL),
    ],
    "verdicts": [
        Reply("C", "A：否\nB：否\nC：是\nD：否"),
        Reply("D", "A: no, B: no, C: no, D: yes"),
        Reply("A", "A 正确。B 不正确。C 不正确。D 不正确。"),
        Reply("B", "(A) wrong; (B) right; (C) wrong; (D) wrong."),
        Reply("D", "除D外，其余各项均有误。"),
        Reply(None, "A ✓\nB ✓\nC ✗\nD ✗"),
    ],
}

HARDEST = {
    "long replies": [
        Reply(
            "C",
            "Let me think about this carefully.\n\nThe passage says the river floods every spring. Option A says it never "
            "floods - wait, that contradicts line 2. Option B is about winter. So option C fits.\n\n**C**",
        ),
        Reply(
            "B",
            "**Answer: B**\n\n**Why the others are wrong:**\n- A: The author never says this. That is incorrect.\n"
            "- C: This is wrong, since the date is earlier.\n- D: No, the text says the opposite.",
        ),
        Reply(
            "D",
            "正确答案是 D。\n\n理由如下：\n1. A 选项说“全部”，这是不对的。\n2. B 选项张冠李戴，错误。\n"
            "3. C 选项与原文不符。\n4. D 选项与原文一致。",
        ),
        Reply(
            "A",
            "这道题考查的是近义词辨析。\n\n“B. 必须”语气太强，不对。\n“C. 必需”是形容词，不对。\n“D. 必定”表推断，不对。\n\n"
            "因此，正确答案是 **A. 必要**。",
        ),
        Reply(
            "B",
            "I was torn at first: A looks plausible. But wait, the question says 'least', so A is out. That makes B the "
            "correct answer.",
        ),
        Reply("C", "Great, let's solve it. 2x + 3 = 11, so x = 4. Checking: 2*4 + 3 = 11. Yes! The answer is C) 4."),
        Reply("D", "The answer is D. You're welcome to ask if you want to know why A is wrong, or B, or C."),
        Reply("A", "答案：A。\n\n如果还有其他问题，请等一下再问。"),
        Reply("B", "答案是B。不对的选项有A、C、D。"),
        Reply("C", "The answer is C. No other option mentions the treaty."),
        Reply("A", "The answer is A. No, it is not a trick question."),
    ],
    "turns": [
        Reply("B", "Answer: A\n\nHmm, that's not right. Answer: B"),
        Reply("D", "答案是C？不对，应该是D。"),
        Reply("C", "我选A，哦不，选C。"),
        Reply("B", "I said A earlier, but the answer is B."),
        Reply(None, "A, or actually maybe C... I'm not sure."),
        Reply("A", "My first instinct was C, but the correct answer is A."),
        Reply(None, "It's B. On second thought, I don't know."),
        Reply("D", "C—no, D."),
        Reply(None, "答案应该是A……好像又不对，我不确定。"),
        Reply("B", "Scratch my previous reply; the right answer is B."),
    ],
    "others": [
        Reply("C", "According to the textbook, the answer is C."),
        Reply("B", "As the passage says, B is correct."),
        Reply(None, "The user wants to know whether the answer is A."),
        Reply(None, "题目给出的“答案是A”并不准确。"),
        Reply("D", "有的同学会选B，这是因为没看清题目。正确的选择是D。"),
        Reply(None, "Don't choose A."),
        Reply("C", "My friend chose A, I chose C."),
        Reply(None, "Is C really the answer? I doubt it."),
        Reply("A", "Everyone agrees that the answer is A."),
    ],
    "texts": [
        WithOptions("B", "毫无疑问，答案就是上海！", _TOWNS),
        WithOptions(None, "广州市民", _TOWNS),
        WithOptions("C", "选项里只有广州符合条件", _TOWNS),
        WithOptions(None, "Ribosomal RNA", _CELL),
        WithOptions("B", "**Nucleus** - it stores DNA, e.g. in chromosomes.", _CELL),
        WithOptions(None, "The nucleus is often confused with the nucleolus, so not that one.", _CELL),
        WithOptions("A", "mitochondria (option A)", _CELL),
        WithOptions("D", "D选项：深圳", _TOWNS),
        WithOptions("A", "首都是北京。", _TOWNS),
        WithOptions(None, "Suppose it is the nucleus.", _CELL),
    ],
}

LAST = {
    "turns": [
        Reply(None, "I'd say B. On reflection, I'm not so sure."),
        Reply(None, "The answer is C. Or is it D?"),
        Reply("D", "The answer is C... Sorry, I meant D."),
        Reply("A", "B is what I first wrote. It should be A."),
        Reply(None, "应该是B，不，应该不是B。"),
        Reply("C", "答案：B\n\n不好意思，答案应为C。"),
        Reply("A", "选B？不，选A。"),
        Reply("D", "The answer is A. My mistake: the answer is D."),
        Reply(None, "The answer is B. Hmm, but that can't be right."),
        Reply("C", "So the answer is B. But the question asks for the exception, so the answer is C."),
        Reply(None, "选C吧，好像也不太对。"),
        Reply(None, "Answer: A (I think this is wrong, though)"),
        Reply("B", "A was my initial guess, but B is correct."),
        Reply(None, "The answer is A, no, maybe B, hard to tell."),
    ],
    "others": [
        Reply(None, "He chose A. She chose B."),
        Reply("A", "Most people say B, and they are wrong: it's A."),
        Reply(None, "小王说选D，但小王的理解有误。"),
        Reply(None, "Some would say the answer is B."),
        Reply(None, "It is commonly believed that the answer is C, which is a myth."),
        Reply("D", "不少人选B，但B是错的，应该选D。"),
        Reply(None, "据说答案是A，但我表示怀疑。"),
        Reply(None, "There's no way the answer is A."),
        Reply(None, "The answer is far from A."),
        Reply(None, "把A当成答案是错误的。"),
        Reply("C", "与其选A，不如选C。"),
        Reply(None, "Choosing C would be a mistake."),
        Reply("B", "A学生认为是C，但老师的答案是B。"),
        Reply(None, "我怀疑答案不是A就是B。"),
        Reply(None, "The answer is A only if x is odd."),
        Reply("A", "It is A that best fits the description."),
    ],
}

CLEAR = {
    "explained": [
        Reply(
            "C",
            "The answer is C. See the second paragraph. Option A is wrong because it mentions cats, and B is not supported.",
        ),
        Reply("B", "答案是B。这是因为只有B项提到了时间。A项太绝对，C项不对，D项没有依据。"),
        Reply("D", "I'd go with D, but let me explain why: the other options are false."),
        Reply("A", "The correct answer is A. While some may think it is B, that is a common mistake."),
        Reply("C", "选C。有些同学会误选D，这是不对的。"),
        Reply("B", "正确答案：B\n\n等等级制度的描述见课文。"),
        Reply("A", "The best option is A, which is not surprising given the data."),
        Reply("D", "故选D。他们都说谎了。"),
        Reply("B", "The user asks about DNA. The answer is B. It is not found in ribosomes."),
        Reply("C", "Answer: C\n\nNote: the statement is false for negative numbers."),
        Reply("A", "根据题意，甲说的是真话，他说选项B错误，因此答案是A。"),
        Reply("D", "They said it rained, so the answer is D."),
        Reply("B", "老师说：“明天下雨。”因此应选B。"),
        Reply("C", "The teacher says that x = 3. Therefore the answer is C."),
        Reply("A", "答案：A。题目中他认为这是错误的，故A项符合题意。"),
        Reply("B", "In the previous step we found x = 2. The answer is B."),
        Reply("C", "The next question is how to divide: 12/4 = 3, so the answer is C."),
        Reply("D", "We are not told the mass. Still, the answer is D."),
        Reply("B", "The answer is B; it's not A since A is too small."),
        Reply("A", "选A，不选B，因为B不符合要求。"),
    ],
    "plain": [
        Reply("C", "我的选择是C！"),
        Reply("D", "I've chosen D."),
        Reply("A", "My answer: A."),
        Reply("B", "Going with B."),
        Reply("C", "The answer's C."),
        Reply("D", "应该选择的是D选项。"),
        Reply("B", "答案显而易见：B"),
        Reply("A", "毋庸置疑，正确答案就是A。"),
        Reply("C", "The answer is C, not because A is wrong, but because C is more precise."),
        Reply("B", "不难看出，答案是B。"),
        Reply("D", "我们不得不选D。"),
        Reply("A", "答案无疑是A。"),
        Reply("B", "**Final Answer: B** ✅\n\nWait for my next message if you need more."),
        Reply("C", "```\nAnswer: C\n```"),
        Reply("D", '"D"'),
        Reply("A", "Answer → A"),
        Reply("B", "Option B is correct: 选项B正确。"),
        Reply("C", "所以，本题的正确选项应该是 C ，即“细胞核”。"),
        Reply("D", "从上面的分析可以看出， D 项是最佳答案。"),
        Reply("A", "因此答案为 ( A )。"),
        Reply("B", "经过比较，B 更符合题意。"),
        Reply("C", "由此可见 C 是对的。"),
        Reply("D", "综上， 选 D 。"),
        Reply("A", "正确的说法是 A 。"),
    ],
}
