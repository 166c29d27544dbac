"""Upstream's own unit tests of the core pass after the package's name is replaced."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

#: Test files of upstream, relative to its package. `utils/test.py` is a helper that some of them import.
FILES = (
    "data_test.py",
    "record_test.py",
    "registry_test.py",
    "elsuite/utils_test.py",
    "elsuite/basic/fuzzy_match_test.py",
    "elsuite/basic/includes_test.py",
    "elsuite/basic/json_match_test.py",
    "elsuite/basic/json_validator_test.py",
    "elsuite/basic/match_test.py",
)
HELPER = "utils/test.py"
HELPER_MODULE = "upstream_test_helper"
EXPECTED_TESTS = 63


def rewritten(text: str) -> str:
    """The text with the package renamed, its helper a module of its own, and `mock` from the library."""
    text = re.sub(r"(?m)^(from|import) evals\.utils\.test\b", rf"\1 {HELPER_MODULE}", text)
    text = re.sub(r"(?m)^(from|import) evals\b", r"\1 aigc_evals", text)
    return re.sub(r"(?m)^from mock import", "from unittest.mock import", text)


def test_upstream_unit_tests(upstream_source: Path, tmp_path: Path) -> None:
    """All of them pass, and none is lost on the way."""
    for file in FILES:
        target = tmp_path / file.replace("/", "_")
        text = (upstream_source / "evals" / file).read_text(encoding="utf-8")
        target.write_text(rewritten(text), encoding="utf-8")
    helper = rewritten((upstream_source / "evals" / HELPER).read_text(encoding="utf-8"))
    (tmp_path / f"{HELPER_MODULE}.py").write_text(helper, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npython_files = *_test.py\n", encoding="utf-8")
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)])},
        check=False,
    )
    found = re.findall(r"(\d+) (passed|failed|errors?|skipped)", done.stdout)
    counts = {word: int(number) for number, word in found}
    print(f"upstream's unit tests: {counts}")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert counts == {"passed": EXPECTED_TESTS}
