"""Named models as their users have them: files, processes, and a real HTTP API that behaves and misbehaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from support import cli, logs
from support.loopback_http import LoopbackHTTPServer

import aigc_evals
from aigc_evals.prompt.base import chat_prompt_to_text_prompt

TOKEN = "sk-this-is-the-secret-of-the-test-0123456789"
PLANNED = 10
"""Samples of test-match."""


class Glm:
    """An HTTP API as in-house models have them: a POST of ``input``, ``history``, ``conv_user_id``; the answer is
    ``body.message``. ``faults`` are what the next requests get in place of an answer.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.always: str | None = None
        self.asked: list[dict[str, Any]] = []
        self.seconds = 0.0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        glm = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, content, wait = glm.answer(body)
                time.sleep(wait)
                glm.left()
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(content)))
                    if status == 429:
                        self.send_header("Retry-After", "0.01")
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    # The client did not wait.
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = LoopbackHTTPServer(Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"{self._server.url}/glm"

    def answer(self, body: dict[str, Any]) -> tuple[int, bytes, float]:
        with self._lock:
            self.asked.append(body)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            fault = self.faults.pop(0) if self.faults else self.always
        if fault == "slow":
            return 200, self._said("too late"), 1.0
        if fault == "garbage":
            return 200, "<html>网关</html>".encode(), 0.0
        if fault == "null":
            return 200, json.dumps({"body": {"message": None}}).encode(), 0.0
        if fault not in (None, "fine"):
            return int(str(fault)), json.dumps({"error": f"no, {TOKEN}"}).encode(), 0.0
        return 200, self._said("True"), self.seconds

    @staticmethod
    def _said(message: str) -> bytes:
        return json.dumps({"body": {"message": message}}, ensure_ascii=False).encode()

    def left(self) -> None:
        with self._lock:
            self._at_once -= 1

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def glm() -> Iterator[Glm]:
    made = Glm()
    yield made
    made.close()


REQUESTS = '''
import os
from uuid import uuid4

import requests
from aigc_evals import NamedModel

with open(os.environ["LOADED"], "a", encoding="utf-8") as file:
    file.write("loaded\\n")


class ChatGLMAPI(NamedModel):
    """A chat model behind an API of our own."""

    MODEL_NAME = "chatglm_api"
    {limits}

    @classmethod
    def create(cls, *args, **kwargs):
        data = {{"input": kwargs["prompt"], "history": [], "conv_user_id": str(uuid4())}}
        headers = {{"Authorization": "Bearer " + os.environ["GLM_TOKEN"]}}
        response = requests.post(os.environ["GLM_URL"], json=data, headers=headers, timeout=0.5)
        response.raise_for_status()
        return response.json()["body"]["message"]
'''

AIOHTTP = """
import os
from uuid import uuid4

import aiohttp
from aigc_evals import NamedModel


class ChatGLMAPI(NamedModel):
    MODEL_NAME = "chatglm_async"

    def __init__(self):
        self.session = None

    async def create(self, prompt, **kwargs):
        if self.session is None:
            self.session = aiohttp.ClientSession(raise_for_status=True)
        data = {"input": prompt, "history": [], "conv_user_id": str(uuid4())}
        async with self.session.post(os.environ["GLM_URL"], json=data, timeout=aiohttp.ClientTimeout(0.5)) as response:
            return (await response.json(content_type=None))["body"]["message"]

    async def aclose(self):
        if self.session is not None:
            await self.session.close()
            self.session = None
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def chatglm(folder: Path, limits: str = "") -> Path:
    return write(folder / "模型.py", REQUESTS.format(limits=limits))


def environment(home: Path, glm: Glm, **more: str) -> dict[str, str]:
    return cli.environment(home, GLM_URL=glm.url, GLM_TOKEN=TOKEN, LOADED=str(home / "loaded"), **more)


def ask(home: Path, glm: Glm, *words: object, name: str = "chatglm_api", **more: str) -> cli.Finished:
    given = [name, "test-match", "--json", "--record_path", home / "log.jsonl", *words]
    return cli.run(*given, env=environment(home, glm, **more))


# -- the API ----------------------------------------------------------------------------------------------------------


def test_an_api_is_evaluated_in_a_few_lines(home: Path, glm: Glm) -> None:
    done = ask(home, glm, "--models", chatglm(home))
    assert done.code == 0, done.err
    assert done.report["outcomes"]["scored"] == done.report["planned"] == PLANNED
    assert (home / "loaded").read_text(encoding="utf-8") == "loaded\n"
    prompts = [event["data"]["prompt"] for event in logs.events(home / "log.jsonl", "sampling")]
    rendered = [chat_prompt_to_text_prompt(prompt, for_completion=False) for prompt in prompts]
    assert sorted(rendered) == sorted(body["input"] for body in glm.asked)
    assert all("User: " in text and not text.endswith("Assistant:") for text in rendered)
    assert {json.dumps(body["history"]) for body in glm.asked} == {"[]"}
    assert len({body["conv_user_id"] for body in glm.asked}) == PLANNED


@pytest.mark.parametrize("fault", ["429", "500", "503", "slow", "garbage"])
@pytest.mark.parametrize("client", [REQUESTS, AIOHTTP], ids=["requests", "aiohttp"])
def test_what_may_pass_is_asked_again(client: str, fault: str, home: Path, glm: Glm) -> None:
    glm.faults = [fault] * 2
    path = chatglm(home) if client is REQUESTS else write(home / "异步.py", client)
    name = "chatglm_api" if client is REQUESTS else "chatglm_async"
    done = ask(home, glm, "--models", path, "--concurrency", "2", name=name)
    assert done.code == 0, done.err
    assert done.report["outcomes"]["scored"] == PLANNED
    assert done.report["retries"] == 2
    assert len(glm.asked) == PLANNED + 2


def test_a_wrong_key_ends_the_run_at_the_first_answer(home: Path, glm: Glm) -> None:
    glm.always = "401"
    done = ask(home, glm, "--models", chatglm(home), "--concurrency", "1")
    assert done.code == 2
    assert "HTTPError: 401 Client Error" in done.message
    assert TOKEN not in done.message
    assert len(glm.asked) == 1
    assert not (home / "log.jsonl").exists()


@pytest.mark.parametrize("faults", [["null"], ["fine", "null"]])
def test_an_answer_that_is_null_is_an_empty_one_whenever_it_comes(faults: list[str], home: Path, glm: Glm) -> None:
    glm.faults = faults
    done = ask(home, glm, "--models", chatglm(home), "--concurrency", "1", "--max_samples", "4")
    assert done.code == 0
    assert (done.report["outcomes"]["scored"], done.report["outcomes"]["empty"]) == (3, 1)


def test_a_call_that_keeps_failing_becomes_an_error_that_hides_the_key(home: Path, glm: Glm) -> None:
    glm.always = "500"
    done = ask(home, glm, "--models", chatglm(home, "retries = 1"), "--max_samples", "3")
    assert done.code == 1
    assert done.report["outcomes"]["error"] == 3
    assert len(glm.asked) == 6, "the class says that a call is repeated once"
    assert TOKEN not in (home / "log.jsonl").read_text(encoding="utf-8")


def test_no_more_calls_are_made_at_once_than_the_class_allows(home: Path, glm: Glm) -> None:
    glm.seconds = 0.05
    done = ask(home, glm, "--models", chatglm(home, "max_concurrency = 3"))
    assert done.code == 0, done.err
    assert glm.most_at_once == 3


def test_a_class_without_a_bound_is_asked_concurrently(home: Path, glm: Glm) -> None:
    glm.seconds = 0.4
    done = ask(home, glm, "--models", write(home / "异步.py", AIOHTTP), name="chatglm_async")
    assert done.code == 0, done.err
    assert glm.most_at_once > 3


def test_the_time_limit_of_a_class_is_kept(home: Path, glm: Glm) -> None:
    write(
        home / "slow.py",
        "import asyncio\nfrom aigc_evals import NamedModel\nclass Slow(NamedModel):\n    MODEL_NAME = 'slow'\n"
        "    timeout = 0.1\n    retries = 0\n    async def create(self, prompt):\n        await asyncio.sleep(30)\n",
    )
    done = ask(home, glm, "--models", home / "slow.py", "--max_samples", "2", name="slow")
    assert done.code == 1
    assert done.report["outcomes"]["error"] == 2
    assert done.seconds < 29
    assert {event["data"]["kind"] for event in logs.events(home / "log.jsonl", "error")} == {"timeout"}


# -- where classes are found ------------------------------------------------------------------------------------------


def test_the_users_folder_is_searched(home: Path, glm: Glm) -> None:
    chatglm(home / ".aigc_evals" / "models").rename(home / ".aigc_evals" / "models" / "mine.py")
    path = home / ".aigc_evals" / "models" / "mine.py"
    path.write_text(path.read_text(encoding="utf-8").replace("chatglm_api", "我的模型"), encoding="utf-8")
    write(home / ".aigc_evals" / "models" / "broken.py", "MODEL_NAME = (")
    done = ask(home, glm, name="我的模型")
    assert done.code == 0, done.err
    assert done.report["outcomes"]["scored"] == PLANNED
    loaded = (home / "loaded").read_text(encoding="utf-8")
    other = cli.run("dummy", "test-match", env=environment(home, glm))
    assert other.code == 0
    assert (home / "loaded").read_text(encoding="utf-8") == loaded, "whoever does not need it does not load it"


def test_the_variable_and_the_flag_name_files(home: Path, glm: Glm) -> None:
    path = chatglm(home)
    assert ask(home, glm, "--max_samples", "1", AIGC_EVALS_MODELS=f"{path},{path}").code == 0
    done = ask(home, glm, "--record_path", home / "other.jsonl", "--models", home / "gone.py")
    assert done.code == 2
    assert "gone.py: no such Python file" in done.message


def test_a_registry_may_name_the_class(home: Path, glm: Glm) -> None:
    write(home / "named_in_yaml.py", REQUESTS.format(limits="").replace('"chatglm_api"', '"unused"'))
    write(home / "r" / "completion_fns" / "a.yaml", "glm/prod:\n  class: named_in_yaml:ChatGLMAPI\n")
    done = ask(home, glm, "--registry_path", home / "r", name="glm/prod")
    assert done.code == 0, done.err
    assert len(glm.asked) == PLANNED


@pytest.mark.parametrize(
    "value, name", [("glm_plugin:ChatGLMAPI", "by-point"), ("glm_plugin", "chatglm_plugin")], ids=["class", "module"]
)
def test_a_package_offers_a_class_or_a_module_of_them(value: str, name: str, home: Path, glm: Glm) -> None:
    site = home / "site"
    write(site / "glm_plugin.py", REQUESTS.format(limits="").replace('"chatglm_api"', '"chatglm_plugin"'))
    info = site / "glm_plugin-1.0.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: glm-plugin\nVersion: 1.0\n")
    write(info / "entry_points.txt", f"[aigc_evals.completion_fns]\nby-point = {value}\n")
    done = ask(home, glm, name=name, PYTHONPATH=str(site))
    assert done.code == 0, done.err
    assert len(glm.asked) == PLANNED


def test_a_broken_module_of_a_package_is_told_of_where_a_name_is_unknown(home: Path, glm: Glm) -> None:
    site = home / "site"
    info = site / "glm_plugin-1.0.dist-info"
    write(site / "glm_plugin.py", "import no_such_module_of_anyone")
    write(info / "METADATA", "Metadata-Version: 2.1\nName: glm-plugin\nVersion: 1.0\n")
    write(info / "entry_points.txt", "[aigc_evals.completion_fns]\nby-point = glm_plugin\n")
    done = ask(home, glm, name="unknown-model", PYTHONPATH=str(site))
    assert done.code == 2
    assert "no_such_module_of_anyone" in done.message
    assert "glm-plugin" in done.message
    assert ask(home, glm, name="dummy", PYTHONPATH=str(site)).code == 0


def test_two_files_with_one_name_are_refused(home: Path, glm: Glm) -> None:
    first, second = chatglm(home / "a"), chatglm(home / "b")
    done = ask(home, glm, "--models", first, "--models", second)
    assert done.code == 2
    assert f"two classes are named 'chatglm_api': {first}:12 and {second}:12" in done.message


def test_a_set_takes_models_and_a_judge(home: Path, glm: Glm) -> None:
    write(
        home / "r" / "eval_sets" / "both.yaml",
        "both:\n  evals:\n    - test-match\n    - test-modelgraded\n",
    )
    words = ["--models", chatglm(home), "--judge", "baseline/judge", "--registry_path", home / "r"]
    done = cli.run(
        "chatglm_api", "both", *words, "--record_path", home / "logs", env=environment(home, glm), program=cli.SET
    )
    assert "Traceback" not in done.err
    found = {}
    for path in (home / "logs").glob("*.jsonl"):
        spec = logs.lines(path)[0]["spec"]
        found[spec["base_eval"]] = spec["run_config"].get("judge")
    assert found == {"test-match": None, "test-modelgraded": {"name": "baseline/judge", "rule": "judge"}}
    assert (home / "loaded").read_text(encoding="utf-8") == "loaded\n"


def test_list_and_show_tell_where_a_model_comes_from(home: Path, glm: Glm) -> None:
    env = environment(home, glm)
    path = chatglm(home)
    write(
        home / ".aigc_evals" / "models" / "本地.py",
        "import no_such_module_of_anyone\nclass Local(Base):\n    'Kept at home.'\n    MODEL_NAME = 'local/模型'\n",
    )
    write(home / ".aigc_evals" / "models" / "broken.py", "x = 1\nMODEL_NAME = (")
    listed = cli.run("list", "completion_fns", "--models", path, env=env, program="aigc_evals")
    assert listed.code == 0
    assert "  chatglm_api  ChatGLMAPI  模型.py:12  A chat model behind an API of our own." in listed.out
    assert "  local/模型   Local       本地.py:2   Kept at home." in listed.out
    assert "broken.py:2: cannot be loaded" in listed.err
    rows = json.loads(cli.run("list", "local/*", "--json", env=env, program="aigc_evals").out)
    assert [(row["kind"], row["name"], row["line"]) for row in rows] == [("named model", "local/模型", 2)]
    shown = cli.run("show", "local/模型", env=env, program="aigc_evals")
    assert shown.code == 0
    assert "本地.py:2" in shown.out
    assert "no_such_module_of_anyone" in shown.out


def test_a_class_may_be_passed_to_run_itself(glm: Glm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    class Direct(aigc_evals.NamedModel):
        MODEL_NAME = "direct"

        def create(self, prompt: str) -> str:
            reply = requests.post(glm.url, json={"input": prompt}, timeout=10)
            reply.raise_for_status()
            answer: str = reply.json()["body"]["message"]
            return answer

    glm.faults = ["500"]
    result = aigc_evals.run(Direct, "test-match", record_path=tmp_path / "log.jsonl", progress=False)
    assert (result.report["outcomes"]["scored"], result.report["retries"]) == (PLANNED, 1)


PLAIN = """
import os
import requests

def answer(prompt, **kwargs):
    reply = requests.post(os.environ["GLM_URL"], json={"input": "x"}, timeout=0.5)
    reply.raise_for_status()
    return reply.json()["body"]["message"]
"""


def test_the_errors_of_plain_functions_are_told_apart_too(home: Path, glm: Glm) -> None:
    name = f"{write(home / 'plain.py', PLAIN)}:answer"
    glm.faults = ["slow", "503", "garbage"]
    done = ask(home, glm, "--concurrency", "2", name=name)
    assert done.code == 0, done.err
    assert (done.report["outcomes"]["scored"], done.report["retries"]) == (PLANNED, 3)
    glm.asked.clear()
    glm.always = "401"
    refused = ask(home, glm, "--concurrency", "1", "--record_path", home / "other.jsonl", name=name)
    assert refused.code == 2
    assert "401" in refused.message
    assert len(glm.asked) == 1
