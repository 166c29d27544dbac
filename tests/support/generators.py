"""What tests of data sets share: raw files made by the test, a publisher, the command line, and runs of known outcome.

A test makes a small archive in the publisher's true form and says at which address it is served; everything else is the
real thing::

    def test_x(world: World) -> None:
        made = world.generate("X", {"https://publisher.org/x.zip": zip_of({"x/dev.jsonl": jsonl(ROWS)})})
        assert made.rows[0] == {...}
        made.scores("X_match", right=2, accuracy=2 / 3)
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import aigc_evals
from aigc_evals.cli.main import main
from aigc_evals.testing import ScriptedCompletionFn
from support.publisher import Publisher

WRONG = "zzz"
"""An answer that nothing expects."""


def jsonl(rows: Iterable[Any]) -> bytes:
    """Values as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def csv_of(rows: Iterable[Sequence[Any]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    """Rows (the first usually the names of the columns) as CSV, quoted where it must be."""
    held = io.StringIO(newline="")
    csv.writer(held, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return held.getvalue().encode(encoding)


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """A zip file of these files, by their paths in it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return held.getvalue()


def tar_of(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """A tar file (gzipped unless ``mode`` says otherwise) of these files."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as made:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return held.getvalue()


def gz_of(content: bytes) -> bytes:
    """A gzipped file."""
    return gzip.compress(content, mtime=0)


@dataclass
class Made:
    """What a command made: the rows, and the registry with the evals."""

    name: str
    registry: Path
    rows: list[dict[str, Any]]
    said: str

    def report(self, eval_name: str, answers: Any, judge: Any = None, **config: Any) -> dict[str, Any]:
        """The report of a run of one of the evals with a scripted model (and judge)."""
        fn = ScriptedCompletionFn(answers)
        functions = fn if judge is None else [fn, ScriptedCompletionFn(judge)]
        log = self.registry.parent / "logs" / f"{eval_name}.jsonl"
        log.unlink(missing_ok=True)
        result = aigc_evals.run(
            functions, eval_name, registry_path=[self.registry], record_path=log, progress=False, **config
        )
        assert result.problems == []
        assert result.report["planned"] == len(self.rows)
        return result.report

    def rate(self, kind: str, answer: str, metric: str = "accuracy") -> float:
        """The metric of one of the evals where every question gets the same answer."""
        report = self.report(f"{self.name}_{kind}", lambda prompt: answer)
        return float(report["metrics"][metric]["value"])

    def scores(self, eval_name: str, right: int, wrong: str = WRONG, **expected: float) -> dict[str, Any]:
        """Run an eval with a model that gives the first ideal of the first ``right`` rows, and ``wrong`` for the others;
        the metrics must have the ``expected`` values. A judge says C (the same) of the ideal, and D of anything else.
        """
        texts = [json.dumps(row["input"], ensure_ascii=False) for row in self.rows]
        assert len(set(texts)) == len(texts), "rows that cannot be told apart"
        ideals = [row["ideal"][0] if isinstance(row["ideal"], list) else row["ideal"] for row in self.rows]
        script = dict(zip(texts, [*ideals[:right], *[wrong] * (len(ideals) - right)], strict=True))

        def answer(prompt: Any) -> str:
            return script[json.dumps(prompt, ensure_ascii=False)]

        def verdict(prompt: Any) -> str:
            return "D" if wrong in json.dumps(prompt, ensure_ascii=False) else "C"

        judged = eval_name.endswith("_fact")
        report = self.report(eval_name, answer, verdict if judged else None)
        if judged:
            assert (report.get("counts/C", 0), report.get("counts/D", 0)) == (right, len(ideals) - right)
        for metric, value in expected.items():
            assert report["metrics"][metric]["value"] == pytest.approx(value), metric
        return report


class World:
    """A folder to work in, a publisher that is the mirror of every host, and no way to any other."""

    def __init__(self, folder: Path, publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.publisher = publisher
        self._capsys = capsys

    def command(self, *words: object) -> tuple[int, str, str]:
        """Run ``aigc_evals ...``: exit code, what it printed, what it said on stderr."""
        self._capsys.readouterr()
        code = main([*map(str, words)])
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    def generate(self, name: str, files: Mapping[str, bytes], *words: object) -> Made:
        """Serve ``files`` at these addresses and run ``aigc_evals generate NAME ...``; each must have been asked for."""
        for address, content in files.items():
            self.publisher.serve(address, content)
        code, out, err = self.command("generate", name, *words)
        assert code == 0, err
        asked = {request.path for request in self.publisher.requests if request.status == 200}
        assert asked >= {f"/{address.partition('://')[2]}" for address in files}, asked
        data, spec = map(Path, out.split("\n")[:2])
        assert spec.stem == data.stem
        return Made(data.stem, self.folder / "registry", read_rows(data), err)

    def unpacked(self, name: str) -> set[str]:
        """The names of the files that were unpacked for a set."""
        root = self.folder / "downloads" / name / "unpacked"
        return {path.name for folder in root.glob("*.d") for path in folder.rglob("*") if path.is_file()}

    def checked(self, name: str) -> None:
        """``aigc_evals check`` has nothing to say of the evals of a set."""
        code, out, err = self.command("check", f"{name}_*", "--registry_path", self.folder / "registry")
        assert code == 0, out + err


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
