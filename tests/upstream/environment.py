"""Make a copy of upstream (the PyPI release of openai/evals) outside the repository, once per machine.

Two things are made, each under a file lock and published by an atomic rename, so that parallel test
processes are safe:

* the unpacked wheel: all code and YAML, and the data files that evals of the core classes read
  (`registry_path()`, `source_path()`);
* a virtual environment in which that wheel runs with the few packages it imports (`oaieval()`, `python()`).

Everything lives in `$AIGC_EVALS_TEST_CACHE` or `~/.cache/aigc_evals-tests`, below `upstream-<version>`.
Nothing of upstream enters the repository. Where the package index cannot be reached `UpstreamUnavailable`
says so; every other failure is a plain error, so that a fault of ours never turns into a skipped test.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

VERSION = "3.0.1.post1"
WHEEL = f"evals-{VERSION}-py3-none-any.whl"
WHEEL_SHA256 = "0abcb2051303500784b1641a6e4f6b813ed43ad64f879a37d344a6774eb8eb78"

#: What `oaieval` imports at start, what the core eval classes import, and nothing else. The two modules
#: in `stubs/` stand in for `tiktoken` (needs the network for its vocabulary) and `datasets` (only
#: `load_dataset` is called).
PACKAGES = (
    "backoff==2.2.1",
    "blobfile==3.3.0",
    "lz4==4.4.5",
    "numpy==2.3.5; python_version >= '3.11'",
    "numpy==2.2.6; python_version < '3.11'",
    "openai==1.109.1",
    "pydantic==2.12.5",
    "pyyaml==6.0.3",
    "requests==2.32.5",
    "sacrebleu==2.6.0",
    "tqdm==4.67.1",
    "typing-extensions==4.15.0",
    "zstandard==0.25.0",
)

#: Data files above this size are left in the wheel unless `AIGC_EVALS_TEST_DATA=all` is set.
DATA_LIMIT_BYTES = 4_000_000

STUBS = Path(__file__).parent / "stubs"

_DATA = "evals/registry/data/"
_NETWORK_SIGNS = (
    "Could not find a version that satisfies",
    "No matching distribution found",
    "Failed to establish a new connection",
    "Max retries exceeded",
    "Connection refused",
    "Temporary failure in name resolution",
    "ReadTimeoutError",
    "ConnectTimeoutError",
    "ProxyError",
    "Network is unreachable",
)


class UpstreamUnavailable(RuntimeError):
    """Upstream cannot be had on this machine now; the message is the reason, fit to be shown in a skip."""


def cache_dir() -> Path:
    """The directory that holds everything made here (created if need be)."""
    base = os.environ.get("AIGC_EVALS_TEST_CACHE")
    root = Path(base) if base else Path.home() / ".cache" / "aigc_evals-tests"
    path = root / f"upstream-{VERSION}"
    path.mkdir(parents=True, exist_ok=True)
    return path


def wants_all_data() -> bool:
    """Whether data files above `DATA_LIMIT_BYTES` are wanted as well."""
    return os.environ.get("AIGC_EVALS_TEST_DATA", "") == "all"


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    """Hold an exclusive lock between processes; it is released by the kernel when the process dies."""
    try:
        import fcntl
    except ImportError as error:
        raise UpstreamUnavailable("upstream is only compared where fcntl locks exist (POSIX)") from error
    with open(cache_dir() / f"{name}.lock", "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _pip(*arguments: str) -> None:
    """Run pip of the running interpreter; tell an unreachable index from every other failure."""
    command = [
        sys.executable,
        "-m",
        "pip",
        *arguments,
        "--disable-pip-version-check",
        "--no-input",
        "--retries=1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    tail = done.stderr.strip().splitlines()[-1:] or ["no message"]
    if any(sign in done.stderr for sign in _NETWORK_SIGNS):
        raise UpstreamUnavailable(f"pip cannot fetch upstream or its packages: {tail[0]}")
    raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")


def wheel_path() -> Path:
    """Upstream's wheel (46 MB), downloaded once and checked against its known digest."""
    target = cache_dir() / WHEEL
    if target.exists():
        return target
    with _locked("wheel"):
        if target.exists():
            return target
        with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
            _pip("download", "--quiet", "--no-deps", f"evals=={VERSION}", "--dest", scratch)
            found = Path(scratch) / WHEEL
            digest = hashlib.sha256(found.read_bytes()).hexdigest()
            if digest != WHEEL_SHA256:
                raise RuntimeError(f"{WHEEL} has sha256 {digest}, expected {WHEEL_SHA256}")
            found.replace(target)
    return target


def _wanted(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The members to unpack: all that is not data, and the data that core evals name (within the limit)."""
    from . import selection

    code = [info for info in archive.infolist() if not info.filename.startswith(_DATA)]
    yaml_files = {
        info.filename: archive.read(info).decode("utf-8")
        for info in code
        if info.filename.startswith("evals/registry/evals/") and info.filename.endswith(".yaml")
    }
    names = {_DATA + name for name in selection.core_data_files(yaml_files)}
    limit = None if wants_all_data() else DATA_LIMIT_BYTES
    data = [
        info
        for info in archive.infolist()
        if not info.is_dir()
        and (info.filename in names or any(info.filename.startswith(name + "/") for name in names))
        and (limit is None or info.file_size <= limit)
    ]
    return code + data


def source_path() -> Path:
    """The directory that contains the package `evals` (to be put on a module path)."""
    target = cache_dir() / "src"
    marker = target / ("complete-all.json" if wants_all_data() else "complete.json")
    if marker.exists() or (target / "complete-all.json").exists():
        return target
    wheel = wheel_path()
    with _locked("src"):
        if marker.exists():
            return target
        scratch = Path(tempfile.mkdtemp(dir=cache_dir(), prefix="src-"))
        try:
            with zipfile.ZipFile(wheel) as archive:
                members = _wanted(archive)
                archive.extractall(scratch, members)
            facts = {"files": len(members), "bytes": sum(info.file_size for info in members)}
            (scratch / marker.name).write_text(json.dumps(facts), encoding="utf-8")
            if target.exists():
                target.rename(scratch.with_name(scratch.name + "-old"))
            scratch.rename(target)
        finally:
            for left in cache_dir().glob("src-*"):
                shutil.rmtree(left, ignore_errors=True)
    return target


def registry_path() -> Path:
    """Upstream's registry: all its YAML, and the data of its core evals."""
    return source_path() / "evals" / "registry"


def _environment_name() -> str:
    """A directory name that changes when the interpreter or a pin changes."""
    pins = hashlib.sha256("\n".join(PACKAGES).encode()).hexdigest()[:8]
    return f"venv-py{sys.version_info[0]}{sys.version_info[1]}-{pins}"


def environment_path() -> Path:
    """The virtual environment of upstream, created on first use."""
    target = cache_dir() / _environment_name()
    marker = target / "complete.json"
    if marker.exists():
        return target
    source = source_path()
    with _locked(target.name):
        if marker.exists():
            return target
        shutil.rmtree(target, ignore_errors=True)
        # A venv holds absolute paths, so it is built in place; the marker, written last, is what makes it
        # valid.
        venv.create(target, with_pip=False, symlinks=os.name != "nt")
        _pip("--python", str(target / "bin" / "python"), "install", "--quiet", "--only-binary=:all:", *PACKAGES)
        (site,) = target.glob("lib/python*/site-packages")
        (site / "upstream.pth").write_text(f"{source}\n{STUBS}\n", encoding="utf-8")
        for name in ("oaieval", "oaievalset"):
            script = target / "bin" / name
            script.write_text(
                f"#!{target / 'bin' / 'python'}\nfrom evals.cli.{name} import main\n\nmain()\n",
                encoding="utf-8",
            )
            script.chmod(0o755)
        marker.write_text(json.dumps({"packages": PACKAGES}), encoding="utf-8")
    return target


def python() -> Path:
    """The interpreter of upstream's environment."""
    return environment_path() / "bin" / "python"


def oaieval() -> Path:
    """Upstream's command, runnable."""
    return environment_path() / "bin" / "oaieval"


def process_environment(base_url: str | None = None) -> dict[str, str]:
    """Environment variables for a process of upstream: no key, address or proxy of the caller leaks in.

    Upstream builds an OpenAI client when it is imported and refuses to start without a key, so one is
    always set.
    """
    kept = {key: value for key, value in os.environ.items() if not _private(key)}
    kept |= {
        "OPENAI_API_KEY": "not-a-key",
        "OPENAI_BASE_URL": base_url or "http://127.0.0.1:9/v1",
        "NO_PROXY": "127.0.0.1,localhost",
        "EVALS_SHOW_EVAL_PROGRESS": "",
        "PYTHONUTF8": "1",
        "HOME": str(cache_dir()),
    }
    return kept


def _private(variable: str) -> bool:
    name = variable.upper()
    return name.startswith(("OPENAI_", "EVALS_", "AZURE_", "PYTHON")) or name.endswith("_PROXY")
