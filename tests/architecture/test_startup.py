"""Starting is cheap and needs nothing; what is public stays public."""

from __future__ import annotations

import dataclasses
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from modules import ROOT, modules
from support import cli

import aigc_evals
from aigc_evals.cli.flags import RUN_FLAGS, SET_FLAGS, Flag
from aigc_evals.runner import RunConfig

HEAVY = (
    "asyncio",
    "aiohttp",
    "openai",
    "numpy",
    "yaml",
    "requests",
    "orjson",
    "tqdm",
    "blobfile",
    "uvloop",
    "sqlalchemy",
)

_PUBLIC = """
    __version__
    CompletionFn CompletionResult DummyCompletionFn TextResult record_and_check_match
    Outcome RunResult
    OpenAIChatCompletionFn OpenAICompletionFn OpenAICompletionResult
    get_csv get_json get_jsonl get_jsonls get_lines iter_jsonls jsondump jsondumps jsonload jsonloads
    AigcEvalsError EndpointError RunError SampleError UsageError
    Eval run_set NamedModel Registry RunConfig run
"""

UPSTREAM = {
    "": """
        CompletionFn CompletionResult DummyCompletionFn Eval OpenAIChatCompletionFn OpenAICompletionFn
        OpenAICompletionResult get_csv get_json get_jsonl get_jsonls get_lines iter_jsonls jsondump jsondumps jsonload
        jsonloads record_and_check_match
        api base data eval formatting metrics prompt record registry elsuite
    """,
    "api": "CompletionFn CompletionResult DummyCompletionFn DummyCompletionResult record_and_check_match",
    "base": "BaseEvalSpec CompletionFnSpec EvalSetSpec EvalSpec RunSpec",
    "completion_fns.cot": "ChainOfThoughtCompletionFn",
    "completion_fns.openai": """
        OpenAIBaseCompletionResult OpenAIChatCompletionFn OpenAIChatCompletionResult OpenAICompletionFn
        OpenAICompletionResult
    """,
    "data": """
        get_csv get_json get_jsonl get_jsonls get_lines gzip_open iter_jsonls jsondump jsondumps jsonload jsonloads
        lz4_open open_by_file_pattern zstd_open
    """,
    "elsuite.basic.fuzzy_match": "FuzzyMatch",
    "elsuite.basic.includes": "Includes",
    "elsuite.basic.json_match": "JsonMatch json_match",
    "elsuite.basic.json_validator": "JsonValidator is_valid_json",
    "elsuite.basic.match": "Match",
    "elsuite.basic.match_with_solvers": "MatchWithSolvers",
    "elsuite.lambada": "Lambada",
    "elsuite.modelgraded.base": "ModelGradedSpec",
    "elsuite.modelgraded.classify": "ModelBasedClassify",
    "elsuite.modelgraded.classify_utils": """
        ANSWER_PROMPTS INVALID_STR MATCH_FNS append_answer_prompt choice_to_str classify concat_n_completions
        get_choice get_choice_score get_choice_strings sample_and_concat_n_completions
    """,
    "elsuite.multiple_choice": "MultipleChoice",
    "elsuite.translate": "Translate",
    "elsuite.utils": """
        PromptFn f1_score format_necessary format_prompt fuzzy_match get_answer get_consensus get_letter_from_data
        get_scores_from_text get_yesno_from_text normalize scrub_formatting_from_prompt
    """,
    "eval": "Eval",
    "formatting": "make_abc",
    "metrics": """
        compute_averaged_f_score compute_f_score compute_matthew_corr compute_precision compute_recall get_accuracy
        get_bootstrap_accuracy_std get_confusion_matrix
    """,
    "prompt.base": """
        ChatCompletionPrompt CompletionPrompt OpenAIChatMessage OpenAICreateChatPrompt OpenAICreatePrompt Prompt
        chat_prompt_to_text_prompt is_chat_prompt text_prompt_to_chat_prompt
    """,
    "record": """
        DummyRecorder Event HttpRecorder LocalRecorder RecorderBase current_sample_id default_recorder pause
        record_cond_logp record_embedding record_error record_event record_extra record_function_call record_match
        record_metrics record_pick_option record_raw record_sampling unpause
    """,
    "registry": "Registry is_chat_model n_ctx_from_model_name",
}
"""Names that code written for openai/evals uses, by the module they are found in."""

_RECORDER = """
    as_default_recorder current_sample_id flush_events get_events get_metrics get_scores is_paused pause
    record_cond_logp record_embedding record_error record_event record_extra record_final_report
    record_function_call record_match record_metrics record_pick_option record_raw record_sampling unpause
"""

PUBLIC = _PUBLIC.split()
RECORDER = _RECORDER.split()

CLI_ONLY = {"log_to_file", "debug", "json", "junit"}
"""Flags that say how the command prints, not how the run goes."""

PYTHON_ONLY = {"command", "progress"}
"""Fields without a flag: what was typed, and what EVALS_SHOW_EVAL_PROGRESS says."""

MOST_LINES = 450


def loaded(code: str, *, key: bool = False) -> list[str]:
    """Which of the heavy modules are there after ``code`` has run in a process without any key."""
    probe = f"import sys\n{code}\nprint('\\n' + ' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    env = {"PATH": "", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", probe], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()[-1].split()


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded("import aigc_evals") == []


@pytest.mark.parametrize("command", ["run", "evalset", "main"])
@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(command: str, argument: str) -> None:
    code = f"from aigc_evals.cli.{command} import main\ntry:\n main(['{argument}'])\nexcept SystemExit:\n pass"
    assert loaded(code) == []


def test_importing_the_package_opens_nothing_but_its_source() -> None:
    """No file is read or written, no process started, no address resolved; a key is not needed."""
    code = """
seen = []
def watch(event, args):
    if event == "open" and not str(args[0]).endswith((".py", ".pyc")):
        seen.append((event, str(args[0])))
    elif event.startswith(("socket.", "subprocess.", "os.mkdir", "os.remove", "os.system")):
        seen.append((event, ""))
sys.addaudithook(watch)
import aigc_evals
aigc_evals.Eval, aigc_evals.Registry, aigc_evals.run, aigc_evals.OpenAIChatCompletionFn
assert not [item for item in seen if item[1].startswith("%s")], seen
assert not [item for item in seen if item[0] != "open"], seen
""" % (ROOT / "aigc_evals")
    loaded(code)


def test_the_commands_are_those_of_the_modules(tmp_path: Path) -> None:
    for program, first in (("exec_aigc_evals", "Run one"), ("exec_aigc_evalset", "Run every"), ("aigc_evals", "Look")):
        done = cli.run("--help", env=cli.environment(tmp_path), program=program)
        assert (done.code, done.err) == (0, "")
        assert first in done.out


def test_the_public_names_are_these() -> None:
    assert sorted(aigc_evals.__all__) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(aigc_evals, name) is not None
    assert set(PUBLIC) <= set(dir(aigc_evals))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = aigc_evals.nothing


@pytest.mark.parametrize("module", UPSTREAM)
def test_the_names_of_openai_evals_are_there(module: str) -> None:
    found = importlib.import_module(f"aigc_evals.{module}".rstrip("."))
    assert [name for name in UPSTREAM[module].split() if not hasattr(found, name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "completion_fns.openai.OpenAIChatCompletionFn",
        "elsuite.modelgraded.base.ModelGradedSpec",
        "elsuite.utils.normalize",
        "metrics.get_accuracy",
        "prompt.base.is_chat_prompt",
        "record.record_match",
        "registry.Registry",
    ],
)
def test_modules_are_there_after_nothing_but_importing_the_package(name: str) -> None:
    loaded(f"import aigc_evals as evals\nassert evals.{name}")


def test_the_recorder_has_the_methods_of_openai_evals() -> None:
    from aigc_evals.record import Recorder

    assert [name for name in RECORDER if not callable(getattr(Recorder, name, None))] == []


def test_flags_and_run_config_agree() -> None:
    flags = {flag.dest: flag for flag in RUN_FLAGS if flag.dest not in CLI_ONLY}
    fields = {field.name: field for field in dataclasses.fields(RunConfig) if field.name not in PYTHON_ONLY}
    assert list(flags) == list(fields)
    config = RunConfig()
    assert {name for name, flag in flags.items() if not same(flag, getattr(config, name))} == set()


def same(flag: Flag, default: object) -> bool:
    """Whether a flag's default means what the field's does; nothing given is an empty mapping or sequence."""
    return flag.default == default or (not flag.default and default in ({}, ()))


def test_a_set_has_the_flags_of_a_run() -> None:
    assert [flag.name for flag in SET_FLAGS] == [*(flag.name for flag in RUN_FLAGS), "exit-on-error"]


def test_every_flag_has_help() -> None:
    for flag in SET_FLAGS:
        assert flag.help[:1].islower(), flag.name


def test_modules_can_be_held_in_mind() -> None:
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_every_module_says_what_it_is_for() -> None:
    for name, path in modules().items():
        text = path.read_text(encoding="utf-8")
        assert text.startswith('"""') or not text.strip(), name


def test_the_package_is_typed() -> None:
    assert (ROOT / "aigc_evals" / "py.typed").is_file()
