"""What tests of disks do where no disk can be made."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import disks


def test_a_system_without_a_program_that_mounts_skips_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="no program"), disks.mounted(tmp_path / "disk", "size=1m"):
        pass
