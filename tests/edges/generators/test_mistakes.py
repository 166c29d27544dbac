"""What goes wrong in a data set's own code or in its raw files ends in one message with its place, and leaves nothing half."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.generators import World, jsonl, zip_of

from aigc_evals.generate import readers

ROWS = [{"问": "今天下雨吗？", "答": "不下"}, {"问": "明天呢？", "答": "下"}]
BASE = '''
from aigc_evals.generate import EvalKind, GenerateZh
from aigc_evals.generate.readers import find, read_csv, read_jsonl

class 天气(GenerateZh):
    """天气问答。"""

    def extract_and_save_datasets(self):
        self.save_split("validation", read_jsonl(find(self.fetch(), "validation.jsonl")))

    def format_chat_prompt(self, item):
        return self.chat(item["问"])

    def format_ideal(self, item):
        return item["答"]

class 我的(天气):
'''
SPLIT = Path("datasets/我的/validation.jsonl")


def write_class(world: World, body: str, file: str = "我的 类.py") -> None:
    text = BASE + "".join(f"    {line}\n" for line in body.splitlines())
    (world.folder / file).write_text(text, encoding="utf-8")


def refused(world: World, raw: bytes, *words: object) -> str:
    """What is said where an eval cannot be made; there is nothing of it then."""
    source = world.folder / "原始 数据"
    source.mkdir(exist_ok=True)
    (source / "validation.jsonl").write_bytes(raw)
    code, out, err = world.command("generate", "我的 类.py:我的", "--source", source, *words)
    assert (code, out) == (2, ""), err
    assert err.startswith("error: ")
    assert [path for path in Path("registry").rglob("*") if path.is_file()] == []
    assert [path.name for path in world.folder.rglob("*.tmp")] == []
    return err


def gives(value: str) -> str:
    return f"def format_one_json(self, item): return {value}"


@pytest.mark.parametrize(
    "body, told",
    [
        ("def format_one_json(self, item): raise RuntimeError('错了')", "RuntimeError: 错了\n("),
        ("def format_one_json(self, item): assert False", "as it should be: AssertionError\n("),
        (gives("None"), "format_one_json gave None where a mapping with 'input' and 'ideal' is wanted"),
        (gives("item['问']"), "format_one_json gave '今天下雨吗？' where"),
        (gives("{'ideal': '下'}"), "its row has no 'input'; it has: ideal"),
        (gives("{'input': '问'}"), "its row has no 'ideal'; it has: input"),
        (gives("{'input': b'x', 'ideal': '下'}"), "'input' must be a text or a list of messages, got b'x'"),
        (gives("{'input': [], 'ideal': '下'}"), "'input' must be a text or a list of messages, got []"),
        (gives("{'input': ['问'], 'ideal': '下'}"), "message 1 of 'input' is not an object with a role: '问'"),
        (gives("{'input': self.chat(None), 'ideal': '下'}"), "message 1 of 'input' says nothing: its content is None"),
        (gives("{'input': '', 'ideal': '下'}"), "it has no question: its 'input' is ''"),
        (gives("{'input': ' \u3000', 'ideal': '下'}"), "it has no question: its 'input' is "),
        (gives("{'input': self.chat('\\n'), 'ideal': '下'}"), "it has no question: message 1 of 'input' is '\\n'"),
        (gives("{'input': self.chat([]), 'ideal': '下'}"), "it has no question: message 1 of 'input' is []"),
        (
            gives("{'input': self.chat([{'type': 'text', 'text': ' '}]), 'ideal': '下'}"),
            "it has no question: message 1 of 'input' is [{'type': 'text', 'text': ' '}]",
        ),
        (
            gives("{'input': self.chat('问') + self.chat(''), 'ideal': '下'}"),
            "it has no question: message 2 of 'input' is ''",
        ),
        (
            gives("{'input': self.chat('') + [{'role': 'assistant', 'content': '答：'}], 'ideal': '下'}"),
            "it has no question: message 1 of 'input' is ''",
        ),
        (
            gives("{'input': [{'role': 'system', 'content': ''}], 'ideal': '下'}"),
            "it has no question: message 1 of 'input' is ''",
        ),
        (gives("{'input': '问', 'ideal': {'a': 1}}"), "'ideal' must be a text or a list of texts, got {'a': 1}"),
        (gives("{'input': '问', 'ideal': None}"), "it has no answer: its 'ideal' is None"),
        (gives("{'input': '问', 'ideal': ' '}"), "it has no answer: its 'ideal' is ' '"),
        (gives("{'input': '问', 'ideal': []}"), "it has no answer: its 'ideal' is []"),
        (gives("{'input': '问', 'ideal': float('nan')}"), "it has no answer: its 'ideal' is nan"),
        (gives("{'input': '问', 'ideal': ['下', None]}"), "it has no answer: its 'ideal' is ['下', None]"),
        ("def format_more(self, item): return None", "TypeError: "),
    ],
)
def test_a_row_that_cannot_be_made_is_named_with_its_line(body: str, told: str, world: World) -> None:
    write_class(world, body)
    err = refused(world, jsonl(ROWS))
    assert f"{SPLIT}:1: 我的: item 0 of the split 'validation' is not as it should be: " in err
    assert told in err


def test_a_row_without_a_question_is_named_with_its_line(world: World) -> None:
    write_class(world, "pass")
    err = refused(world, jsonl([*ROWS, {"问": " ", "答": "下"}]))
    assert f"{SPLIT}:3: 我的: item 2 of the split 'validation' is not as it should be: it has no question" in err


def test_a_question_may_be_a_picture_and_a_turn_before_it_blank(world: World) -> None:
    picture = "[{'type': 'image_url', 'image_url': {'url': 'https://example.org/1.png'}}]"
    write_class(world, gives(f"{{'input': self.chat('') + self.chat({picture}), 'ideal': item['答']}}"))
    (world.folder / "validation.jsonl").write_bytes(jsonl(ROWS))
    assert len(world.generate("我的 类.py:我的", {}, "--source", "validation.jsonl").rows) == 2


@pytest.mark.parametrize("row", [{"问": "后天呢？"}, {"问": "后天呢？", "答": None}, {"问": "后天呢？", "答": ""}])
def test_a_row_without_a_label_is_named_with_its_line(row: object, world: World) -> None:
    write_class(world, "pass")
    err = refused(world, jsonl([*ROWS, row]))
    assert f"{SPLIT}:3: 我的: item 2 of the split 'validation'" in err


@pytest.mark.parametrize(
    "body, told",
    [
        ("pass", "there is no field '问' in it; its fields: 题, 答\n"),
        ("def format_ideal(self, item): return item['题']['甲']", "there is no field '问' in it"),
        (
            "def format_chat_prompt(self, item): return self.chat(item['题']['甲'])",
            "there is no field '甲' in it; its fields: 乙\n",
        ),
        ("def format_one_json(self, item): return {}['问']", "KeyError: '问'\n("),
        ("def format_one_json(self, item): return {'下': 1}[item['答']]", "KeyError: '不下'\n("),
        (
            "def format_one_json(self, item): return {'input': item.get('问', 'x'), 'ideal': item['解']}",
            "no field '解' in it",
        ),
    ],
)
def test_a_field_that_an_item_lacks_is_named(body: str, told: str, world: World) -> None:
    write_class(world, body)
    err = refused(world, jsonl([{"题": {"乙": "今天下雨吗？"}, "答": "不下"}]))
    assert f"{SPLIT}:1: 我的: item 0 of the split 'validation' is not as it should be: " in err
    assert told in err


@pytest.mark.parametrize(
    "file, content, told",
    [
        ("x.jsonl", jsonl([{"q": {"a": 1}}, {"q": {"b": 1}}]), "x.jsonl:2: there is no field 'a' in it; its fields: b"),
        ("x.jsonl", jsonl([{"q": {"a": 1}}, {}]), "x.jsonl:2: there is no field 'q' in it; its fields: none"),
        ("x.json", b'[{"q": {"a": 1}},\n{"q": {"b": 1}}]', "x.json: there is no field 'a' in it; its fields: b"),
        ("x.csv", "q,答\n1,2\n".encode(), "x.csv:2: there is no field 'a' in it; its fields: q, 答"),
    ],
)
def test_a_field_that_a_raw_row_lacks_is_named_with_its_line(
    file: str, content: bytes, told: str, world: World
) -> None:
    wanted = "row['a']" if file.endswith("csv") else "row['q']['a']"
    write_class(
        world,
        "def extract_and_save_datasets(self):\n"
        "    from aigc_evals.generate.readers import read_json\n"
        "    path = find(self.fetch(), 'x.*')\n"
        "    rows = {'.csv': read_csv, '.json': read_json, '.jsonl': read_jsonl}[path.suffix](path)\n"
        f"    self.save_split('validation', ({wanted} for row in rows))",
    )
    (world.folder / "原始 数据").mkdir()
    (world.folder / "原始 数据" / file).write_bytes(content)
    assert told in refused(world, b"")


def test_a_field_that_a_raw_row_lacks_may_be_done_without(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(jsonl([{"a": 1}]))
    row = next(readers.read_jsonl(path))
    assert (row.get("b"), row.get("b", 2), "b" in row, row == {"a": 1}) == (None, 2, False, True)
    with pytest.raises(KeyError, match="there is no field 'b'"):
        row["b"]


@pytest.mark.parametrize(
    "row, told",
    [
        ({"问": "选哪个？", "答": "E", "选": ["甲", "乙"]}, "its 'ideal' is 'E', which is none of its options A, B\n"),
        (
            {"问": "选哪个？", "答": "AB", "选": ["甲", "乙"]},
            "its 'ideal' is 'AB', which is none of its options A, B\n",
        ),
        (
            {"问": "选哪个？", "答": ["A", "丙"], "选": {"A": "甲"}},
            "its 'ideal' is '丙', which is none of its options A\n",
        ),
        (
            {"问": "选哪个？", "答": "A", "选": "甲"},
            "'choices' must be texts by letter, a list of texts, or their number",
        ),
    ],
)
def test_an_answer_that_is_none_of_the_options_is_named_with_its_line(row: object, told: str, world: World) -> None:
    write_class(world, "evals = ('fact', 'choice')\ndef format_more(self, item): return {'choices': item['选']}")
    err = refused(world, jsonl([{"问": "?", "答": "B", "选": ["甲", "乙"]}, row]))
    assert f"{SPLIT}:2: 我的: item 1 of the split 'validation' is not as it should be: {told}" in err


def test_several_letters_are_an_answer_where_the_eval_wants_several(world: World) -> None:
    kind = "EvalKind('choice', GenerateZh.kinds['choice'].cls, args={'multiple': True})"
    write_class(world, f"evals = ({kind},)\ndef format_more(self, item): return {{'choices': 3}}")
    (world.folder / "validation.jsonl").write_bytes(jsonl([{"问": "选哪些？", "答": "AC"}]))
    made = world.generate("我的 类.py:我的", {}, "--source", "validation.jsonl")
    assert made.rows[0]["ideal"] == "AC"


@pytest.mark.parametrize(
    "body, told",
    [
        ("class_name = '../up'", "[class_name]: '../up' cannot be a name here"),
        ("class_name = ''", "[class_name]: '' cannot be a name here"),
        ("class_name = 'a/b'", "[class_name]: 'a/b' cannot be a name here"),
        ("evals = 'match'", "expected a list of ways of scoring\nOne alone is ('match',)"),
        ("evals = (3,)", "names a way of scoring 3"),
        ("d_url = 5", "[d_url]: expected an address, several, or names with addresses, got 5"),
        ("d_url = {'a': 5}", "[d_url.a]: expected an address"),
        (
            "d_url = 'example.org/x.zip'",
            "[d_url]: no address to fetch a file from: 'example.org/x.zip'\nAddresses begin",
        ),
        (
            "def __init__(self, config): pass",
            "cannot be made: got an unexpected keyword argument 'out'\nA constructor of its own",
        ),
        (
            "def __init__(self, *a, **k): self.x = 1",
            "[__init__]: 我的 类.py:我的 was not made: its constructor did not hand its arguments on\n"
            "It must call super().__init__(*args, **kwargs)",
        ),
        ("def __init__(self, *a, **k): super().__init__()", "was not made: its constructor did not hand"),
        ("def __init__(self, *a, **k): {}['x']", "cannot be made from its arguments: KeyError: 'x'\n("),
        ("def format_one_yaml(self): return None", "format_one_yaml gave NoneType where names with their entries"),
        ("def format_one_yaml(self): return 'a: ['", "format_one_yaml gave what is no YAML in line 1: "),
        ("def format_one_yaml(self): return {'a': object()}", "format_one_yaml gave what is no YAML: cannot represent"),
        ("def format_one_yaml(self): raise KeyError('x')", "我的: its evals cannot be written: KeyError: 'x'\n("),
        ("def extract_and_save_datasets(self): pass", "after its raw files were read\nextract_and_save_datasets is to"),
        ("def extract_and_save_datasets(self): self.save_split('../x', [{}])", "[split]: '../x' cannot be a name here"),
        ("def extract_and_save_datasets(self): self.save_split('dev', [{}])", "with --split: dev\n"),
        ("def extract_and_save_datasets(self): self.save_split('validation', [])", "'validation' of 我的 has no items"),
        ("def extract_and_save_datasets(self): self.save_split('validation', None)", "cannot be made: TypeError: "),
    ],
)
def test_what_a_class_says_wrongly_of_itself_is_told(body: str, told: str, world: World) -> None:
    write_class(world, body)
    assert told in refused(world, jsonl(ROWS))
    assert sorted(path.name for path in world.folder.rglob("x.jsonl")) == [], "nothing outside its folder"


def test_a_file_that_is_missing_while_a_split_is_read_is_no_disk_that_cannot_be_written(world: World) -> None:
    write_class(world, "def extract_and_save_datasets(self): self.save_split('validation', map(open, ['nowhere']))")
    err = refused(world, b"")
    assert "我的: the split 'validation' cannot be made: FileNotFoundError: " in err
    assert "cannot be written" not in err


@pytest.mark.parametrize(
    "raw, told",
    [
        (b"\n\n", "has no items"),
        (jsonl(ROWS)[:-9], "validation.jsonl:2:18: not JSON"),
        (jsonl(ROWS) + b"\x00\x00\n", "validation.jsonl: there are NUL bytes in it, so it is damaged or no plain text"),
        (b"\x81\xff\n", "validation.jsonl: neither UTF-8 nor GB 18030"),
        (jsonl(ROWS).decode().encode("utf-16"), "It looks like utf-16. If it is: iconv -f utf-16 -t utf-8 FILE"),
        (jsonl([{"q": "is it"}]).decode().encode("utf-16-le"), "It looks like utf-16-le."),
    ],
)
def test_a_raw_file_that_cannot_be_read_is_named(raw: bytes, told: str, world: World) -> None:
    write_class(world, "pass")
    assert told in refused(world, raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + jsonl(ROWS),
        jsonl(ROWS).replace(b"\n", b"\r\n"),
        jsonl(ROWS).decode().encode("gb18030"),
        jsonl(ROWS).rstrip(b"\n"),
    ],
)
def test_marks_line_ends_and_encodings_make_no_difference(raw: bytes, world: World) -> None:
    write_class(world, "pass")
    (world.folder / "validation.jsonl").write_bytes(raw)
    made = world.generate("我的 类.py:我的", {}, "--source", "validation.jsonl", "--out", "我的 registry/甲 乙")
    assert [row["ideal"] for row in made.rows] == ["不下", "下"]
    assert "--registry_path '我的 registry/甲 乙'" in made.said


def test_numbers_tuples_and_sets_are_ideals_too(world: World) -> None:
    write_class(world, "def format_ideal(self, item): return 3 if item['答'] == '下' else ('不下', 4.5)")
    (world.folder / "validation.jsonl").write_bytes(jsonl(ROWS))
    made = world.generate("我的 类.py:我的", {}, "--source", "validation.jsonl")
    assert [row["ideal"] for row in made.rows] == [["不下", "4.5"], "3"]


@pytest.mark.parametrize("members", ["'validation.jsonl'", "('raw/*.jsonl',)"])
def test_a_class_says_which_files_of_its_archive_it_wants(members: str, world: World) -> None:
    write_class(world, f"d_url = 'https://example.org/x.zip'\nmembers = {members}")
    files = {"raw/validation.jsonl": jsonl(ROWS), "raw/corpus.txt": b"0" * 9999}
    made = world.generate("我的 类.py:我的", {"https://example.org/x.zip": zip_of(files)})
    assert [row["ideal"] for row in made.rows] == ["不下", "下"]
    assert world.unpacked("我的") == {"validation.jsonl"}


def test_what_is_wanted_of_an_archive_may_change(world: World) -> None:
    address = "https://example.org/x.zip"
    write_class(world, f"d_url = '{address}'\nmembers = ('validation.jsonl',)")
    files = {"validation.jsonl": jsonl(ROWS), "more.jsonl": jsonl(ROWS[:1])}
    world.generate("我的 类.py:我的", {address: zip_of(files)})
    (world.folder / SPLIT).unlink()
    write_class(world, f"d_url = '{address}'", "all.py")
    world.generate("all.py:我的", {})
    assert world.unpacked("我的") == set(files)
    assert len(world.publisher.requests) == 1


def test_rows_for_an_eval_class_of_one_s_own_need_no_answer(world: World) -> None:
    write_class(world, "evals = (EvalKind('own', 'm:C'),)\ndef format_one_json(self, item): return {'q': item['问']}")
    (world.folder / "validation.jsonl").write_bytes(jsonl(ROWS))
    assert world.generate("我的 类.py:我的", {}, "--source", "validation.jsonl").rows == [
        {"q": row["问"]} for row in ROWS
    ]


@pytest.mark.parametrize(
    "body, told",
    [
        (
            "def format_one_json(self, item): return {'input': item['问'], 'ideal': item['答']}",
            "before a chat prompt only",
        ),
        ("def format_example(self, item, ideal): raise KeyError('way')", "KeyError: 'way'\n("),
    ],
)
def test_examples_that_cannot_be_made_are_told(body: str, told: str, world: World) -> None:
    write_class(world, f"few_shot_split = 'validation'\n{body}")
    assert told in refused(world, jsonl(ROWS), "--few_shot", 1)


def test_an_example_without_a_label_is_named_with_its_line(world: World) -> None:
    write_class(
        world,
        "def extract_and_save_datasets(self):\n"
        "    super().extract_and_save_datasets()\n"
        "    self.save_split('train', [{'问': '昨天呢？'}])",
    )
    err = refused(world, jsonl(ROWS), "--few_shot", 1)
    assert "datasets/我的/train.jsonl:1: 我的: item 0 of the split 'train'" in err.replace("\\", "/")


def test_a_split_that_was_being_written_when_its_class_failed_is_not_taken_for_whole(world: World) -> None:
    half = (
        "def extract_and_save_datasets(self):\n"
        "    with open(self.this_dataset_path / 'validation.jsonl', 'w', encoding='utf-8') as out:\n"
        '        out.write(\'{"问": "一半", "答": "下"}\\n\')\n'
        "        raise ValueError('half')"
    )
    write_class(world, half)
    code, _, err = world.command("generate", "我的 类.py:我的")
    assert (code, "ValueError: half" in err) == (2, True)
    assert not SPLIT.exists()


@pytest.mark.parametrize("flag", ["--out", "--source", "--folder", "--split", "--subset"])
def test_a_flag_with_an_empty_value_is_refused(flag: str, world: World) -> None:
    code, out, err = world.command("generate", "BoolQ", flag, "")
    assert (code, out) == (2, "")
    assert f"{flag} is empty" in err
    assert list(world.folder.iterdir()) == []
