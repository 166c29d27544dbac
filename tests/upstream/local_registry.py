"""A small registry for what upstream's does not use: written by the tests, run by both sides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from .selection import Case
from .stubs.datasets import file_name

_FRUITS = [
    "苹果",
    "banane",
    "яблоко",
    "naïve fig",
    "{plum}",
    "a pear",
    "'lime'",
    "グレープ",
    "The kiwi",
    "mango\nwine",
]


def _numbers(count: int) -> list[dict[str, Any]]:
    """Text prompts with ideals of every allowed shape."""
    rows: list[dict[str, Any]] = []
    for i in range(count):
        fruit = _FRUITS[i % len(_FRUITS)]
        ideal: Any = [fruit, [fruit], [fruit, fruit.upper(), str(i)], str(i)][i % 4]
        rows.append({"input": f"Question {i}: which fruit is {fruit}? 请回答。", "ideal": ideal})
    return rows


def _chats(count: int) -> list[dict[str, Any]]:
    rows = []
    for i, row in enumerate(_numbers(count)):
        chat: list[dict[str, str]] = [
            {"role": "system", "content": "Reply briefly."},
            {"role": "system", "name": "example_user", "content": "2+2?"},
            {"role": "system", "name": "example_assistant", "content": "4"},
            {"role": "user", "content": row["input"]},
        ]
        rows.append({"input": chat[3:] if i % 3 == 0 else chat, "ideal": row["ideal"]})
    return rows


def _json_rows(count: int) -> list[dict[str, Any]]:
    shapes: list[Any] = [
        {"a": 1, "b": [1, 2.0, None]},
        [1, "二", {"x": True}],
        "plain",
        3.5,
        None,
        {"a": {"b": {"c": []}}, "ключ": "值"},
        True,
    ]
    return [
        {
            "input": f"Give item {i} as JSON.",
            "ideal": json.dumps(shapes[i % len(shapes)], ensure_ascii=i % 2 == 0),
        }
        for i in range(count)
    ]


def _graded(count: int) -> list[dict[str, Any]]:
    return [
        {**row, "criteria": f"Is {{it}} about {_FRUITS[i % len(_FRUITS)]}?", "extra": {"ignored": i}}
        for i, row in enumerate(_chats(count))
    ]


_JUDGE = "Local judge {kind}. The task was:\n{{input}}\nThe answer was:\n{{completion}}\n[END OF ANSWER] Decide."

_SPECS: dict[str, Any] = {
    "local-letters": {
        "prompt": _JUDGE.format(kind="letters"),
        "choice_strings": "ABC",
        "choice_scores": {"A": 1.0, "B": 0.25, "C": -1.0},
        "input_outputs": {"input": "completion"},
    },
    "local-words": {
        "prompt": _JUDGE.format(kind="words"),
        "choice_strings": ["Good", "Not good", "Bad", "不好", "好"],
        "choice_scores": {"Good": 1, "Not good": 0.5, "Bad": 0, "不好": 0, "好": 1},
        "input_outputs": {"input": "completion"},
    },
    "local-criteria": {
        "prompt": ("Local judge criteria {criteria}.\n{input}\n{completion}\n{note}\n[END OF ANSWER] Met? {{Y or N}}"),
        "choice_strings": ["Y", "N"],
        "eval_type": "classify",
        "input_outputs": {"input": "completion"},
    },
    "local-abc": {
        "prompt": "Local judge abc: which of {n} is best?\n{input}\n{completion}\n[END OF ANSWER] Letter?",
        "choice_strings": "from_n_abc",
        "input_outputs": {"input": "completion"},
        "output_template": "{i}/{i_abc}/{i_ABC} of {n}: {output}\n",
    },
    "local-ABC": {
        "prompt": "Local judge ABC: which of {n} is best?\n{input}\n{completion}\n[END OF ANSWER] Letter?",
        "choice_strings": "from_n_ABC",
        "input_outputs": {"input": "completion"},
        "output_template": "({i_ABC}) {output}\n\n",
    },
}


def _graded_eval(spec: str, **args: Any) -> dict[str, Any]:
    return {
        "class": "evals.elsuite.modelgraded.classify:ModelBasedClassify",
        "args": {"samples_jsonl": "local/graded.jsonl", "modelgraded_spec": spec, **args},
    }


def _basic(path: str, data: str, **args: Any) -> dict[str, Any]:
    return {"class": f"evals.elsuite.{path}", "args": {"samples_jsonl": f"local/{data}.jsonl", **args}}


_EVALS: dict[str, dict[str, Any]] = {
    "local-json-validator.dev.v0": _basic("basic.json_validator:JsonValidator", "json"),
    "local-json-match.dev.v0": _basic("basic.json_match:JsonMatch", "json", max_tokens=99),
    "local-match-text.dev.v0": _basic("basic.match:Match", "text"),
    "local-match-chat.dev.v0": _basic("basic.match:Match", "chat"),
    "local-match-few.dev.v0": _basic("basic.match:Match", "chat", num_few_shot=3, few_shot_jsonl="local/few.jsonl"),
    "local-includes-text.dev.v0": _basic("basic.includes:Includes", "text"),
    "local-includes-case.dev.v0": _basic("basic.includes:Includes", "chat", ignore_case=True),
    "local-fuzzy-text.dev.v0": _basic("basic.fuzzy_match:FuzzyMatch", "text"),
    "local-fuzzy-chat.dev.v0": _basic("basic.fuzzy_match:FuzzyMatch", "chat", max_tokens=11),
    "local-translate-few.dev.v0": _basic(
        "translate:Translate", "translate", num_few_shot=2, few_shot_jsonl="local/few.jsonl"
    ),
    "local-empty-answer.dev.v0": _basic("basic.match:Match", "silence"),
    "local-one-sample.dev.v0": _basic("basic.includes:Includes", "one"),
    "local-solver.dev.v0": _basic(
        "basic.match_with_solvers:MatchWithSolvers",
        "solver",
        task_description="Name the fruit.",
        n_samples=15,
    ),
    "local-solver-ordered.dev.v0": _basic(
        "basic.match_with_solvers:MatchWithSolvers", "solver", task_description="Name it.", shuffle=False
    ),
    "local-letters-classify.dev.v0": _graded_eval("local-letters", eval_type="classify"),
    "local-letters-cot.dev.v0": _graded_eval("local-letters", eval_type="cot_classify"),
    "local-letters-exact.dev.v0": _graded_eval("local-letters", eval_type="cot_classify", match_fn="exact"),
    "local-words-ends.dev.v0": _graded_eval("local-words", eval_type="classify_cot", match_fn="endswith"),
    "local-words-both.dev.v0": _graded_eval("local-words", eval_type="cot_classify", match_fn="starts_or_endswith"),
    "local-criteria.dev.v0": _graded_eval(
        "local-criteria",
        modelgraded_spec_args={"note": "Note {as it is}."},
        eval_kwargs={"max_tokens": 5, "temperature": 1},
        sample_kwargs={"max_tokens": 33},
    ),
    "local-abc.dev.v0": _graded_eval("local-abc", eval_type="classify", multicomp_n=3),
    "local-ABC.dev.v0": _graded_eval("local-ABC", eval_type="cot_classify", multicomp_n="from_models"),
    "local-hellaswag.dev.v0": {
        "class": "evals.elsuite.multiple_choice:MultipleChoice",
        "args": {"dataset": "hf://hellaswag?split=validation", "instructions": "Choose the continuation."},
    },
    "local-mmlu.dev.v0": {
        "class": "evals.elsuite.multiple_choice:MultipleChoice",
        "args": {"dataset": "hf://hendrycks_test?name=anatomy&split=test"},
    },
    "local-lambada.dev.v0": {"class": "evals.elsuite.lambada:Lambada", "args": {"subset": "zh"}},
}

_COT: dict[str, Any] = {
    "class": "evals.completion_fns.cot:ChainOfThoughtCompletionFn",
    "args": {
        "cot_completion_fn": "gpt-3.5-turbo",
        "cot_template": "\nThink first.",
        "extract_answer_template": "\nNow the answer alone:",
    },
}
_COMPLETION_FNS: dict[str, Any] = {
    "local-cot": _COT,
    "local-cot-two": {**_COT, "args": {**_COT["args"], "extract_completion_fn": "gpt-4"}},
}
_COT_ARGS = "cot_completion_fn=gpt-4"

LOCAL_CASES: list[Case] = [
    Case(
        eval=name,
        why="our own registry",
        completion_fn="gpt-3.5-turbo,gpt-4,gpt-3.5-turbo-16k" if name == "local-ABC.dev.v0" else "gpt-3.5-turbo",
    )
    for name in _EVALS
] + [
    Case("local-match-text.dev.v0", "text prompts to the text endpoint", "gpt-3.5-turbo-instruct"),
    Case("local-match-chat.dev.v0", "names and roles to the text endpoint", "gpt-3.5-turbo-instruct"),
    Case("local-match-chat.dev.v0", "chain of thought", "local-cot"),
    Case("local-includes-text.dev.v0", "chain of thought, two models", "local-cot-two"),
    Case("local-fuzzy-text.dev.v0", "chain of thought by arguments", "local-cot", completion_args=_COT_ARGS),
    Case("local-json-match.dev.v0", "no answer is JSON", "dummy"),
]


def write(root: Path) -> Path:
    """Write registry and datasets below `root`; returns the registry's directory."""
    registry = root / "registry"
    rows: dict[str, list[dict[str, Any]]] = {
        "text": _numbers(40),
        "chat": _chats(40),
        "json": _json_rows(28),
        "graded": _graded(20),
        "few": [{"sample": [{"role": "system", "name": "example_user", "content": f"q{i}"}]} for i in range(5)],
        "silence": [{"input": f"Say nothing at all ({i}).", "ideal": ["", "x"][i % 2]} for i in range(4)],
        "one": [{"input": "Say yes.", "ideal": "yes"}],
        "solver": [
            {"input": [{"role": "user", "content": f"Fruit {i}: {f}?"}], "ideal": [f, [f, "x"]][i % 2]}
            for i, f in enumerate(_FRUITS * 3)
        ],
        "translate": [
            {"input": row["input"], "ideal": f"Sentence number {i} has a few more words in it."}
            for i, row in enumerate(_chats(24))
        ],
    }
    for name, content in rows.items():
        _write_jsonl(registry / "data" / "local" / f"{name}.jsonl", content)
    _write_yaml(registry / "evals" / "local.yaml", _EVALS)
    _write_yaml(registry / "completion_fns" / "local.yaml", _COMPLETION_FNS)
    _write_yaml(registry / "modelgraded" / "local.yaml", _SPECS)
    letters = [{"ctx": f"Story {i} of a fruit", "endings": _FRUITS[i:][:4], "label": str(i % 3)} for i in range(6)]
    asks = [{"question": f"Bone {i}?", "choices": _FRUITS[i:][:4], "answer": i % 4} for i in range(6)]
    texts = [{"text": f"A tale {i} that ends, as tales do, with {fruit}"} for i, fruit in enumerate(_FRUITS)]
    datasets = datasets_path(root)
    _write_jsonl(datasets / file_name("hellaswag", split="validation"), letters)
    _write_jsonl(datasets / file_name("hendrycks_test", "anatomy", "test"), asks)
    _write_jsonl(datasets / file_name("EleutherAI/lambada_openai", "zh", "test"), texts)
    return registry


def datasets_path(root: Path) -> Path:
    """Where `write` puts the files that stand for datasets."""
    return root / "datasets"


def _write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
