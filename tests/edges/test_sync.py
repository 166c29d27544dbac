"""Syncing with an object store: a real server over HTTP, real processes that are killed, a network that breaks."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import cli
from support.object_store import KEY, SECRET, Gate, ObjectStore, gate_to

from aigc_evals.data import get_jsonl, open_by_file_pattern
from aigc_evals.data.s3 import Store, StoreError, connect
from aigc_evals.data.samples import JsonlSamples
from aigc_evals.errors import UsageError
from aigc_evals.sync import SyncResult, sync

MB = 1 << 20
PROGRAM = "datasets_sync"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    server = ObjectStore(tmp_path_factory.mktemp("store"))
    yield server
    server.stop()


@pytest.fixture
def env(server: ObjectStore, home: Path) -> dict[str, str]:
    return cli.environment(home, **server.settings, AWS_MAX_ATTEMPTS="2")


@pytest.fixture
def here(env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; this process sees the store as the processes do."""
    for name, value in env.items():
        if name.startswith("AWS_") or name == "HOME":
            monkeypatch.setenv(name, value)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "there"
    folder.mkdir()
    return folder


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    return "b-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:16]


@pytest.fixture
def store(here: Path, bucket: str) -> Iterator[Store]:
    """The store with the test's bucket in it."""
    with connect() as store:
        store.call("create_bucket", Bucket=bucket)
        yield store


@pytest.fixture
def gate(server: ObjectStore, env: dict[str, str], here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """The way to the store, for this process and for others."""
    with gate_to(server) as gate:
        env["AWS_ENDPOINT_URL"] = gate.url
        monkeypatch.setenv("AWS_ENDPOINT_URL", gate.url)
        yield gate


def write(folder: Path, **files: bytes | str) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def large(path: Path, megabytes: int) -> None:
    """A file without any two equal blocks."""
    block = os.urandom(MB - 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for number in range(megabytes):
            file.write(number.to_bytes(8, "big") + block)


def tree(folder: Path) -> dict[bytes, str]:
    """Every file and empty folder below, by the bytes of its name, with its checksum."""
    found: dict[bytes, str] = {}
    for path in folder.rglob("*"):
        name = os.fsencode(path.relative_to(folder))
        if path.is_file():
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(MB):
                    digest.update(block)
            found[name] = digest.hexdigest()
        elif not any(path.iterdir()):
            found[name] = "folder"
    return found


def counts(done: SyncResult) -> tuple[int, int, int, int]:
    return done.moved, done.unchanged, done.kept, done.failed


def objects(store: Store, bucket: str) -> dict[str, int]:
    return {found.key: found.size for found in store.list(bucket, "")}


def wait_for(what: Callable[[], Any], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob(".aigc_evals-*.part"))


def test_a_thousand_files_go_there_and_back_and_then_nothing_moves(
    server: ObjectStore, gate: Gate, env: dict[str, str], here: Path, there: Path, bucket: str
) -> None:
    for number in range(990):
        write(here, **{f"datasets/{number % 10}/第{number}号.jsonl": f'{{"input": "{number}", "ideal": "是"}}\n' * 50})
    names = [
        "空.txt",
        "é.txt",
        "e\u0301.txt",
        "a b+c%20&=?#.txt",
        "~'\"!*.csv",
        "深/深/深/层.jsonl",
        ".hidden",
        "x.tar.gz",
    ]
    write(here, **{f"datasets/{name}": name * (name != "空.txt") for name in names})
    (here / "datasets/empty/inner").mkdir(parents=True)
    (here / "datasets/空").mkdir()
    before = tree(here)
    assert len(before) == 1000

    first = cli.run("push", bucket, "datasets", "--json", env=env, program=PROGRAM, cwd=here).report
    assert (first["moved"], first["failed"], first["bucket_created"]) == (1000, 0, True)
    assert first["moved_bytes"] == sum(path.stat().st_size for path in here.rglob("*") if path.is_file())

    seen = len(server.requests())
    gate.come_back()
    second = cli.run("push", bucket, "./datasets/", "overwrite", "--json", env=env, program=PROGRAM, cwd=here).report
    assert (second["moved"], second["moved_bytes"], second["unchanged"]) == (0, 0, 1000)
    requests = server.requests()[seen:]
    assert {request.split()[0] for request in requests} == {"GET", "HEAD"}
    assert len(requests) <= 1000
    assert gate.up < 2 * MB  # requests alone

    pulled = cli.run("sync", "pull", bucket, "datasets", "--json", env=env, program="aigc_evals", cwd=there).report
    assert (pulled["moved"], pulled["failed"], pulled["moved_bytes"]) == (1000, 0, first["moved_bytes"])
    assert tree(there) == before
    again = sync("pull", bucket, "datasets/0", "overwrite", folder=there)
    assert (counts(again), again.moved_bytes) == ((0, 99, 0, 0), 0)
    assert tree(there) == before


MEASURED = """
import resource, sys
from aigc_evals.sync import sync
direction, bucket = sys.argv[1:]
sync(direction, bucket, "tiny")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
done = sync(direction, bucket, "large.bin")
print(done.moved, done.moved_bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_two_hundred_megabytes_go_in_parts_through_little_memory(
    server: ObjectStore, env: dict[str, str], here: Path, there: Path, bucket: str
) -> None:
    large(here / "large.bin", 200)
    write(here, tiny="x")

    def measured(direction: str, folder: Path) -> list[int]:
        command = [sys.executable, "-c", MEASURED, direction, bucket]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return [int(word) for word in done.stdout.split()]

    moved, size, more = measured("push", here)
    assert (moved, size) == (1, 200 * MB)
    assert more < 60 * 1024, "kB more than for a file of one byte"
    with connect() as store:
        assert store.call("head_object", Bucket=bucket, Key="large.bin")["ETag"].endswith('-25"')
    assert sum("large.bin?uploadId=" in request and request.startswith("PUT") for request in server.requests()) == 25
    moved, size, more = measured("pull", there)
    assert (moved, size) == (1, 200 * MB)
    assert more < 60 * 1024
    assert tree(there) == tree(here)


def test_no_overwrite_keeps_and_overwrite_replaces_both_ways(
    store: Store, here: Path, there: Path, bucket: str
) -> None:
    write(here, **{"d/same": "same", "d/size": "one", "d/content": "one"})
    assert counts(sync("push", bucket, "d")) == (3, 0, 0, 0)
    write(here, **{"d/size": "longer", "d/content": "two", "d/new": "new"})
    kept = sync("push", bucket, "d")
    assert counts(kept) == (1, 1, 2, 0)
    assert {item.key for item in kept.of("kept")} == {"d/size", "d/content"}
    assert counts(sync("pull", bucket, "d", folder=there)) == (4, 0, 0, 0)
    assert (there / "d/content").read_text() == "one"
    assert counts(sync("push", bucket, "d", "overwrite")) == (2, 2, 0, 0)
    assert counts(sync("pull", bucket, "d", folder=there)) == (0, 2, 2, 0)
    assert (there / "d/content").read_text() == "one"
    assert counts(sync("pull", bucket, "d", "overwrite", folder=there)) == (2, 2, 0, 0)
    assert tree(there) == tree(here)


def test_a_path_is_one_file_or_one_folder_and_not_its_neighbours(
    store: Store, here: Path, there: Path, bucket: str
) -> None:
    write(here, **{"d/a": "1", "d/ab": "2", "d2/a": "3", "d/a.x/b": "4"})
    assert counts(sync("push", bucket, ".")) == (4, 0, 0, 0)
    assert counts(sync("pull", bucket, "d/a", folder=there)) == (1, 0, 0, 0)
    assert tree(there).keys() == {b"d/a"}
    assert counts(sync("pull", bucket, "d", folder=there)) == (2, 1, 0, 0)
    assert tree(there).keys() == {b"d/a", b"d/ab", b"d/a.x/b"}
    assert counts(sync("pull", bucket, ".", folder=there)) == (1, 3, 0, 0)
    assert tree(there) == tree(here)


def test_a_bucket_is_made_in_the_region_of_the_environment(
    here: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    write(here, a="x")
    assert sync("push", bucket, "a").bucket_created
    assert not sync("push", bucket, "a").bucket_created
    with connect() as store:
        assert store.call("get_bucket_location", Bucket=bucket)["LocationConstraint"] == "eu-central-1"


def test_a_dry_run_changes_nothing(
    server: ObjectStore, env: dict[str, str], here: Path, there: Path, bucket: str
) -> None:
    write(here, **{"数据/a.jsonl": "{}\n"})
    seen = len(server.requests())
    done = cli.run("push", bucket, "数据", "--dry-run", env=env, program=PROGRAM, cwd=here)
    assert done.code == 0
    assert done.out.splitlines()[0] == "push  3  数据/a.jsonl"
    assert f"bucket {bucket} would be made" in done.out
    assert {request.split()[0] for request in server.requests()[seen:]} == {"GET"}
    sync("push", bucket, "数据")
    plan = sync("pull", bucket, "数据", dry_run=True, folder=there)
    assert (counts(plan), plan.moved_bytes) == ((1, 0, 0, 0), 3)
    assert list(there.iterdir()) == []


def test_what_another_tool_pushed_is_compared_by_its_entity_tag(
    store: Store, here: Path, there: Path, bucket: str
) -> None:
    write(here, **{"o/one": "content", "o/other": "written", "o/parts": os.urandom(6 * MB)})
    store.call("put_object", Bucket=bucket, Key="o/one", Body=b"content")
    store.call("put_object", Bucket=bucket, Key="o/other", Body=b"changed")
    name = {"Bucket": bucket, "Key": "o/parts"}
    upload = store.call("create_multipart_upload", **name)["UploadId"]
    sent = []
    for number, start in ((1, 0), (2, 5 * MB)):
        body = (here / "o/parts").read_bytes()[start : start + 5 * MB]
        tag = store.call("upload_part", **name, UploadId=upload, PartNumber=number, Body=body)["ETag"]
        sent.append({"ETag": tag, "PartNumber": number})
    store.call("complete_multipart_upload", **name, UploadId=upload, MultipartUpload={"Parts": sent})
    assert counts(sync("push", bucket, "o")) == (0, 2, 1, 0)
    assert counts(sync("pull", bucket, "o", "overwrite")) == (1, 2, 0, 0)
    assert (here / "o/other").read_text() == "changed"
    assert counts(sync("pull", bucket, "o", folder=there)) == (3, 0, 0, 0)
    assert tree(there) == tree(here)


@pytest.mark.parametrize("size", [20, 3 * MB])
def test_an_object_that_does_not_have_its_checksum_never_gets_its_name(
    store: Store, env: dict[str, str], here: Path, bucket: str, size: int
) -> None:
    wrong = {"sha256": hashlib.sha256(b"other").hexdigest()}
    store.call("put_object", Bucket=bucket, Key="d/bad.jsonl", Body=b" " * size, Metadata=wrong)
    store.call("put_object", Bucket=bucket, Key="d/good.jsonl", Body=b"{}")
    for _ in range(2):
        done = cli.run("pull", bucket, "d", env=env, program=PROGRAM, cwd=here)
        assert done.code == 1
        assert "failed: d/bad.jsonl: damaged" in done.err
        assert tree(here).keys() == {b"d/good.jsonl"}
    with pytest.raises(StoreError, match="checksum"):
        get_jsonl(f"s3://{bucket}/d/bad.jsonl")


def test_keys_that_would_leave_the_folder_are_refused(
    store: Store, env: dict[str, str], here: Path, tmp_path: Path, bucket: str
) -> None:
    keys = ["d/\\..\\..\\evil", "d/C:/evil", "d/both", "d/both/x", "d/fine", "d/full/", "d/x/..", "d/x/../../../evil"]
    stored = []
    for key in keys:
        with contextlib.suppress(StoreError):  # the server itself may refuse one; they are tried without one elsewhere
            store.call("put_object", Bucket=bucket, Key=key, Body=b"x")
            stored.append(key)
    assert len(stored) >= 6
    done = cli.run("pull", bucket, "d", "--json", env=env, program=PROGRAM, cwd=here)
    assert done.code == 1
    files = {file["key"]: file["action"] for file in done.report["files"]}
    assert files == {**dict.fromkeys(objects(store, bucket), "failed"), "d/fine": "moved"}
    assert tree(here).keys() == {b"d/fine"}
    assert not list(tmp_path.rglob("*evil*"))
    assert done.err.count("failed: ") == len(files) - 1


def test_a_store_that_dies_half_way_is_gone_on_with(
    gate: Gate, env: dict[str, str], here: Path, there: Path, bucket: str
) -> None:
    for number in range(60):
        write(here, **{f"d/{number}": os.urandom(50_000)})
    gate.break_after, gate.stay_away = 1_500_000, True
    done = cli.run("push", bucket, "d", "--json", env=env, program=PROGRAM, cwd=here)
    assert done.code == 1
    first = done.report
    assert 0 < first["moved"] < 60
    assert first["moved"] + first["failed"] == 60
    assert any("does not answer" in file["reason"] for file in first["files"] if file["action"] == "failed")
    assert any(file["reason"].startswith("not tried") for file in first["files"] if file["action"] == "failed")
    gate.come_back()
    second = sync("push", bucket, "d")
    # What the store had taken when its answer was cut off is there too.
    assert first["moved"] <= second.unchanged <= first["moved"] + 8
    assert second.moved == 60 - second.unchanged
    assert gate.up < second.moved_bytes + 200_000

    gate.break_after = 1_500_000
    broken = sync("pull", bucket, "d", folder=there)
    assert 0 < broken.moved < 60
    whole = tree(here)
    unfinished = {os.fsencode(part.relative_to(there)) for part in parts(there)}
    assert {name for name, content in tree(there).items() if content != whole.get(name)} == unfinished
    gate.come_back()
    rest = sync("pull", bucket, "d", folder=there)
    assert counts(rest) == (60 - broken.moved, broken.moved, 0, 0)
    assert tree(there) == tree(here)


def test_a_connection_that_breaks_is_taken_up_at_the_same_byte(
    gate: Gate, here: Path, there: Path, bucket: str
) -> None:
    large(here / "a.bin", 12)
    assert sync("push", bucket, "a.bin").moved == 1
    gate.come_back()
    gate.break_after, gate.stay_away = 8 * MB, False
    assert sync("pull", bucket, "a.bin", folder=there).moved == 1
    assert tree(there) == tree(here)
    assert gate.down < 14 * MB


def test_a_pull_that_is_killed_is_continued_within_the_file(
    gate: Gate, env: dict[str, str], here: Path, there: Path, bucket: str
) -> None:
    large(here / "d/a.bin", 24)
    write(here, **{"d/b": "b"})
    assert sync("push", bucket, "d").moved == 2
    gate.rate = 20 * MB
    process = cli.start("pull", bucket, "d", env=env, program=PROGRAM, cwd=there)
    wait_for(lambda: any(part.stat().st_size > 8 * MB for part in parts(there)))
    process.kill()
    cli.finish(process)
    assert tree(there).keys() == {b"d/b", os.fsencode(parts(there)[0].relative_to(there))}
    fetched = parts(there)[0].stat().st_size
    write(there, **{f"d/{parts(there)[0].name[:29]}0123456789abcdef.part": "of a version that is gone"})
    gate.come_back()
    gate.rate = None
    assert counts(sync("pull", bucket, "d", folder=there)) == (1, 1, 0, 0)
    assert tree(there) == tree(here)
    assert gate.down < 24 * MB - fetched + MB


def test_what_is_left_of_another_content_is_not_gone_on_with(gate: Gate, here: Path, there: Path, bucket: str) -> None:
    large(here / "a.bin", 4)
    sync("push", bucket, "a.bin")
    gate.break_after, gate.stay_away = 2 * MB, True
    assert sync("pull", bucket, "a.bin", folder=there).failed == 1
    (part,) = parts(there)
    part.write_bytes(b"?" * part.stat().st_size)
    gate.come_back()
    assert sync("pull", bucket, "a.bin", folder=there).moved == 1
    assert tree(there) == tree(here)


def uploads(store: Store, bucket: str) -> int:
    return len(store.call("list_multipart_uploads", Bucket=bucket).get("Uploads", ()))


def test_a_push_that_is_killed_is_continued_and_its_parts_are_given_up(
    gate: Gate, store: Store, server: ObjectStore, env: dict[str, str], here: Path, there: Path, bucket: str
) -> None:
    for number in range(20):
        write(here, **{f"d/{number}": "x" * 1000})
    large(here / "d/z.bin", 40)
    gate.rate = 5 * MB
    process = cli.start("push", bucket, "d", env=env, program=PROGRAM, cwd=here)
    wait_for(lambda: uploads(store, bucket) == 1 and len(objects(store, bucket)) > 5)
    process.kill()
    cli.finish(process)
    assert "d/z.bin" not in objects(store, bucket)
    assert uploads(store, bucket) == 1
    before = len(objects(store, bucket))
    gate.rate = None
    done = sync("push", bucket, "d")
    assert (done.unchanged, done.moved) == (before, 21 - before)
    assert uploads(store, bucket) == 0
    sync("pull", bucket, "d", folder=there)
    assert tree(there) == tree(here)


@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal are another thing there")
def test_an_interrupted_sync_ends_soon_and_leaves_nothing_half(
    gate: Gate, store: Store, env: dict[str, str], here: Path, bucket: str
) -> None:
    large(here / "d/z.bin", 40)
    gate.rate = 2 * MB
    del env["PYTHONWARNINGS"]  # what is cancelled within s3transfer leaves a file for the end of the process to close
    process = cli.start("push", bucket, "d", env=env, program=PROGRAM, cwd=here)
    wait_for(lambda: uploads(store, bucket) == 1)
    process.send_signal(signal.SIGINT)
    done = cli.finish(process, timeout=30)
    assert (done.code, done.err.splitlines()) == (130, ["interrupted"])
    assert objects(store, bucket) == {}
    gate.rate = None
    assert sync("push", bucket, "d").moved == 1
    assert uploads(store, bucket) == 0


def test_a_file_that_changes_while_it_is_pushed_is_not_left_there(
    gate: Gate, store: Store, env: dict[str, str], here: Path, bucket: str
) -> None:
    large(here / "z.bin", 20)
    gate.rate = 10 * MB
    process = cli.start("push", bucket, "z.bin", env=env, program=PROGRAM, cwd=here)
    wait_for(lambda: uploads(store, bucket) == 1)
    with (here / "z.bin").open("r+b") as file:
        file.write(b"changed")
    done = cli.finish(process)
    assert (done.code, "changed while it was pushed" in done.err) == (1, True)
    assert objects(store, bucket) == {}


def test_samples_are_read_from_the_store(store: Store, env: dict[str, str], here: Path, bucket: str) -> None:
    rows = [{"input": [{"role": "user", "content": f"问{n}"}], "ideal": "答"} for n in range(30)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write(here, **{"集/a.jsonl": lines, "集/b.jsonl.gz": gzip.compress(lines.encode()), "集/notes.txt": "x"})
    write(here, **{"集/.old/c.jsonl": "broken"})
    sync("push", bucket, "集")
    url = f"s3://{bucket}/集"
    assert get_jsonl(f"{url}/a.jsonl") == get_jsonl(f"{url}/b.jsonl.gz") == rows
    assert get_jsonl(url) == get_jsonl(f"{url}/") == rows + rows
    with open_by_file_pattern(f"{url}/a.jsonl") as stream:
        assert stream.read() == lines
    with contextlib.closing(JsonlSamples.open(url)) as remote, contextlib.closing(JsonlSamples.open("集")) as local:
        assert list(remote) == list(local)
        assert remote.sha256 == local.sha256
    write(
        here,
        **{
            "registry/evals/far.yaml": f"far:\n  id: far.dev.v0\n  metrics: [accuracy]\nfar.dev.v0:\n"
            f"  class: aigc_evals.elsuite.basic.match:Match\n  args:\n    samples_jsonl: {url}\n"
        },
    )
    done = cli.run(
        "dummy", "far", "--registry_path", "registry", "--record_path", "log.jsonl", "--json", env=env, cwd=here
    )
    assert done.code == 0, done.err
    assert done.report["planned"] == 60
    assert remote.sha256 in (here / "log.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name, said",
    [
        ("s3://{bucket}/none.jsonl", "no such data file"),
        ("s3://{bucket}/none", "no such data file"),
        ("s3://no-such-bucket/a.jsonl", "no such bucket"),
        ("s3://{bucket}/text", "no JSONL files"),
        ("s3://{bucket}/broken.jsonl.gz", "damaged or not gz data"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(store: Store, bucket: str, name: str, said: str) -> None:
    store.call("put_object", Bucket=bucket, Key="text/a.txt", Body=b"x")
    store.call("put_object", Bucket=bucket, Key="broken.jsonl.gz", Body=b"x")
    with pytest.raises(UsageError, match=said):
        get_jsonl(name.format(bucket=bucket))
    with pytest.raises(UsageError, match="only read"):
        open_by_file_pattern(f"s3://{bucket}/a.jsonl", "w")


CASES: dict[str, tuple[list[str], dict[str, str | None], str]] = {
    "no bucket": (["pull", "no-such-bucket", "d"], {}, "no such bucket"),
    "nothing there": (["pull", "{bucket}", "none"], {}, "--dry-run"),
    "nothing here": (["push", "{bucket}", "none"], {}, "no such file"),
    "no credentials": (
        ["pull", "{bucket}", "d"],
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
        "AWS_PROFILE",
    ),
    "half credentials": (["pull", "{bucket}", "d"], {"AWS_SECRET_ACCESS_KEY": None}, "missing: AWS_SECRET_ACCESS_KEY"),
    "no profile": (["pull", "{bucket}", "d"], {"AWS_PROFILE": "work"}, "(work) could not be found"),
    "no address": (["push", "{bucket}", "d"], {"AWS_ENDPOINT_URL": "localhost:9000"}, "http://localhost:9000"),
    "nobody there": (
        ["push", "{bucket}", "d"],
        {"AWS_ENDPOINT_URL": "http://me:hunter2hunter2@127.0.0.1:9"},
        "does not answer",
    ),
    "no name": (["push", "B_", "d"], {}, "no name of a bucket"),
    "outside": (["push", "{bucket}", "../d"], {}, "must not leave"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said_at_once_with_a_hint(
    store: Store, env: dict[str, str], here: Path, bucket: str, name: str
) -> None:
    words, settings, said = CASES[name]
    write(here, **{"d/a": "x"})
    made = {key: value for key, value in {**env, **settings}.items() if value is not None}
    done = cli.run(*(word.format(bucket=bucket) for word in words), env=made, program=PROGRAM, cwd=here)
    assert (done.code, said in done.message) == (2, True), done.err
    assert len(done.message.splitlines()) <= 2
    assert not any(secret in done.message for secret in (KEY, SECRET, "hunter2hunter2"))
    assert objects(store, bucket) == {}


def test_credentials_that_are_refused_are_named_and_not_shown(
    store: Store, server: ObjectStore, env: dict[str, str], here: Path, bucket: str
) -> None:
    write(here, **{"d/a": "x"})

    def unchecked(requests: int) -> None:
        """Take so many requests more without looking at their credentials."""
        headers = {"Content-Type": "text/plain"}
        address = f"{server.url}/moto-api/reset-auth"
        with urllib.request.urlopen(urllib.request.Request(address, str(requests).encode(), headers)):
            pass

    unchecked(0)
    try:
        done = cli.run("push", bucket, "d", env=env, program=PROGRAM, cwd=here)
        with pytest.raises(StoreError, match="refuses the credentials") as caught:
            get_jsonl(f"s3://{bucket}/a.jsonl")
    finally:
        unchecked(10**9)
    assert done.code == 2
    assert "refuses the credentials" in done.message
    assert not any(secret in done.err + str(caught.value) for secret in (KEY, SECRET))


def test_debugging_messages_have_no_credentials(store: Store, env: dict[str, str], here: Path, bucket: str) -> None:
    store.call("put_object", Bucket=bucket, Key="a.jsonl", Body=b'{"input": "a", "ideal": "b"}\n')
    yaml = (
        "far:\n  id: far.dev.v0\n  metrics: [accuracy]\nfar.dev.v0:\n  class: aigc_evals.elsuite.basic.match:Match\n"
        f"  args:\n    samples_jsonl: s3://{bucket}/a.jsonl\n"
    )
    write(here, **{"registry/evals/far.yaml": yaml})
    token = "IQoJb3JpZ2luX2VjEXAMPLEtoken"
    words = ("dummy", "far", "--registry_path", "registry", "--debug", "--record_path", "log.jsonl")
    done = cli.run(*words, env={**env, "AWS_SESSION_TOKEN": token}, cwd=here)
    assert done.code == 0, done.err
    told = done.out + done.err + (here / "log.jsonl").read_text(encoding="utf-8")
    assert not any(secret in told for secret in (KEY, SECRET, token, "Signature="))


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_bar_is_shown_on_a_terminal_only(env: dict[str, str], here: Path, bucket: str) -> None:
    import pty

    write(here, **{"d/a": b"x" * 100_000})
    ours, theirs = pty.openpty()
    process = cli.start("push", bucket, "d", env=env, program=PROGRAM, cwd=here, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while content := os.read(ours, 4096):
            shown += content
    os.close(ours)
    assert process.communicate()[0].startswith("bucket ")
    assert b"pushed: 100%" in shown
    assert cli.run("push", bucket, "d", "overwrite", env=env, program=PROGRAM, cwd=here).err == ""
