"""Chinese replies that were written, with the letters a careful reader takes from them, before the rules were run on them.

At first sight, with the rules as they were then:

- ``HELD_OUT``: 64 of 80 read rightly, none wrongly, 16 not read: lists of verdicts (4), options named by their place (4),
  【答案】 (2), traditional characters (2), and others. The rules were then extended.
- ``HARDEST``, run on the extended rules: 15 of 20 read rightly, 1 wrongly (a letter that is called wrong further down), 4
  not read; on the rules before: 8, 2 and 10.
"""

from __future__ import annotations

from support.choice_replies import Reply, WithOptions

HELD_OUT = {
    "plain": [
        Reply("B", "B"),
        Reply("C", "选C"),
        Reply("A", "Ａ"),
        Reply("D", "（D）"),
        Reply("B", "B。"),
        Reply("C", "C、光合作用"),
        Reply("D", "选项D"),
        Reply("D", "D．故选D．"),
    ],
    "cue": [
        Reply("B", "答案：B"),
        Reply("C", "正确答案是 **C**。"),
        Reply("A", "答案是A。因为光在真空中的传播速度最快。"),
        Reply("D", "本题选D。"),
        Reply("C", "故答案为：C"),
        Reply("B", "【答案】B\n【解析】根据《民法典》第一百四十三条，该合同有效。"),
        Reply("B", "【解析】A项属于物理变化，B项属于化学变化，C项、D项均为物理变化。\n【答案】B"),
        Reply("D", "因此，最合适的选项是D：坚持改革开放。"),
        Reply("B", "根据题意，应该选择B选项。"),
        Reply("A", "综上所述,正确选项为(A)。"),
        WithOptions("E", "我认为答案应该是 E", dict.fromkeys("ABCDE", "")),
        Reply(
            "C",
            "好的，我来回答这道题。\n\n**答案：C**\n\n**解析：** 秦始皇于公元前221年统一六国。\n\n希望对你有帮助!",
        ),
        Reply("B", "所以答案选b"),
        Reply("A", "答：A"),
        Reply("D", "這題的答案是 D，因為其他選項都與題意不符。"),
        Reply("B", "正確答案為:B。"),
        Reply("C", "應選(C)。"),
    ],
    "latex": [
        Reply("A", "由勾股定理得斜边为5。\n\n$\\boxed{A}$"),
        Reply("C", "所以面积为 $12\\pi$，故选 $\\boxed{\\text{C}}$。"),
        Reply("D", "设集合 $A=\\{1,2\\}$,$B=\\{2,3\\}$，则 $A\\cap B=\\{2\\}$。\n\n因此答案为 \\boxed{D}"),
    ],
    "json": [
        Reply("C", '{"答案": "C"}'),
        Reply("A", '```json\n{"answer": "A", "explanation": "B、C、D均不符合题意"}\n```'),
        Reply("B", "<answer>B</answer>"),
        Reply("D", '{"选项": "D", "理由": "A和B都是虚词"}'),
    ],
    "reasoning": [
        Reply(
            "D",
            "<think>\n先看A,A好像对。再看B,B也可能。不过题目问的是不正确的，所以应该选D。\n</think>\n\n答案：D",
        ),
        Reply("C", "<think>\n答案是A吗?不对,应该是C。\n</think>\nC"),
        Reply(
            "C",
            '首先，题目要求找出错误的一项。A项，表述正确；B项，表述正确；C项，表述错误，应为"光合作用释放'
            '氧气"；D项，表述正确。故本题选C。',
        ),
    ],
    "list": [
        Reply(
            "C",
            "A. 错误，鲸鱼是哺乳动物。\nB. 错误，蝙蝠是哺乳动物。\nC. 正确，企鹅是鸟类。\nD. 错误，海豚是哺乳动物。",
        ),
        Reply("D", "A ✗\nB ✗\nC ✗\nD ✓"),
        Reply("B", "A. 北京 ❌\nB. 上海 ✅\nC. 广州 ❌\nD. 深圳 ❌"),
        Reply(
            "A",
            "| 选项 | 判断 | 理由 |\n|---|---|---|\n| A | 正确 | 符合宪法规定 |\n| B | 错误 | 主体不符 "
            "|\n| C | 错误 | 时效已过 |\n| D | 错误 | 程序不合法 |",
        ),
        Reply(
            "B",
            "- A选项:不符合题意,因为题目强调的是长期影响。\n- B选项:符合题意,正确。\n- C选项:与原文无关。"
            "\n- D选项:以偏概全。\n\n因此选B。",
        ),
        Reply("A", "A项正确，符合牛顿第一定律；B项错误，惯性与速度无关；C项错误；D项错误。"),
        Reply(
            "C",
            "逐项分析：\n\n**A**：时间不对，排除。\n**B**：地点不对，排除。\n**D**：人物不对，排除。\n\n只剩下C。",
        ),
        Reply("B", "甲项说法过于绝对，先排除A；C与D讲的是同一件事，也排除。答案只能是B"),
    ],
    "self-correction": [
        Reply("C", "答案是A。等等，我再算一遍……3×7=21，所以答案是C。"),
        Reply("D", "我一开始以为选B，但仔细看题后，正确答案应为D。"),
        Reply("A", "抱歉，刚才的答案有误，不是C，应该是A。"),
        Reply("C", "答案:B\n\n更正:重新检查后发现单位换算有误,正确答案应为C。"),
    ],
    "negation": [
        Reply("B", "不是A，而是B。"),
        Reply(None, "答案不是C。"),
        Reply("C", "A不对，B也不对，D与题干无关，所以选C。"),
        Reply("D", "不能选A，应选D。"),
        Reply("C", "这道题很多人会误选A，其实正确的是C。"),
        Reply(None, "A是错误的。"),
    ],
    "because": [
        Reply("A", "选A，因为B和C都是偶然因素，D不是原因。"),
        Reply("B", "B。A、C、D三项都偷换了概念。"),
        Reply("D", "D正确，A、B、C均错误。"),
        Reply("C", "答案为C而不是B，因为题目问的是最小值。"),
    ],
    "hedge": [
        Reply(None, "B和C都有可能，取决于具体定义。"),
        Reply(None, "这道题应该选A或者D。"),
        Reply("B", "我在B和C之间犹豫，最终选择B。"),
        Reply(None, "A、B、C都正确。"),
        Reply("D", "大概是D吧，不过我不太确定。"),
    ],
    "refusal": [
        Reply(None, "抱歉，我无法回答这个问题。"),
        Reply(None, "题目信息不完整，请提供完整的选项。"),
        Reply(None, "以上选项都不正确。"),
        Reply(None, "作为一个人工智能语言模型，我还没学习如何回答这个问题。"),
    ],
    "repeated": [
        WithOptions(
            "B",
            "题目：中国的首都是哪里？\nA. 上海\nB. 北京\nC. 广州\nD. 深圳\n\n答案：B. 北京",
            {"A": "上海", "B": "北京", "C": "广州", "D": "深圳"},
        ),
        WithOptions(
            "C",
            "以下属于哺乳动物的是( )\nA. 鲨鱼\nB. 青蛙\nC. 鲸\nD. 企鹅\n\n鲸用肺呼吸、胎生哺乳，因此属于哺乳动物"
            "，选择C。",
            {"A": "鲨鱼", "B": "青蛙", "C": "鲸", "D": "企鹅"},
        ),
    ],
    "text": [
        WithOptions("B", "北京", {"A": "上海", "B": "北京", "C": "广州", "D": "深圳"}),
        WithOptions("B", "中国的首都是北京。", {"A": "上海", "B": "北京", "C": "广州", "D": "深圳"}),
        WithOptions("A", "对", {"A": "对", "B": "错"}),
    ],
    "ordinal": [
        Reply("B", "第二个选项"),
        Reply("C", "应该选第三项。"),
        WithOptions("B", "后者。", {"A": "木头", "B": "铁块"}),
        WithOptions("A", "应该是前者", {"A": "小明", "B": "小红"}),
    ],
    "other letters": [
        Reply("B", "C语言是一种面向过程的编程语言，因此答案是B。"),
        Reply(None, "维生素C可以预防坏血病。"),
        Reply("D", "A股市场实行T+1制度,B股以外币计价。所以选D。"),
        Reply("A", "乙肝由B型肝炎病毒引起，故本题正确答案为A。"),
        Reply("B", "已知△ABC中，∠A=60°,∠B=45°，则∠C=75°。故选：B"),
    ],
}

HARDEST = {
    "repeated": [
        Reply(
            "B",
            "下列说法正确的是\nA. 声音可以在真空中传播\nB. 光在真空中速度最大\nC. 声音比光快\n"
            "D. 光不能在水中传播\n\n声音的传播需要介质，光在真空中速度最大，故B正确。",
        ),
        Reply(
            "C",
            "题目要求选出没有语病的一项。\nA. 缺少主语\nB. 搭配不当\nC. 没有语病\nD. 语序不当\n所以正确答案是C。",
        ),
    ],
    "list": [
        Reply("C", "A选项说法错误，B选项说法错误，D选项说法错误，只有C选项说法正确。"),
        Reply("C", "A、正确；B、正确；C、错误，应为“三峡”；D、正确。题干要求选择错误的一项，故选C。"),
        Reply("A", "①②正确，③④错误，故选A。"),
        Reply("B", "A（×）：与材料无关\nB（√）：符合材料主旨\nC（×）：说法绝对\nD（×）：因果倒置"),
        Reply("C", "【A项】时间错误；【B项】地点错误；【C项】完全正确；【D项】人物错误。"),
    ],
    "self-correction": [
        Reply("A", "答案应该是D。哦不，看错了，题目问的是“不属于”，那么答案应该是A。"),
        Reply("B", "**答案：A**\n\n验证：代入x=2，左边=5，右边=7，不成立。因此A错误，应选**B**。"),
    ],
    "negation": [
        Reply("D", "如果只看第一段会选A，但结合全文，应当选D。"),
        Reply("C", "B项容易误选，但其与文意相悖；本题应选C项。"),
        Reply("B", "四个选项中，A、C、D都可以排除，答案不言而喻是B。"),
    ],
    "hedge": [
        Reply("A", "严格来说A和C都说得通，如果只能选一个，我选A。"),
        Reply(None, "无法在B和D之间做出判断。"),
    ],
    "other letters": [
        Reply("C", "过点A作BC的垂线，垂足为D，则AD=4，面积为12，对应选项C。"),
        Reply(None, "甲型流感病毒属于RNA病毒，A型血的人也会感染。请咨询医生。"),
    ],
    "ordinal": [
        Reply("B", "第一项和第三项都不符合题意，第二项符合题意，因此选第二项。"),
    ],
    "traditional": [
        Reply("B", "根據文章第三段，選項B最為恰當，因此我會選擇B。"),
        Reply("C", "這不是A，也不是D，而應該是C。"),
        Reply("D", "【答案】(D)\n【說明】甲、乙、丙均為錯誤敘述。"),
    ],
}
