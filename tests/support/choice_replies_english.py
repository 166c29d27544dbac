"""English replies that were written, with the letters a careful reader takes from them, before the rules were run on them.

At first sight, with the rules as they were then:

- ``HELD_OUT``: 65 of 80 read rightly, none wrongly, 15 not read: lists of verdicts (5), options named by their place (4),
  and others. The rules were then extended.
- ``HARDEST``, run on the extended rules: 17 of 20 read rightly, none wrongly, 3 not read; on the rules before: 14, 0 and 6.
"""

from __future__ import annotations

from support.choice_replies import Reply, WithOptions

HELD_OUT = {
    "plain": [
        Reply("C", "C"),
        Reply("B", "(B)"),
        Reply("D", "D."),
        Reply("B", "b"),
        Reply("C", "C) The mitochondrion"),
        WithOptions("H", "H. 27.5 kPa", dict.fromkeys("ABCDEFGHIJ", "")),
    ],
    "cue": [
        Reply(
            "C",
            "The correct answer is **C. Photosynthesis**.\n\nPhotosynthesis converts light energy "
            "into chemical energy.",
        ),
        Reply("D", "My pick: D"),
        Reply("A", "Answer: (A)\n\nExplanation: The treaty was signed in 1648."),
        Reply("C", "The best choice would be option C, since it preserves the invariant."),
        Reply("B", "It's B. Not much more to say."),
        WithOptions("E", "Final answer - E", dict.fromkeys("ABCDE", "")),
        WithOptions(
            "J",
            "Let's think step by step.\n\nA train covers 60 km in 45 min, so its speed is 60/0.75 "
            "= 80 km/h.\n\nTherefore, the answer is (J).",
            dict.fromkeys("ABCDEFGHIJ", ""),
        ),
        Reply("B", "Among the given options, **B** is the most accurate."),
        Reply(
            "D",
            "Sure! The correct option is:\n\n**D) All of the above**\n\nLet me know if you need anything else!",
        ),
        Reply(
            "C",
            "### Answer\n\n**C**\n\n### Reasoning\n\n- Enzymes lower the activation energy.\n- They are not consumed.",
        ),
        Reply("A", "The answer is a."),
        Reply("D", "the correct answer is option d) because the others ignore friction"),
    ],
    "latex": [
        Reply("B", "We have $x^2 = 49$ so $x = 7$.\n\n$$\\boxed{B}$$"),
        Reply("D", "Thus the total is 12.\n\n\\boxed{\\text{D}}"),
        Reply("C", "Hence $\\boxed{\\textbf{(C)}\\ 18}$."),
        Reply("A", "The final answer is: $\\boxed{\\mathrm{A}}$. I hope it is correct."),
        Reply(
            "C",
            "Let $A$ be the area and $B$ the base. Then $A = \\frac{1}{2} B h = 24$.\n"
            "\nSo the correct choice is $\\boxed{C}$.",
        ),
    ],
    "json": [
        Reply("B", '{"answer": "B"}'),
        Reply(
            "D",
            '```json\n{\n  "reasoning": "Option A ignores inflation, C is too late.",\n'
            '  "answer": "D",\n  "confidence": 0.82\n}\n```',
        ),
        Reply("C", '{"analysis": "B and C look similar", "choice": "C"}'),
        Reply("A", "<answer>A</answer>"),
        Reply("B", "```\nB\n```"),
        WithOptions("E", '{"final_answer": "E"}', dict.fromkeys("ABCDE", "")),
    ],
    "reasoning": [
        Reply(
            "B",
            "<think>\nHmm, A says the Rhine, B the Danube. The answer might be A... wait, Vienna "
            "lies on the Danube. So B.\n</think>\n\nVienna lies on the Danube, so the answer is "
            "**B**.",
        ),
        Reply(
            "D",
            "<think>\nThe answer is A? No: the question asks for the exception. So D is the exception.\n</think>\n\nD",
        ),
        Reply(
            "C",
            "Okay, let me look at this. Option A would require the voltage to double. Option "
            "B is about resistance, which doesn't change here. Option C fits Ohm's law exactly. "
            "Option D is irrelevant.\n\nSo it has to be C.",
        ),
    ],
    "list": [
        Reply(
            "C",
            "- A: incorrect. Iron is a metal.\n- B: incorrect. Copper is a metal.\n- C: correct. "
            "Sulfur is a nonmetal.\n- D: incorrect. Zinc is a metal.",
        ),
        Reply("C", "A) Paris ❌\nB) Lyon ❌\nC) Marseille ✅\nD) Nice ❌"),
        Reply("B", "A. ✗ too small\nB. ✓ matches the data\nC. ✗ too large\nD. ✗ wrong unit"),
        Reply(
            "D",
            "| Option | Verdict |\n|---|---|\n| A | False |\n| B | False |\n| C | False |\n"
            "| D | True |\n\n**Answer: D**",
        ),
        Reply(
            "B",
            "| Option | Assessment |\n|---|---|\n| A | Incorrect, contradicts the passage |\n"
            "| B | Correct, stated in line 3 |\n| C | Incorrect, not mentioned |\n| D | Incorrect, "
            "the opposite is stated |",
        ),
        Reply(
            "D",
            "Let's evaluate each option:\n\n**A.** Wrong, because gravity is not involved.\n"
            "**B.** Wrong, mass is conserved.\n**C.** Wrong, this is the definition of power.\n"
            "**D.** This is right: work is force times distance.",
        ),
        Reply(
            "C",
            "1. Option A is wrong because osmosis needs a membrane.\n2. Option B is partly right "
            "but leaves out the gradient.\n3. Option C is the right one.\n4. Option D describes "
            "active transport.",
        ),
        Reply(
            "C",
            "**Why not the others?**\n- A is too narrow.\n- B contradicts the second paragraph.\n"
            "- D is never mentioned.\n\nThat leaves C.",
        ),
    ],
    "self-correction": [
        Reply("C", "The answer is B. Wait, I misread the sign. The answer is C."),
        Reply("D", "At first I thought the answer was A, but after checking the units the correct answer is D."),
        Reply(
            "B",
            "Answer: A\n\nActually, let me double-check. 17 × 6 = 102, not 112. So the correct answer is B.",
        ),
        Reply("D", "B... hmm, no. It's D."),
        Reply("A", "Correction: my earlier choice of C was wrong. The right answer is A."),
    ],
    "negation": [
        Reply("C", "The answer is not A but C."),
        Reply("C", "It can't be B, and D is clearly wrong too. A doesn't fit the timeline. So the answer is C."),
        Reply(None, "The answer is definitely not B."),
        Reply(None, "B is incorrect."),
        Reply("B", "Although many people choose A, the correct answer is B, not A."),
        Reply("A", "I wouldn't choose D. The best option is A."),
        Reply("C", "Neither A nor B is correct; C is."),
    ],
    "because": [
        Reply("A", "A, because B and C are both reversible reactions and D is not a reaction at all."),
        Reply("C", "C is the answer since A, B and D all assume a closed economy."),
        Reply("D", 'The answer is D rather than C because the passage says "seldom".'),
    ],
    "hedge": [
        Reply(None, "It could be either B or C, depending on the definition used."),
        Reply(None, "Both A and D seem correct to me."),
        Reply("C", "I'm torn between A and C, but I'll go with C."),
        Reply("B", "It's probably B, though C is also plausible."),
        Reply(None, "The answer is A or B."),
        Reply(None, "A, B, and D are all correct."),
    ],
    "refusal": [
        Reply(None, "I'm sorry, but I can't help with that."),
        Reply(None, "I don't have enough information to answer this question. Could you share the passage?"),
        Reply(None, "None of the options is correct; the true value is 42."),
    ],
    "repeated": [
        WithOptions(
            "C",
            "Question: What is the capital of Australia?\nA. Sydney\nB. Melbourne\nC. Canberra\nD. Perth\n\nAnswer: C",
            {"A": "Sydney", "B": "Melbourne", "C": "Canberra", "D": "Perth"},
        ),
        WithOptions(
            "B",
            "What is the largest planet?\n\nA) Earth\nB) Jupiter\nC) Mars\nD) Venus\n\nThe largest "
            "planet in our solar system is Jupiter, with a mass over 300 times that of Earth.\n"
            "\nTherefore: B) Jupiter",
            {"A": "Earth", "B": "Jupiter", "C": "Mars", "D": "Venus"},
        ),
        WithOptions(
            None,
            "A. Sydney\nB. Melbourne\nC. Canberra\nD. Perth",
            {"A": "Sydney", "B": "Melbourne", "C": "Canberra", "D": "Perth"},
        ),
    ],
    "text": [
        WithOptions("C", "Canberra", {"A": "Sydney", "B": "Melbourne", "C": "Canberra", "D": "Perth"}),
        WithOptions(
            "C",
            "The capital of Australia is Canberra.",
            {"A": "Sydney", "B": "Melbourne", "C": "Canberra", "D": "Perth"},
        ),
        WithOptions("B", "**Jupiter**", {"A": "Earth", "B": "Jupiter", "C": "Mars", "D": "Venus"}),
        WithOptions("A", "Yes", {"A": "Yes", "B": "No"}),
    ],
    "ordinal": [
        Reply("B", "Option 2"),
        WithOptions("A", "The former.", {"A": "The red ball is heavier", "B": "The blue ball is heavier"}),
        Reply("C", "The third option is correct."),
        Reply("D", "I'd say the last one."),
    ],
    "other letters": [
        Reply("B", "Vitamin C is water-soluble, so excess is excreted. The answer is B."),
        Reply(None, "A patient with hepatitis B should avoid alcohol."),
        Reply("D", "If plan A fails, use plan B. The text therefore supports option D."),
        Reply("A", "Since A = {1,2} and B = {2,3}, A ∩ B = {2}.\n\nAnswer: A"),
        Reply(None, "A good way to see this is to draw a diagram."),
    ],
}

HARDEST = {
    "repeated": [
        Reply(
            "B",
            "The following statement is true:\nA. Iron floats\nB. Ice floats\nC. Lead floats\n"
            "D. Gold floats\n\nIce floats because it is less dense than water, so B is true.",
        ),
        Reply(
            "C",
            "Which of the following is NOT a prime?\n(A) 2\n(B) 3\n(C) 9\n(D) 7\n\n9 = 3 × 3, so it "
            "is not a prime.\n\n(C)",
        ),
    ],
    "list": [
        Reply(
            "C",
            "**Option A**: ❌ Describes mitosis.\n**Option B**: ❌ Describes binary fission.\n"
            "**Option C**: ✅ Describes meiosis.\n**Option D**: ❌ Describes budding.\n"
            "\nSo we choose **Option C**.",
        ),
        Reply(
            "D",
            "A is true, B is true, C is true, D is false. The question asks for the false statement.\n\nAnswer: D",
        ),
        Reply("C", "(A) True. (B) True. (C) False. (D) True. Since we need the exception, the answer must be (C)."),
        Reply(None, "Statement A is correct. Statement B is also correct."),
        Reply(
            "C",
            "1. **A** – Not correct: the treaty came later.\n2. **B** – Not correct: wrong country.\n"
            "3. **C** – Correct.\n4. **D** – Not correct: wrong king.",
        ),
    ],
    "self-correction": [
        Reply(
            "C",
            'So the answer is A.\n\nHmm, but hold on. The question says "except". Then A would '
            "be included, so the exception is C. Final answer: C",
        ),
        Reply("D", "I initially chose B, then C, but neither satisfies the second equation. D does, so D."),
    ],
    "negation": [
        Reply("D", "If you picked B, you probably forgot the minus sign. The correct choice is D."),
        Reply("C", "Don't be fooled by option A. The passage points to C as the right answer."),
        Reply("B", "You might think the answer is A, but that ignores friction; it's actually B."),
    ],
    "hedge": [
        Reply("B", "Strictly speaking both B and C are acceptable, but if I have to choose one, B."),
        Reply(None, "There is not enough information to decide between A and D."),
    ],
    "other letters": [
        Reply(
            "D",
            "In the circuit, resistor A is in series with B, and C is in parallel. Total: 6 "
            "ohm. That matches choice D.",
        ),
        Reply("B", "By the Pythagorean theorem, AB² + BC² = AC², so AC = 5 (choice B)."),
        Reply(None, "Point D lies on AC, and angle B is 90°. The answer is 30 degrees."),
    ],
    "json": [
        Reply(
            "C",
            'Here is my answer:\n\n```json\n{"question_id": 17, "answer": "C", "options_considered": '
            '["A", "B", "C", "D"]}\n```',
        ),
    ],
    "latex": [
        Reply("D", "Thus option (B) is excluded and\n\n\\[\n\\boxed{\\text{(D) } 3\\sqrt{2}}\n\\]"),
    ],
    "ordinal": [
        Reply(
            "A",
            "The second option is too broad, and the third one contradicts the text. The first "
            "option is the best answer.",
        ),
    ],
}
