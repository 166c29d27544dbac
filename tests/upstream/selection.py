"""Which evals of upstream's registry are compared: read from its YAML, without its code and without ours.

(The brief called this module `select`; a file of that name beside a script hides the standard library's
`select`.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Class path in upstream's YAML -> short name. Only these classes belong to the runner's core.
CORE_CLASSES = {
    "evals.elsuite.basic.match:Match": "Match",
    "evals.elsuite.basic.includes:Includes": "Includes",
    "evals.elsuite.basic.fuzzy_match:FuzzyMatch": "FuzzyMatch",
    "evals.elsuite.basic.json_match:JsonMatch": "JsonMatch",
    "evals.elsuite.basic.json_validator:JsonValidator": "JsonValidator",
    "evals.elsuite.basic.match_with_solvers:MatchWithSolvers": "MatchWithSolvers",
    "evals.elsuite.modelgraded.classify:ModelBasedClassify": "ModelBasedClassify",
    "evals.elsuite.translate:Translate": "Translate",
    "evals.elsuite.multiple_choice:MultipleChoice": "MultipleChoice",
    "evals.elsuite.lambada:Lambada": "Lambada",
    "evals.elsuite.test.match:TestMatch": "TestMatch",
}

_SPEC_FIELDS = {"class", "args"}


@dataclasses.dataclass(frozen=True)
class CoreEval:
    """One eval of a core class, as upstream's YAML describes it."""

    key: str
    """The resolved key, `base.split...`."""
    names: tuple[str, ...]
    """Every name that leads to the key, the key itself included, in registry order."""
    kind: str
    """Short class name, a value of `CORE_CLASSES`."""
    args: Mapping[str, Any]
    metrics: tuple[str, ...]
    """What the alias (the base eval) declares; upstream does not use it in a run."""
    files: tuple[str, ...]
    """Data files relative to the registry's `data`."""
    unknown_fields: tuple[str, ...]
    """Fields besides `class` and `args`; upstream's data classes drop them silently."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One run to be made on both sides."""

    eval: str
    why: str
    completion_fn: str = "gpt-3.5-turbo"
    max_samples: int = 20
    extra_eval_params: str = ""
    completion_args: str = ""
    own_samples: bool = False
    """The samples stand in the class's code, each runner's its own: only the report's keys are compared."""

    @property
    def name(self) -> str:
        """Name for test ids and file names."""
        return f"{self.eval}@{self.completion_fn}".replace("/", "_").replace(",", "+")


def _load(texts: Mapping[str, str]) -> dict[str, Any]:
    """All entries of YAML files, in file order then entry order; the later of two equal names wins."""
    entries: dict[str, Any] = {}
    for text in texts.values():
        content = yaml.load(text, Loader=_LOADER)
        if isinstance(content, dict):
            entries.update(content)
    return entries


def _resolve(entries: Mapping[str, Any], name: str) -> str | None:
    """Follow aliases to the key they end at; None if an alias leads nowhere."""
    for _ in range(len(entries)):
        entry = entries.get(name)
        if entry is None:
            return None
        if isinstance(entry, str):
            name = entry
        elif "id" in entry:
            name = entry["id"]
        else:
            return name
    return None


def core_evals_of(texts: Mapping[str, str]) -> list[CoreEval]:
    """The evals of the core classes in these YAML texts (path -> text), one for each resolved key."""
    entries = _load(texts)
    names: dict[str, list[str]] = {}
    for name in entries:
        key = _resolve(entries, name)
        if key is not None:
            names.setdefault(key, []).append(name)
    found = []
    for key, aliases in names.items():
        entry = entries[key]
        kind = CORE_CLASSES.get(entry.get("class", ""))
        if kind is None or len(key.split(".")) < 2:
            continue
        args = entry.get("args") or {}
        metrics = [m for a in aliases if isinstance(entries[a], dict) for m in entries[a].get("metrics") or []]
        files = [args[field] for field in ("samples_jsonl", "few_shot_jsonl") if args.get(field)]
        found.append(
            CoreEval(
                key=key,
                names=tuple(aliases),
                kind=kind,
                args=args,
                metrics=tuple(dict.fromkeys(metrics)),
                files=tuple(files),
                unknown_fields=tuple(sorted(set(entry) - _SPEC_FIELDS)),
            )
        )
    return found


def core_data_files(texts: Mapping[str, str]) -> set[str]:
    """Paths below `data` that evals of the core classes read."""
    return {file for item in core_evals_of(texts) for file in item.files}


def core_evals(registry: Path) -> list[CoreEval]:
    """The evals of the core classes in a registry directory."""
    files = sorted((registry / "evals").glob("*.yaml"))
    return core_evals_of({str(file): file.read_text(encoding="utf-8") for file in files})


def why_not_runnable(item: CoreEval, registry: Path) -> str | None:
    """The reason why an eval cannot run offline from the unpacked registry, or None if it can."""
    for file in item.files:
        path = registry / "data" / file
        if not path.exists():
            return f"no data file {file} (absent from the wheel, or above the size limit of the unpacking)"
        with open(path, "rb") as handle:
            if handle.read(40).startswith(b"version https://git-lfs"):
                return f"{file} is a git-lfs pointer"
    if item.kind in {"MultipleChoice", "Lambada"}:
        return "needs a dataset of the Hugging Face hub"
    return None


def _cases(evals: Iterable[tuple[str, str]], **common: Any) -> list[Case]:
    return [Case(eval=name, why=why, **common) for name, why in evals]


#: The evals of upstream's own registry that both sides run, with what each of them is there for.
UPSTREAM_CASES: list[Case] = [
    *_cases(
        [
            ("coqa-match", "Match, long chat prompts"),
            ("us-tort-law.dev.v0", "Match with 4 few-shot examples"),
            ("cissp-study-questions.test.v1", "Match, few-shot, letters A to D"),
            ("russe.test.v0", "Match, few-shot, Cyrillic"),
            ("music-theory-tetrads-identification.dev.v0", "Match with 15 few-shot examples"),
            ("arithmetical_puzzles.dev.v0", "Match, ideal sometimes a list"),
            ("canto_wu_pronunciation_fewshot.dev.v0", "Match, Chinese, several ideals"),
            ("japanese-itpassport-exam01.dev.v0", "Match, Japanese"),
            ("korean_spelling.dev.v0", "Match, Korean"),
            ("logiqa.dev.v0", "Match, multiple choice"),
            ("test-includes", "Includes"),
            ("test-includes-ignore-case", "Includes, ignore_case, several ideals"),
            ("bias_detection.dev.v0", "Includes, ignore_case"),
            ("korean_romanization.dev.v0", "Includes, ignore_case, Korean"),
            ("chinese_ancient_poetry.dev.v0", "Includes, Chinese"),
            ("convert_num_to_chinese_upper_case_num.dev.v0", "Includes, Chinese numerals, several ideals"),
            ("math_equations.dev.v0", "Includes, ideal str or list"),
            ("test-fuzzy-match", "FuzzyMatch"),
            ("emoji-riddle", "FuzzyMatch, emoji"),
            ("belarusian-rhyme.dev.v0", "FuzzyMatch, ideal str or list"),
            ("test_japanese_radical.dev.v0", "FuzzyMatch, Japanese"),
            ("marxist_philosophy_exam_simple.dev.v0", "FuzzyMatch, Chinese exam"),
            ("logic-grid.dev.v0", "FuzzyMatch with max_tokens"),
            ("icelandic-inflection-easy.dev.v0", "JsonMatch, nested objects, Icelandic"),
            ("icelandic-inflection-hard.dev.v0", "JsonMatch"),
            ("chinese_hard_translations.dev.v0", "Translate, Chinese to English"),
            ("manga-translation-bubble.dev.v0", "Translate, Japanese to English"),
            ("coqa-fact", "judge fact, cot_classify"),
            ("coqa-fact-expl", "judge fact, classify_cot"),
            ("soc_codes.dev.v0", "judge fact, classify"),
            (
                "chinese_idioms.dev.v0",
                "judge fact, Chinese, ideal a list (its Python repr reaches the judge)",
            ),
            ("hard_russian_computer_science_tasks.dev.v0", "judge fact, Cyrillic, code with braces"),
            ("coqa-closedqa-correct", "judge closedqa, eval_type of the spec, criteria from the spec's args"),
            ("abstract2title.test.v1", "judge closedqa"),
            ("non-compound-names.dev.v0", "judge closedqa, criteria given as a mapping"),
            ("non-compound-names-meta.dev.v0", "metaeval of closedqa"),
            ("coq-editing.dev.v0", "closedqa, criteria from the sample, both eval types"),
            ("joke-fruits", "judge humor, text prompts"),
            (
                "joke-fruits-v2",
                "the judge's spec has an unknown field and shows neither input nor completion",
            ),
            ("joke-fruits-likert", "judge humor_likert, choice_scores from_strings"),
            ("joke-fruits-meta", "metaeval, cot_classify"),
            ("joke-fruits-expl-meta", "metaeval, classify_cot"),
            ("joke-fruits-ans-meta", "metaeval, classify"),
            ("mg-humor-people_jp.dev.v0", "judge humor_jp, cot_classify_jp"),
            ("japanese_onomatopoeia.dev.v0", "judge with six scored choices, Japanese"),
            ("diversity", "multicomp_n 4 from one model"),
            ("joke-animals-vs-fruits", "judge battle, two inputs"),
            ("rap-people-vs-people", "judge battle"),
            ("spider-sql.dev.v0", "judge sql, Correct is a suffix of Incorrect"),
            ("co-sql.dev.v0", "judge sql, ideal a list"),
            ("iqbal-poetry-translation.dev.v0", "judge translation, Urdu, spec args"),
            ("arithmetic-expression-meta.dev.v0", "metaeval Y/N, braces in texts"),
            ("naughty_strings_graded_meta.test.v1", "hostile strings; the entry has an unknown field"),
            ("seo-keywords.dev.v0", "from_strings 0 to 3, the spec names `input` twice"),
            ("research-question-extraction.dev.v0", "from_strings 1 to 5"),
            ("logic-container.dev.v0", "judge possible"),
            ("theory_of_mind.hitom", "MatchWithSolvers"),
            ("theory_of_mind.socialiqa_light", "MatchWithSolvers, n_samples"),
        ]
    ),
    Case("best", "judge best, from_n, several policies and a judge", "gpt-3.5-turbo,gpt-4,gpt-3.5-turbo-16k"),
    Case("coqa-fact", "policy and judge are two models", "gpt-3.5-turbo,gpt-4"),
    Case("test-match", "samples in the class", own_samples=True),
    Case("test-match", "dummy", "dummy", own_samples=True),
    Case("test-includes", "dummy", "dummy"),
    Case("coqa-fact", "dummy is policy and judge", "dummy"),
    Case("theory_of_mind.hitom_light", "dummy becomes a solver", "dummy"),
    Case("test-fuzzy-match", "chat prompts rendered for the text endpoint", "gpt-3.5-turbo-instruct"),
    Case("coqa-fact", "judge over the text endpoint", "gpt-3.5-turbo-instruct"),
    Case("russe.test.v0", "few-shot over the text endpoint", "gpt-3.5-turbo-instruct"),
    Case("logic-grid.dev.v0", "parameters of the command line", "gpt-4", extra_eval_params="max_tokens=7"),
]
