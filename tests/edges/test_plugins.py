"""Plugins: installed as packages are, used by the command line, named when they are broken, and no cost when absent."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import cli, logs

import aigc_evals
from aigc_evals import plugins
from aigc_evals.errors import UsageError
from aigc_evals.registry import Registry

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the example is installed into by pip, without any index."""
    pytest.importorskip("setuptools", reason="the example is built by setuptools")
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*command, "--target", str(target), str(source)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return target


def fake(folder: Path, entry_points: str, modules: dict[str, str], package: str = "broken-plugin") -> Path:
    """A folder as pip leaves it: these modules, and a package's metadata with these entry points."""
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    for name, text in modules.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


# -- the example ------------------------------------------------------------------------------------------------------


def test_the_example_is_used_by_its_names(installed: Path, home: Path) -> None:
    """A completion function, an eval from a registry, and a recorder, none of them named by a path."""
    table, log = home / "表.csv", home / "run.jsonl"
    env = cli.environment(home, PYTHONPATH=str(installed))
    words = ["plugin-capitals", "--json", "--record_path", log, "--recorder", f"table={table}"]
    done = cli.run("atlas", *words, env=env)
    assert done.code == 0, done.err
    assert done.report["accuracy"] == 0.8
    assert done.report["delivery"] == [
        {"name": "table", "delivered": 5, "failed": 0, "over_threshold": False, "message": ""}
    ]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["sample_id", "outcome"]
    assert {row[0]: row[1] for row in rows[1:]} == logs.outcomes(log)


def test_arguments_and_specs_reach_a_plugins_function(installed: Path, home: Path) -> None:
    env = cli.environment(home, PYTHONPATH=str(installed))
    for number, (name, more) in enumerate(
        [("atlas", ["--completion_args", "unknown=不知道"]), ("atlas/zh", ["--completion_args", "unknown=不知道"])]
    ):
        log = home / f"{number}.jsonl"
        done = cli.run(name, "plugin-capitals", "--record_path", log, *more, env=env)
        assert done.code == 0, done.err
        assert "不知道" in {event["data"]["sampled"][0] for event in logs.events(log, "sampling")}


def test_without_the_package_the_names_are_unknown(home: Path) -> None:
    env = cli.environment(home)
    assert "no eval is named 'plugin-capitals'" in cli.run("dummy", "plugin-capitals", env=env).message
    assert "no completion function is named 'atlas'" in cli.run("atlas", "test-match", env=env).message
    done = cli.run("dummy", "test-match", "--recorder", "table", env=env)
    assert done.code == 2
    assert "no recorder is named 'table'" in done.message


def test_a_registry_path_overrides_a_plugins_registry(
    installed: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    (home / "mine" / "completion_fns").mkdir(parents=True)
    (home / "mine" / "completion_fns" / "a.yaml").write_text(
        "atlas/zh:\n  class: aigc_evals.api:DummyCompletionFn\n", encoding="utf-8"
    )
    registry = Registry()
    registry.add_registry_paths([home / "mine"])
    assert type(registry.make_completion_fn("atlas/zh")).__name__ == "DummyCompletionFn"
    assert type(registry.make_completion_fn("atlas")).__name__ == "Atlas"


# -- broken plugins ---------------------------------------------------------------------------------------------------

MODULE = {"broken_module.py": "import no_such_module_of_anyone\n", "fine_module.py": "number = 5\n"}
BROKEN = [
    ("[aigc_evals.completion_fns]\nfn = broken_module:fn\n", ["fn", "test-match"], "No module named 'no_such"),
    ("[aigc_evals.completion_fns]\nfn = fine_module:nothing\n", ["fn", "test-match"], "no attribute 'nothing'"),
    ("[aigc_evals.completion_fns]\nfn = fine_module:number\n", ["fn", "test-match"], "cannot be called"),
    ("[aigc_evals.registries]\nr = no_such_package\n", ["dummy", "test-match"], "is not a package"),
    ("[aigc_evals.registries]\nr = fine_module:__doc__\n", ["dummy", "test-match"], "plugin 'r'"),
    (
        "[aigc_evals.recorders]\nr = fine_module:number\n",
        ["dummy", "test-match", "--recorder", "r"],
        "cannot be made: TypeError",
    ),
    ("[aigc_evals.recorders]\nr = builtins:dict\n", ["dummy", "test-match", "--recorder", "r"], "without open, notify"),
]


@pytest.mark.parametrize("entry_points, words, told", BROKEN)
def test_a_broken_plugin_is_one_message_that_names_its_package(
    entry_points: str, words: list[str], told: str, home: Path
) -> None:
    folder = fake(home / "site", entry_points, MODULE)
    done = cli.run(*words, env=cli.environment(home, PYTHONPATH=str(folder)))
    assert done.code == 2
    assert told in done.message
    assert "broken-plugin" in done.message


def test_a_broken_plugin_that_is_not_asked_for_is_not_noticed(home: Path) -> None:
    folder = fake(home / "site", "[aigc_evals.completion_fns]\nfn = broken_module:fn\n", MODULE)
    done = cli.run("dummy", "test-match", env=cli.environment(home, PYTHONPATH=str(folder)))
    assert done.code == 0, done.err


def test_two_packages_with_one_name_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2):
        text = f"[aigc_evals.completion_fns]\nfn = module_{number}:fn\n"
        monkeypatch.syspath_prepend(str(fake(home / f"site{number}", text, {}, f"plugin-{number}")))
    with pytest.raises(UsageError, match="is also offered"):
        plugins.completion_fn("fn")


SINK = """
class Sink:
    def open(self, log_path, run_spec): {open}
    def notify(self, events): {notify}
    def close(self, report): {close}
    def abort(self): pass
"""


@pytest.mark.parametrize("method", ["notify", "close"])
def test_a_recorder_that_fails_does_not_stop_a_run(method: str, home: Path) -> None:
    parts = {"open": "pass", "notify": "pass", "close": "pass", method: "raise RuntimeError('满了')"}
    folder = fake(home / "site", "[aigc_evals.recorders]\nr = sink:Sink\n", {"sink.py": SINK.format(**parts)})
    log = home / "run.jsonl"
    env = cli.environment(home, PYTHONPATH=str(folder))
    done = cli.run("dummy", "test-match", "--recorder", "r", "--record_path", log, "--json", env=env)
    assert done.code == 1
    assert any("r: RuntimeError: 满了; the events are in the log" in problem for problem in done.report["problems"])
    assert len(logs.outcomes(log)) == done.report["planned"]


def test_a_recorder_that_cannot_begin_is_told_before_anything_is_asked(home: Path) -> None:
    text = SINK.format(open="raise OSError('没有权限')", notify="pass", close="pass")
    folder = fake(home / "site", "[aigc_evals.recorders]\nr = sink:Sink\n", {"sink.py": text})
    log = home / "run.jsonl"
    env = cli.environment(home, PYTHONPATH=str(folder))
    done = cli.run("dummy", "test-match", "--recorder", "r", "--record_path", log, env=env)
    assert done.code == 2
    assert "cannot begin: OSError: 没有权限" in done.message


def test_a_dry_run_has_nothing_to_send(home: Path) -> None:
    with pytest.raises(UsageError, match="a dry run has no log"):
        aigc_evals.run("dummy", "test-match", dry_run=True, recorder=["r"])


# -- no cost ----------------------------------------------------------------------------------------------------------


def test_a_run_without_plugins_does_not_read_the_metadata_of_packages() -> None:
    """Reading it takes some thirty milliseconds; a look at the files takes one."""
    code = (
        "import sys; from aigc_evals import plugins; "
        "assert plugins.registries() == [] and plugins.completion_fn('gpt-4o') is None; "
        "assert 'importlib.metadata' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
