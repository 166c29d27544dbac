"""Replies to choice questions with the letter that a careful reader takes from them (None: no letter, or no single one).

The question has the options A to D unless a row says otherwise; rows of ``WITH_OPTIONS`` know the options' texts.
"""

from __future__ import annotations

from typing import NamedTuple


class Reply(NamedTuple):
    letter: str | None
    text: str


TERSE = [
    Reply("B", "B"),
    Reply("B", " B\n"),
    Reply("C", "C."),
    Reply("D", "(D)"),
    Reply("A", "A)"),
    Reply("B", "**B**"),
    Reply("C", "`C`"),
    Reply("B", "\\boxed{B}"),
    Reply("B", "$\\boxed{\\text{B}}$"),
    Reply("B", "B. Paris"),
    Reply("A", "A: because it is the oldest one"),
    Reply("B", "Ｂ"),
    Reply("C", "（Ｃ）"),
    Reply("D", "D。"),
    Reply("C", "【C】"),
    Reply("A", "A、北京"),
    Reply("B", "b)"),
    Reply("C", "(c)"),
    Reply("B", "answer: b"),
    Reply("B", "Answer: B"),
    Reply("B", "答案：B"),
    Reply("D", "答案:D"),
    Reply("C", "选C"),
    Reply("C", "选 C。"),
    Reply("A", "选项A"),
    Reply("B", "Option B"),
    Reply("B", "option (b)"),
    Reply("D", "「D」"),
    Reply("A", "<answer>A</answer>"),
    Reply("B", '{"answer": "B"}'),
]

CHATTY = [
    Reply("B", "The answer is B."),
    Reply("B", "The answer is (B)."),
    Reply("B", "The correct answer is **B**."),
    Reply("C", "The correct option is C, since water boils at 100 degrees."),
    Reply("D", "I would choose D."),
    Reply("A", "I think the best choice here is A."),
    Reply("C", "My answer would be C!"),
    Reply("B", "It's B."),
    Reply("B", "Sure! The right answer is option B: photosynthesis."),
    Reply("A", "Based on the passage, A is correct."),
    Reply("C", "Option C is the correct answer."),
    Reply("D", "Thank you for the question. I believe that the answer should be D. Let me know if you need more."),
    Reply("B", "答案是 B"),
    Reply("C", "正确答案为C"),
    Reply("C", "正确答案是：C。"),
    Reply("C", "我认为应该选 C 项"),
    Reply("A", "这道题的答案是A选项。"),
    Reply("D", "您好！本题选D，因为光合作用需要光。"),
    Reply("B", "综上所述，本题正确选项为B。"),
    Reply("B", "应选择B。"),
    Reply("A", "我觉得是A。"),
    Reply("C", "根据题意，C项正确。"),
    Reply("C", "C选项是正确的。"),
    Reply("D", "故选D"),
    Reply("D", "因此，答案选（D）。"),
    Reply("A", "答案为【A】"),
    Reply("B", "正确的选项应该是“B”。"),
    Reply("C", "参考答案：Ｃ"),
    Reply("A", "这题应该是选A吧"),
    Reply("B", "毫无疑问，是B。"),
]

REASONED = [
    Reply(
        "B",
        "Let's go through the options.\n\nA. Iron rusts.\nB. Gold does not.\nC. Zinc rusts.\nD. Tin rusts.\n\n"
        "Final answer: B",
    ),
    Reply("C", "First, 12 * 3 = 36. Then 36 - 6 = 30. Therefore, the answer is C."),
    Reply("D", "A dog is a mammal, so it cannot be the first one. The whale is also a mammal.\n\nAnswer: D"),
    Reply("A", "I think we should look at each statement. The second is false. Hence the correct answer is A."),
    Reply("B", "Step 1: convert.\nStep 2: add.\n\n**Answer: B**"),
    Reply("C", "The speed is 3 m/s.\n\nThus, the final answer is $\\boxed{C}$."),
    Reply("B", "B\n\nExplanation: A vitamin is needed, and option A has none."),
    Reply("D", "Option A is about cats. Option B is about dogs. Option C is about cows. So the answer is D."),
    Reply("A", "解析：首先计算 3+5=8，\n然后除以2得4。\n答案：A"),
    Reply("B", "A项：错误，铁会生锈。\nB项：正确，金不生锈。\nC项：错误。\nD项：错误。\n故选B。"),
    Reply("C", "【解析】甲是乙的父亲，A、B、D都与题意不符，所以选C。"),
    Reply("D", "让我们一步一步思考。\nA. 3\nB. 4\nC. 5\nD. 6\n因为2×3=6，所以正确答案是D。"),
    Reply("B", "由题可知x=2，代入得y=4，因此选B项。"),
    Reply("A", "根据《民法典》第一千条的规定，行为人应当承担责任。因此本题答案为A。"),
    Reply("C", "### Analysis\n- A: too small\n- B: too large\n- C: fits\n- D: not a number\n\n### Answer\nC"),
    Reply("B", "The answer is B. A is wrong because iron rusts; C and D are wrong because they are alloys."),
    Reply("C", "答案：C\n解析：A项错误，B项错误，D项不符合题意。"),
    Reply("D", "正确答案是D。A选项的说法太绝对，B选项与原文相反，C选项未提及。"),
]

NEGATED = [
    Reply("B", "A不对，B正确"),
    Reply("B", "不是A，而是B"),
    Reply("D", "排除A和C，选D"),
    Reply("C", "A and B are wrong; so C"),
    Reply("D", "Option B is incorrect because it is too hot. The correct one is D."),
    Reply("C", "It is not A. It is C."),
    Reply("B", "The answer is not A but B."),
    Reply("D", "A, B and C can be ruled out, which leaves D."),
    Reply(None, "A is wrong."),
    Reply(None, "The answer is not C."),
    Reply(None, "不选A"),
    Reply(None, "A选项是错误的。"),
    Reply(None, "答案不是B。"),
    Reply("C", "B看起来正确，但其实是C。"),
    Reply("A", "答案不是B，应该是A"),
    Reply("D", "排除法：A错误，B错误，C错误，所以选D。"),
    Reply("B", "Neither A nor C is right. The answer must be B."),
    Reply(None, "Option A is not correct."),
    Reply("A", "错误的选项是B、C、D，正确的是A。"),
    Reply("C", "不应选B，应选C。"),
]

REVISED = [
    Reply("C", "B... wait, actually C"),
    Reply("C", "The answer is B. Wait, let me check again. The answer is C."),
    Reply("D", "答案是A。不对，重新计算后，答案是D。"),
    Reply("A", "I first thought the answer is D, but on reflection the correct answer is A."),
    Reply("B", "选C……等等，应该是B。"),
    Reply("D", "Answer: A\n\nCorrection: the answer is D."),
]

SEVERAL = [
    Reply(None, "A and B"),
    Reply(None, "A or C"),
    Reply(None, "A、B"),
    Reply(None, "AB"),
    Reply(None, "The answer is A or B."),
    Reply(None, "答案是A和C"),
    Reply(None, "答案是A或B。"),
    Reply(None, "Both A and D are correct."),
    Reply(None, "选AC"),
    Reply(None, "A, B, C, D"),
    Reply(None, "A. Paris\nB. London\nC. Rome\nD. Berlin"),
    Reply(None, "A和B都正确"),
    Reply(None, "It could be A, but it could also be B."),
    Reply(None, "\\boxed{A, C}"),
    Reply(None, "A/B"),
]

NONE = [
    Reply(None, ""),
    Reply(None, "None of the above"),
    Reply(None, "无法确定"),
    Reply(None, "A dog is a mammal."),
    Reply(None, "I think that depends."),
    Reply(None, "I don't know."),
    Reply(None, "我不知道答案。"),
    Reply(None, "A good question! Let me think about it."),
    Reply(None, "以上都不对"),
    Reply(None, "Sorry, I cannot answer that."),
    Reply(None, "All of the above."),
    Reply(None, "Vitamin C is found in lemons."),
    Reply(None, "He got a grade B in the exam."),
    Reply(None, "E"),
    Reply(None, "The answer is F."),
    Reply(None, "答案是E"),
    Reply(None, "CD"),
    Reply(None, "这道题没有正确答案。"),
    Reply(None, "Answer unknown"),
    Reply("A", "a"),
    Reply(None, "42"),
    Reply(None, "DNA"),
    Reply(None, "AI无法回答这个问题"),
    Reply(None, "A is a letter, and so is B."),
]

FIRST = {
    "terse": TERSE,
    "chatty": CHATTY,
    "with reasoning": REASONED,
    "negated": NEGATED,
    "revised": REVISED,
    "several": SEVERAL,
    "none": NONE,
}

SECOND = {
    "terse": [
        Reply("D", "d"),
        Reply("A", "**A.**"),
        Reply("C", "Choice C"),
        Reply("B", "B,"),
        Reply("C", "C\n\n"),
        Reply("B", "选项 B。"),
        Reply("A", "答 案：A"),
        Reply("D", "答：D"),
        Reply("C", "*C*"),
        Reply("B", "__B__"),
        Reply("A", "**Answer:** A"),
        Reply("B", "### B"),
        Reply("C", "Ans: C"),
        Reply("D", "# 答案\nD"),
    ],
    "chatty": [
        Reply("C", "Great question! The best answer among the options given is C) mitochondria."),
        Reply("B", "I'd go with B here."),
        Reply("A", "The answer to this question is A, as stated in the first paragraph."),
        Reply("D", "I'm fairly confident that it's D."),
        Reply("B", 'The most appropriate answer is option (B), "nitrogen".'),
        Reply("C", "Correct answer: C. Lima"),
        Reply("A", "The statement that is true is A."),
        Reply("D", "Answer is D"),
        Reply("B", "B is the right choice."),
        Reply("B", "经过分析，我会选择选项B。"),
        Reply("D", "本题的正确答案应为 D 选项，即“长江”。"),
        Reply("C", "答案应该是C，原因如下：它最符合文意。"),
        Reply("A", "正确答案：A. 北京"),
        Reply("B", "此题考查文言文实词，选 B 。"),
        Reply("C", "个人认为C更合适。"),
        Reply("A", "答案是选项 A：细胞核"),
        Reply("D", "好的，答案是**D**。希望对你有帮助！"),
    ],
    "with reasoning": [
        Reply(
            "B",
            "We need the derivative. f(x) = x^2, so f'(x) = 2x, and at 1 that is 2.\n\nLooking at the options, 2 "
            "corresponds to option B.\n\nTherefore, the correct answer is (B) 2.",
        ),
        Reply("C", "Vitamin A and vitamin D are fat-soluble. Vitamin C is water-soluble. The answer is C."),
        Reply("A", "Person B owes 5, person C owes 7, so the total is 12, which is option A. Answer: A"),
        Reply("D", "A is partially correct, but D is more complete. The best answer is D."),
        Reply("B", "Plan A costs 10, Plan B costs 8.\nThe cheaper one is wanted.\n\n**Final Answer:** (B)"),
        Reply(
            "C",
            "甲、乙、丙三人中，B说的话与C矛盾。\n逐项分析：\nA. 不成立\nB. 不成立\nC. 成立\nD. 不成立\n综上，答案为C。",
        ),
        Reply("D", "设AB=3，BC=4，则AC=5。故三角形ABC的周长为12。\n因此选D。"),
        Reply("A", "如果x>0，则B成立；如果x<0，则C成立。题目说x=0，所以正确答案是A。"),
        Reply("B", "点A在圆上，点B在圆外。由切线长定理，PA=PB，所以答案选B。"),
        Reply("C", "B\n\nHmm, wait. I misread the question. The answer is C."),
        Reply(
            "B", "B. The other options do not mention the moon.\n\nQuestion: What is 2+2?\nA. 3\nB. 5\nC. 4\nAnswer: C"
        ),
    ],
    "negated": [
        Reply("B", "The answer can't be A, so it must be B."),
        Reply(None, "I don't think the answer is C."),
        Reply(None, "It isn't B."),
        Reply("D", "Not A, not B, not C. The answer is D."),
        Reply("A", "A is the correct option, not B."),
        Reply("C", "B and D are incorrect; A is irrelevant. The correct answer is therefore C."),
        Reply("B", "因为A、C、D三项均有语病，所以B项正确。"),
        Reply(None, "A、B两项错误。"),
        Reply(None, "答案肯定不是D。"),
        Reply("C", "D项偷换概念，排除D；A项以偏概全，排除A；B项无中生有，排除B。故本题选C。"),
        Reply("B", "A选项不正确，B选项正确。"),
        Reply(None, "If the answer is B, then the sum would be 10, and that cannot be known."),
        Reply(None, "Is the answer B?"),
        Reply(None, "答案是A吗？"),
        Reply(None, "有人认为答案是C。"),
    ],
    "several": [
        Reply(None, "Either B or C."),
        Reply(None, "答案：AB"),
        Reply(None, "The correct answers are A, C and D."),
        Reply(None, "A and C are both correct."),
        Reply(None, "选A或者选B都可以"),
        Reply(None, "The answer is A. The answer is D."),
        Reply(None, "A is correct. B is correct."),
        Reply(None, "答案是B，也可能是C，但说不准"),
    ],
    "none": [
        Reply(None, "As an AI model, I cannot choose."),
        Reply(None, "这个问题A很有意思。"),
        Reply(None, "B vitamins are important."),
        Reply(None, "A is for apple."),
        Reply(None, "Plan B costs 8."),
        Reply(None, "The answer is Paris."),
        Reply(None, "答案是北京"),
        Reply(None, "The answer is A dog."),
        Reply(None, "Q: What is it?"),
        Reply(None, "请提供选项。"),
        Reply(None, "OK"),
        Reply(None, "Please choose A, B, C or D."),
        Reply(None, "T"),
        Reply(None, "点A在线段BC上。"),
    ],
}


class WithOptions(NamedTuple):
    letter: str | None
    text: str
    choices: dict[str, str]


_CITIES = {"A": "London", "B": "Paris", "C": "Paris, Texas", "D": "Rome"}
_RIVERS = {"A": "长江", "B": "黄河", "C": "珠江", "D": "以上都不对"}
_NUMBERS = {"A": "3", "B": "13", "C": "30", "D": "300"}
_YES = {"A": "是", "B": "否"}
_NINE = {letter: f"option {number}" for number, letter in enumerate("ABCDEFGHIJ", 1)}

OPTIONS = {
    "texts": [
        WithOptions("A", "London", _CITIES),
        WithOptions("A", "london.", _CITIES),
        WithOptions("B", "The answer is Paris.", _CITIES),
        WithOptions("C", "The answer is Paris, Texas.", _CITIES),
        WithOptions("D", "It was built in Rome", _CITIES),
        WithOptions("A", "A. London", _CITIES),
        WithOptions("A", "The answer is A. London", _CITIES),
        WithOptions(None, "A. Rome", _CITIES),
        WithOptions(None, "The answer is D, London.", _CITIES),
        WithOptions(None, "It is not London.", _CITIES),
        WithOptions(None, "London and Rome", _CITIES),
        WithOptions(None, "Berlin", _CITIES),
        WithOptions(None, "Romeo", _CITIES),
        WithOptions("A", "长江", _RIVERS),
        WithOptions("B", "答案是黄河。", _RIVERS),
        WithOptions("B", "我国的母亲河是黄河", _RIVERS),
        WithOptions("D", "以上都不对", _RIVERS),
        WithOptions("C", "选C，珠江", _RIVERS),
        WithOptions(None, "选C，长江", _RIVERS),
        WithOptions(None, "不是黄河", _RIVERS),
        WithOptions("B", "13", _NUMBERS),
        WithOptions("B", "1３", _NUMBERS),
        WithOptions("D", "The answer is 300.", _NUMBERS),
        WithOptions(None, "130", _NUMBERS),
        WithOptions("C", "C) 30", _NUMBERS),
        WithOptions("A", "是", _YES),
        WithOptions("B", "否。", _YES),
        WithOptions(None, "不是", _YES),
        WithOptions(None, "C", _YES),
        WithOptions("I", "The answer is I.", _NINE),
        WithOptions("I", "I", _NINE),
        WithOptions(None, "I think so.", _NINE),
        WithOptions("J", "J", _NINE),
        WithOptions("F", "I believe the answer is F.", _NINE),
    ],
}

THIRD = {
    "terse": [
        Reply("C", "The answer: C"),
        Reply("B", "(B) Paris"),
        Reply("A", "A) because of the tide"),
        Reply("D", "我选D"),
        Reply("B", "是B"),
        Reply("C", "C对"),
        Reply("D", "[D]"),
        Reply("A", "答案：（A）"),
    ],
    "chatty": [
        Reply("C", "After weighing everything, I'll pick C."),
        Reply("A", "Clearly, the right choice is A!"),
        Reply("D", "Among these, D is the most likely."),
        Reply("B", "It must be B."),
        Reply("B", "感谢提问，我的答案是B，请参考。"),
        Reply("C", "显然C是正确答案。"),
        Reply("D", "这道题应当选择D项。"),
    ],
    "with reasoning": [
        Reply("A", "1. Compute 4!. It is 24.\n2. Divide by 6. It is 4.\n\nSo the answer is A."),
        Reply("B", "According to Ohm's law, I = U/R = 2 A. The current is 2 A, hence the answer is B."),
        Reply("D", "Blood type A cannot give to B. Type AB can receive from all. The correct answer is D."),
        Reply("C", "集合A={1,2}，集合B={2,3}，A∩B={2}。故答案为C。"),
        Reply("B", "从甲地到乙地，A车先走，B车后走。两车在丙地相遇，故选B项。"),
        Reply("A", "C国的首都不在选项中。综合分析，A选项最符合题意。"),
    ],
    "negated": [
        Reply("D", "It's definitely not B; the answer is D."),
        Reply("A", "虽然B有道理，但正确答案是A。"),
        Reply("B", "C is tempting, but it is wrong. The right answer is B."),
        Reply(None, "我不认为答案是B。"),
        Reply(None, "The answer is neither A nor B."),
        Reply(None, "It would be wrong to choose C."),
        Reply("C", "The incorrect options are A, B and D, so the answer is C."),
        Reply(None, "B的说法不正确"),
    ],
    "several": [
        Reply(None, "B, C"),
        Reply(None, "I'd say A or B."),
        Reply(None, "正确的有A、C。"),
        Reply(None, "(A) and (C)"),
    ],
    "none": [
        Reply(None, "The element is Carbon, C."),
        Reply(None, "A 25-year-old man was admitted."),
        Reply(None, "X"),
        Reply(None, "维生素C含量最高"),
        Reply(None, "Hepatitis B is a virus."),
        Reply(None, "他住在A栋。"),
        Reply(None, "The current is 2 A."),
    ],
}
