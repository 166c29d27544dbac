"""News articles with the points above them, found by the hash of their address."""

from __future__ import annotations

import hashlib

import pytest
from support.generators import World, tar_of

STORIES = (
    "https://huggingface.co/datasets/cnn_dailymail/resolve/11343c3752184397d56efc19a8a7cceb68089318/data/{}_stories.tgz"
)
LISTS = "https://raw.githubusercontent.com/abisee/cnn-dailymail/master/url_lists/all_{}.txt"


def address(paper: str, n: int) -> str:
    return f"http://web.archive.org/web/20150401id_/http://www.{paper}.example/{n}.html"


def archive(paper: str, texts: dict[int, str]) -> bytes:
    return tar_of(
        {
            f"{paper}/stories/{hashlib.sha1(address(paper, n).encode()).hexdigest()}.story": text.encode()
            for n, text in texts.items()
        }
    )


def story(n: int) -> str:
    return (
        f"(CNN)The mayor of town no. {n} opened a bridge.\n\nPhoto: the bridge\n\n“It is long,” she said.\n\n"
        f"@highlight\n\nNEW: Bridge {n} is open\n\n@highlight\n\nMayor: it's long\n"
    )


def served() -> dict[str, bytes]:
    cnn = {n: story(n) for n in range(4)} | {4: "@highlight\n\nOnly a point\n"}
    mail = {n: story(n).replace("(CNN)", "By . A Reporter . ") for n in range(10, 13)}
    return {
        STORIES.format("cnn"): archive("cnn", cnn),
        STORIES.format("dailymail"): archive("dailymail", mail),
        LISTS.format("test"): "\n".join(
            [*(address("cnn", n) for n in (1, 4, 0)), address("dailymail", 12), ""]
        ).encode(),
        LISTS.format("val"): f"{address('cnn', 2)}\n{address('dailymail', 10)}\n".encode(),
    }


def test_cnn_daily_mail(world: World) -> None:
    made = world.generate("CNNDailyMail", served(), "--few_shot", 1)
    assert [row["ideal"] for row in made.rows] == [f"NEW: Bridge {n} is open\nMayor: it's long" for n in (1, 0, 12)]
    assert made.rows[0]["input"][-1]["content"] == (
        "Article:\n\n(CNN)The mayor of town no. 1 opened a bridge.\n\nPhoto: the bridge\n\n“It is long,” she said."
    )
    assert made.rows[0]["input"][2]["content"].startswith("NEW: Bridge ")
    # "Bridge 7" has 1 of its 2 tokens in common with the 9 of the points: 2 * 1/2 * 1/9 / (1/2 + 1/9).
    made.scores("CNNDailyMail_rouge", right=2, wrong="Bridge 7", rouge1=(2 + 2 / 11) / 3, rouge2=2 / 3)
    made.scores("CNNDailyMail_fact", right=2)
    world.checked("CNNDailyMail")
    assert len(world.unpacked("CNNDailyMail")) == 6 + 2, "the stories of the splits and the two lists"


def test_cnn_daily_mail_needs_both_archives(world: World) -> None:
    folder = world.folder / "raw"
    folder.mkdir()
    for url, content in served().items():
        if "dailymail_stories" not in url:
            (folder / url.rpartition("/")[2]).write_bytes(content)
    code, _, err = world.command("generate", "CNNDailyMail", "--source", folder)
    assert code == 2
    assert "dailymail_stories.tgz" in err
    assert "all_val.txt:2" in err


@pytest.mark.parametrize("beside", ["url_lists", "."])
def test_cnn_daily_mail_takes_a_folder_that_is_unpacked(world: World, beside: str) -> None:
    folder = world.folder / "raw"
    for n in (1, 2):
        path = folder / "cnn" / "stories" / f"{hashlib.sha1(address('cnn', n).encode()).hexdigest()}.story"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(story(n), encoding="utf-8")
    lists = folder / beside
    lists.mkdir(exist_ok=True)
    (lists / "all_val.txt").write_text(address("cnn", 2), encoding="utf-8")
    (lists / "all_test.txt").write_text(address("cnn", 1), encoding="utf-8")
    made = world.generate("CNNDailyMail", {}, "--source", folder)
    assert [row["ideal"] for row in made.rows] == ["NEW: Bridge 1 is open\nMayor: it's long"]
    made.scores("CNNDailyMail_rouge", right=1, rougeL=pytest.approx(1.0))
