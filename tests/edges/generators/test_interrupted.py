"""A generator that is interrupted, runs out of disk, or may not write: nothing half is left, and a second run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from support import cli, disks
from support.generators import World, jsonl, read_rows, zip_of

BOOLQ = "https://dl.fbaipublicfiles.com/glue/superglue/data/v2/BoolQ.zip"
PAUSING = """
import json
import os
import signal
from threading import Event
from aigc_evals.generate.datasets.superglue import BoolQ

class Pausing(BoolQ):
    def format_one_json(self, item):
        if "3" in item["question"]:
            print("asked for the fourth row", flush=True)
            Event().wait()
        return super().format_one_json(item)

class PausingRaw(BoolQ):
    def extract_and_save_datasets(self):
        with open(self.this_dataset_path / "validation.jsonl", "w", encoding="utf-8") as out:
            out.write('{"question": "half"}\\n')
            out.flush()
            print("half a split", flush=True)
            Event().wait()

class Killed(BoolQ):
    def extract_and_save_datasets(self):
        for split in ("validation", "train"):
            path = self.this_dataset_path / f"{split}.jsonl"
            if path.exists():
                continue
            with open(path, "w", encoding="utf-8") as out:
                for i in range(9):
                    out.write(json.dumps({"question": f"is it {i}", "passage": split, "label": True}) + "\\n")
                    out.flush()
                    if i == 4 and os.environ.get("KILLED_AT") == split:
                        os.kill(os.getpid(), signal.SIGKILL)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def archive(count: int = 12) -> bytes:
    rows = [{"question": f"is it {i}", "passage": f"It is {i}.", "idx": i, "label": True} for i in range(count)]
    return zip_of({"BoolQ/train.jsonl": jsonl(rows), "BoolQ/val.jsonl": jsonl(rows)})


def interrupted(words: list[str], reached: Callable[[subprocess.Popen[str]], object]) -> str:
    """Run ``aigc_evals generate``, press Ctrl-C once ``reached`` returns, and give what was said."""
    with cli.start("generate", *words, env=os.environ, program="aigc_evals", cwd=Path.cwd()) as process:
        try:
            reached(process)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=cli.LONGEST)
        finally:
            process.kill()
    assert process.returncode == 130, err
    return err


def a_line(process: subprocess.Popen[str]) -> None:
    """Wait until the process has said something."""
    assert process.stdout is not None
    assert process.stdout.readline()


def leftovers(world: World) -> list[str]:
    return [path.name for path in world.folder.rglob("*") if path.name.endswith(".tmp")]


def test_an_interrupted_download_is_continued(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()
    rows = jsonl([{"question": "is it", "passage": "It is.", "label": True}])
    content = zip_of({"noise": os.urandom(400_000), "BoolQ/train.jsonl": rows, "BoolQ/val.jsonl": rows})
    asked: list[str | None] = []

    class Slow(BaseHTTPRequestHandler):
        """Sends half of the file, and the rest only to whoever comes back for it."""

        def do_GET(self) -> None:
            asked.append(self.headers.get("Range"))
            start = int(asked[-1].removeprefix("bytes=").rstrip("-")) if asked[-1] else 0
            self.send_response(206 if start else 200)
            self.send_header("ETag", '"v1"')
            self.send_header("Content-Length", str(len(content) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            if start:
                self.wfile.write(content[start:])
            else:
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                ended.wait(60)

        def log_message(self, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("AIGC_EVALS_MIRROR", f"http://127.0.0.1:{server.server_port}")
        part = world.folder / "downloads/BoolQ/BoolQ.zip.part"

        def half(process: subprocess.Popen[str]) -> None:
            while not (part.is_file() and part.stat().st_size) and process.poll() is None:
                time.sleep(0.01)

        try:
            assert interrupted(["BoolQ"], half) == "interrupted\n"
            ended.set()
            assert not part.with_name("BoolQ.zip").exists()
            assert not (world.folder / "datasets/datasets.lock").exists()
            code, _, err = world.command("generate", "BoolQ")
        finally:
            ended.set()
            server.shutdown()
    assert code == 0, err
    assert (asked[0], len(asked)) == (None, 2)
    assert len(read_rows(Path("registry/data/BoolQ/BoolQ.jsonl"))) == 1
    assert leftovers(world) == []


def test_interrupted_while_rows_are_written_the_old_rows_stay(world: World) -> None:
    (world.folder / "own.py").write_text(PAUSING, encoding="utf-8")
    made = world.generate("BoolQ", {BOOLQ: archive()}, "--samples", 2)
    data = Path("registry/data/BoolQ/BoolQ.jsonl")
    words = ["own.py:Pausing", "--folder", "."]
    err = interrupted(words, a_line)
    assert err == "interrupted\n"
    assert not Path("registry/data/Pausing/Pausing.jsonl").exists()
    assert not Path("registry/evals/Pausing.yaml").exists()
    assert read_rows(data) == made.rows
    assert leftovers(world) == []


def test_half_a_split_is_not_left_by_an_interrupt(world: World) -> None:
    (world.folder / "own.py").write_text(PAUSING, encoding="utf-8")
    interrupted(["own.py:PausingRaw"], a_line)
    assert not (world.folder / "datasets/PausingRaw/validation.jsonl").exists()


@pytest.mark.parametrize("most", [500, 4_000, 12_000])
def test_a_disk_that_is_full_is_named_and_the_next_run_goes_on(most: int, world: World) -> None:
    import resource

    rows = [{"question": os.urandom(9).hex(), "passage": os.urandom(40).hex(), "label": True} for _ in range(80)]
    content = zip_of({"BoolQ/train.jsonl": jsonl(rows), "BoolQ/val.jsonl": jsonl(rows)})
    world.publisher.serve(BOOLQ, content)
    assert len(content) > 4_000

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    with cli.start(
        "generate", "BoolQ", env=os.environ, program="aigc_evals", cwd=Path.cwd(), preexec=little
    ) as limited:
        out, err = limited.communicate(timeout=cli.LONGEST)
    assert (limited.returncode, out) == (2, "")
    assert "Traceback" not in err
    assert err.startswith("error: ")
    assert "cannot be written: File too large" in err
    assert leftovers(world) == []
    assert not list(world.folder.rglob("registry/data/BoolQ/*"))
    assert world.command("generate", "BoolQ")[0] == 0
    assert len(read_rows(Path("registry/data/BoolQ/BoolQ.jsonl"))) == 80


@pytest.mark.parametrize("flag", ["--out", "--folder"])
def test_a_folder_that_cannot_be_made_is_named(flag: str, world: World) -> None:
    world.publisher.serve(BOOLQ, archive())
    (world.folder / "文件").write_bytes(b"")
    code, out, err = world.command("generate", "BoolQ", flag, "文件/甲 乙")
    assert (code, out) == (2, "")
    assert "文件" in err
    assert "cannot be written: Not a directory" in err


def killed_at(split: str, *words: object) -> None:
    env = {**os.environ, "KILLED_AT": split}
    ended = cli.run("generate", "own.py:Killed", *words, env=env, program="aigc_evals", cwd=Path.cwd())
    assert ended.code == -signal.SIGKILL, ended.err


@pytest.mark.parametrize("split", ["validation", "train"])
@pytest.mark.parametrize("source", [(), ("--source", "own.py")])
def test_half_a_split_is_not_taken_for_whole_after_a_kill(split: str, source: tuple[str, ...], world: World) -> None:
    (world.folder / "own.py").write_text(PAUSING, encoding="utf-8")
    killed_at(split, *source)
    half = Path(f"datasets/Killed/{split}.jsonl")
    [left] = half.parent.rglob(half.name)
    assert len(read_rows(left)) == 5, "nobody was there to remove it"
    assert left != half
    assert len(world.generate("own.py:Killed", {}, "--split", split).rows) == 9
    assert len(read_rows(half)) == 9
    assert sorted(path.name for path in half.parent.iterdir()) == ["train.jsonl", "validation.jsonl"]


def test_what_was_whole_before_a_kill_stays(world: World) -> None:
    (world.folder / "own.py").write_text(PAUSING, encoding="utf-8")
    mine = Path("datasets/Killed/validation.jsonl")
    mine.parent.mkdir(parents=True)
    mine.write_bytes(jsonl([{"question": "mine", "passage": "", "label": True}]))
    killed_at("train", "--split", "train")
    assert len(world.generate("own.py:Killed", {}).rows) == 1
    assert not mine.with_name("train.jsonl").exists()
    assert len(world.generate("own.py:Killed", {}, "--split", "train").rows) == 9


@pytest.mark.parametrize("flag", ["--out", "--folder"])
def test_a_folder_that_is_read_only_is_named(flag: str, world: World) -> None:
    world.publisher.serve(BOOLQ, archive())
    with disks.read_only(world.folder / "只读") as reason:
        code, _, err = world.command("generate", "BoolQ", flag, "只读")
    assert code == 2
    assert "只读" in err
    assert f"cannot be written: {reason}" in err


def test_splits_that_are_there_serve_where_nothing_can_be_written(world: World) -> None:
    made = world.generate("BoolQ", {BOOLQ: archive()})
    with disks.read_only(world.folder / "只读", holding=world.folder / "datasets"):
        again = world.generate("BoolQ", {}, "--folder", "只读")
    assert again.rows == made.rows


def lock_of(world: World) -> object:
    path = world.folder / "datasets/datasets.lock"
    return json.loads(path.read_text(encoding="utf-8"))["files"] if path.exists() else {}


def test_an_archive_that_is_damaged_inside_is_not_recorded(world: World) -> None:
    """Its length is right, and so are its beginning and its end."""
    good = archive(500)
    bad = good[:200] + bytes(300) + good[500:]
    world.publisher.serve(BOOLQ, bad)
    for _ in range(2):
        code, _, err = world.command("generate", "BoolQ")
        assert code == 2
        assert "downloads/BoolQ/BoolQ.zip: this file cannot be used: damaged: " in err.replace("\\", "/")
        assert "Delete the file to fetch it again" in err
        assert lock_of(world) == {}
    (world.folder / "downloads/BoolQ/BoolQ.zip").unlink()
    world.generate("BoolQ", {BOOLQ: good})
    assert lock_of(world) != {}


def test_a_file_that_no_data_set_can_be_made_of_is_not_recorded(world: World) -> None:
    address = "https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data/{}.jsonl"
    good = jsonl([{"question": "1 + 1?", "answer": "1 + 1 = 2\n#### 2"}])
    for split, content in (("train", good), ("test", b'{"error": "slow down"\n')):
        world.publisher.serve(address.format(split), content)
    code, _, err = world.command("generate", "gsm8k")
    assert code == 2
    assert "test.jsonl:1:" in err
    assert "If the file is damaged, delete the folder downloads" in err
    assert lock_of(world) == {}
    (world.folder / "downloads/gsm8k/test.jsonl").unlink()
    world.generate("gsm8k", {address.format("test"): good})
    assert lock_of(world) != {}
