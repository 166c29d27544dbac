"""What may not be read: said in one sentence where the user named it, passed over where nobody did."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import cli
from support.registries import match_registry

from aigc_evals.cli import evalset, main, run
from aigc_evals.sampling.cache import cache_path

PLAIN = shutil.which("setpriv")
POWERFUL = os.name != "nt" and os.geteuid() == 0
needs_permissions = pytest.mark.skipif(
    os.name == "nt" or (POWERFUL and PLAIN is None), reason="no folder is closed to this user"
)
LONG = "长" * 100


def plainly(program: str, *args: object, env: dict[str, str], cwd: Path | None = None) -> cli.Finished:
    """Run a command as a user to whom folders can be closed, which root is not."""
    if not POWERFUL:
        return cli.run(*args, env=env, program=program, cwd=cwd)
    without = [f"--{kind}=-dac_override,-dac_read_search" for kind in ("bounding-set", "inh-caps")]
    return cli.run(*without, cli.BIN / program, *args, env=env, program=str(PLAIN), cwd=cwd)


def is_closed(folder: Path) -> bool:
    """Whether ``plainly`` works here: a user who is root in a container may not be able to give up what root may do."""
    words = ["-c", f"import os; os.listdir({str(folder)!r})"]
    without = [f"--{kind}=-dac_override,-dac_read_search" for kind in ("bounding-set", "inh-caps")]
    asked = [str(PLAIN), *without, sys.executable, *words] if POWERFUL else [sys.executable, *words]
    return subprocess.run(asked, capture_output=True).returncode != 0


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A folder that has something in it, and may be neither searched nor listed."""
    folder = tmp_path / "锁"
    match_registry(folder / "in", 2)
    folder.chmod(0)
    try:
        if not is_closed(folder):
            pytest.skip("no folder is closed to this user")
        yield folder
    finally:
        folder.chmod(0o755)


def commands(path: str) -> list[tuple[str, ...]]:
    """Every command that takes a path, with this one."""
    asking = ("exec_aigc_evals", "dummy", "test-match")
    return [
        (*asking, "--record_path", path),
        (*asking, "--dry-run", "--registry_path", path),
        (*asking, "--dry-run", "--models", f"{path}.py"),
        (*asking, "--dry-run", "--models", path),
        (*asking, "--dry-run", "--extra_eval_params", f"samples_jsonl={path}"),
        (*asking, "--sql-run", "--sql-run-url", f"sqlite:///{path}/a.db"),
        ("exec_aigc_evals", f"{path}.py:f", "test-match", "--dry-run"),
        ("exec_aigc_evalset", "dummy", "test", "--record_path", path),
        *(("aigc_evals", command, path) for command in ("report", "samples", "score", "leaderboard")),
        ("aigc_evals", "compare", path, path),
        ("aigc_evals", "replay", path, "--url", "http://127.0.0.1:9"),
        ("aigc_evals", "check", "--registry_path", path),
        ("aigc_evals", "show", "test-match", "--registry_path", path),
        ("aigc_evals", "generate", "--set", "test", "--registry_path", path),
        ("aigc_evals", "generate", f"{path}.py:X"),
    ]


@needs_permissions
@pytest.mark.parametrize("number", range(len(commands(""))), ids=[" ".join(words) for words in commands("PATH")])
def test_what_lies_in_a_locked_folder_is_refused_with_the_reason(number: int, locked: Path, home: Path) -> None:
    program, *words = commands(str(locked / "in" / "x"))[number]
    done = plainly(program, *words, env=cli.environment(home))
    assert done.code == 2, done.err
    assert "Permission denied" in done.message
    assert str(locked / "in" / "x") in done.message


@pytest.mark.skipif(os.name == "nt", reason="such a name is short enough there")
@pytest.mark.parametrize("number", range(len(commands(""))), ids=[" ".join(words) for words in commands("PATH")])
def test_a_name_that_is_too_long_is_refused_with_the_reason(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    program, *words = commands(LONG)[number]
    started = {"exec_aigc_evals": run.main, "exec_aigc_evalset": evalset.main, "aigc_evals": main.main}[program]
    assert started(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "File name too long" in err
    assert list(tmp_path.iterdir()) == []


@needs_permissions
def test_a_home_that_may_not_be_searched_stops_nothing(locked: Path, home: Path) -> None:
    env = cli.environment(home, HOME=str(locked / "in"))
    words = ("dummy", "test-match", "--dry-run", "--no-dry-run-logging", "--json")
    done = plainly("exec_aigc_evals", *words, env=env, cwd=home)
    assert done.report["outcomes"]["scored"] == 10
    listed = plainly("aigc_evals", "list", "sets", env=env, cwd=home)
    assert (listed.code, listed.err) == (0, "")
    kept = plainly("aigc_evals", "cache", "ls", env=env, cwd=home)
    assert kept.code == 2
    assert "Permission denied" in kept.message


@needs_permissions
def test_a_registry_at_home_that_is_known_to_be_closed_is_passed_over_with_one_warning(home: Path) -> None:
    words = ("exec_aigc_evals", "dummy", "test-match", "--dry-run", "--no-dry-run-logging")
    env = cli.environment(home)
    registry = match_registry(home / ".evals", 2)
    for folder, mode in ((registry, 0), (registry, 0o400), (registry / "evals", 0)):
        folder.chmod(mode)
        done = plainly(*words, env=env)
        assert done.code == 0, done.err
        assert done.err.count("passed over") == 1
        assert "cannot be read: Permission denied" in done.err
        named = plainly(*words, "--registry_path", registry, env=env)
        assert named.code == 2
        assert "[registry_path]: cannot be read: Permission denied" in named.message
        folder.chmod(0o755)


@needs_permissions
def test_a_leaderboard_names_the_folders_and_logs_it_cannot_read(locked: Path, home: Path) -> None:
    env = cli.environment(home)
    alone = plainly("aigc_evals", "leaderboard", locked, env=env)
    assert alone.code == 2
    assert alone.message == f"error: {locked}: cannot be read: Permission denied\n"
    log = home / "logs" / "a.jsonl"
    assert cli.run("dummy", "test-match", "--record_path", log, env=env).code == 0
    shutil.copy(log, log.with_name("b.jsonl"))
    (home / "logs" / "deep").mkdir(mode=0)
    log.chmod(0)
    whole = plainly("aigc_evals", "leaderboard", home / "logs", env=env)
    assert whole.code == 0, whole.err
    assert "a.jsonl was left out: it cannot be read: Permission denied." in whole.out
    assert f"The folder {home / 'logs' / 'deep'} was left out: cannot be read: Permission denied." in whole.out
    single = plainly("aigc_evals", "report", log, env=env)
    assert single.code == 2
    assert single.message == f"error: {log}: cannot be read: Permission denied\n"
    (home / "logs" / "deep").chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="every user of Windows has a home")
def test_a_user_without_a_home_has_no_registries_there_and_is_told_where_a_cache_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import pwd

    def nobody(number: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert run.main(["dummy", "test-match", "--dry-run", "--no-dry-run-logging"]) == 0
    assert main.main(["list", "sets"]) == 0
    assert capsys.readouterr().err == ""
    assert main.main(["cache", "ls"]) == 2
    assert "AIGC_EVALS_CACHE_DIR" in capsys.readouterr().err
    assert run.main(["dummy", "test-match", "--models", "~nobody-at-all/m.py"]) == 2
    assert "no such home folder" in capsys.readouterr().err
    monkeypatch.setenv("AIGC_EVALS_CACHE_DIR", str(tmp_path))
    assert cache_path() == tmp_path / "completions.sqlite3"


@pytest.mark.skipif(os.name == "nt", reason="such a name is short enough there")
def test_a_source_of_a_data_set_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for given, told in ((LONG, "[source]: cannot be read: File name too long"), ("~nobody-at-all/x", "no such home")):
        assert main.main(["generate", "csl", "--source", given]) == 2
        err = capsys.readouterr().err
        assert told in err
        assert "raw files" not in err
    assert not (tmp_path / "registry").exists()
