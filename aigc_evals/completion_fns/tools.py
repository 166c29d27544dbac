"""Tools that a model may call: Python functions and commands, each with a limit on its time and on what it says."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from aigc_evals.completion_fns.tool_schema import function_schema
from aigc_evals.errors import UsageError, nearest
from aigc_evals.fastjson import encode
from aigc_evals.objects import python_object

BUILT_IN = {"calculator": "aigc_evals.completion_fns.calculator:calculator"}
"""Tools that are there by their names."""

DEFAULT_TIMEOUT = 30.0
DEFAULT_MAX_OUTPUT = 10_000
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COMMON = ("name", "description", "timeout", "max_output")
_OF_FUNCTION = ("function", *_COMMON)
_OF_COMMAND = ("command", "parameters", "env", *_COMMON)
_SECRET = re.compile(r"key|token|secret|passw|credential|auth", re.IGNORECASE)
_ANYTHING: Mapping[str, Any] = {"type": "object", "properties": {}, "additionalProperties": True}


class ToolError(Exception):
    """A tool could not do what it was asked; the text is what the model is told."""


@dataclass(frozen=True)
class FunctionTool:
    """A Python function, plain (run in a thread) or async. ``timeout`` in seconds; a thread that does not end by then is
    left to itself, as nothing can stop it.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    function: Callable[..., Any]
    threads: Callable[[], Executor]
    timeout: float = DEFAULT_TIMEOUT
    max_output: int = DEFAULT_MAX_OUTPUT

    async def run(self, arguments: dict[str, Any]) -> str:
        try:
            return _as_text(await asyncio.wait_for(self._call(arguments), self.timeout))
        except asyncio.TimeoutError:
            raise ToolError(f"no result within {self.timeout:g} s") from None
        except Exception as error:
            raise ToolError(f"{type(error).__name__}: {error}") from error

    async def _call(self, arguments: dict[str, Any]) -> Any:
        if inspect.iscoroutinefunction(self.function):
            return await self.function(**arguments)
        call = partial(copy_context().run, self.function, **arguments)
        result = await asyncio.get_running_loop().run_in_executor(self.threads(), call)
        return await result if inspect.isawaitable(result) else result


@dataclass(frozen=True)
class CommandTool:
    """A command: it gets the arguments as one JSON object on its standard input, its standard output is the result.

    It is started anew for each call, without a shell and without environment variables that look like secrets;
    ``env`` adds variables. When ``timeout`` seconds are over, or after more than ``max_output`` characters, it and all
    that it started is killed.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    command: tuple[str, ...]
    threads: Callable[[], Executor]
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float = DEFAULT_TIMEOUT
    max_output: int = DEFAULT_MAX_OUTPUT

    async def run(self, arguments: dict[str, Any]) -> str:
        environment = {name: value for name, value in os.environ.items() if not _SECRET.search(name)}
        # A character has at most four bytes; the agent cuts what is longer.
        talk = _Talk(self.command, {**environment, **self.env}, self.timeout, 4 * self.max_output)
        try:
            # Threads, not the loop's own subprocesses: these need things of the loop that not every loop has.
            await asyncio.get_running_loop().run_in_executor(self.threads(), talk.hold, encode(arguments))
        except OSError as error:
            raise ToolError(f"the command cannot be started: {error}") from None
        finally:
            talk.kill()
        if talk.late:
            raise ToolError(f"no result within {self.timeout:g} s")
        if talk.code and not talk.cut:
            told = (talk.err or talk.out).decode("utf-8", "replace").strip()[-1000:]
            raise ToolError(f"exit code {talk.code}: {told}")
        return talk.out.decode("utf-8", "replace").rstrip("\r\n")


class _Talk:
    """One run of a command: what it is given, what it said (``out`` and ``err``), and why it ended."""

    def __init__(self, command: tuple[str, ...], env: Mapping[str, str], timeout: float, most: int) -> None:
        self.out = self.err = b""
        self.late = self.cut = False
        self.code: int | None = None
        self._command, self._env, self._timeout, self._most = command, env, timeout, most
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def hold(self, given: bytes) -> None:
        """Run the command to its end; blocks for at most the time it has."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=pipe, env=self._env, start_new_session=True, bufsize=0
        )
        self._process = process
        alarm = threading.Timer(self._timeout, self._expire)
        others = [
            threading.Thread(target=work, args=args, name="aigc_evals_tools", daemon=True)
            for work, args in ((self._feed, (given,)), (self._listen, ()))
        ]
        for thread in (alarm, *others):
            thread.daemon = True
            thread.start()
        try:
            self.out = self._read(process.stdout)
            self.cut = len(self.out) > self._most
            if self.cut:
                self.kill()
            self.code = process.wait()
        finally:
            alarm.cancel()
            self.kill()
            for thread in others:
                thread.join(1.0)

    def _expire(self) -> None:
        self.late = True
        self.kill()

    def kill(self) -> None:
        """Kill the command and what it started; does nothing when it was never started or has been killed."""
        process = self._process
        if process is None or self._ended:
            return
        self._ended = True
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                # The group outlives the command where that has left something running.
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()

    def _feed(self, given: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        # A command need not read what it is given.
        with contextlib.suppress(OSError), self._process.stdin as stdin:
            stdin.write(given)

    def _listen(self) -> None:
        assert self._process is not None
        with contextlib.suppress(OSError, ValueError):
            self.err = self._read(self._process.stderr)

    def _read(self, stream: IO[bytes] | None) -> bytes:
        """What a stream says, or a little more than may be said; the stream is closed then."""
        assert stream is not None
        parts: list[bytes] = []
        size = 0
        with stream:
            while size <= self._most:
                part = stream.read(1 << 16)
                if not part:
                    break
                parts.append(part)
                size += len(part)
        return b"".join(parts)


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)


Tool = FunctionTool | CommandTool
"""``name``, ``description`` and ``parameters`` (a JSON schema) are what the model is told, ``max_output`` is how many
characters of a result are given back to it. ``run`` gives the result as text; ToolError for any trouble.
"""


def make_tool(raw: Any, key: str, threads: Callable[[], Executor]) -> Tool:
    """The tool that an entry of a registry means.

    A text is the name of a built-in tool, ``module:function`` or ``file.py:function``; a callable is itself; a mapping
    has ``function`` (one of these) or ``command`` (a list of words, or one line), and says more about it.
    """
    if isinstance(raw, str) or callable(raw):
        return _function_tool({"function": raw}, key, threads)
    if not isinstance(raw, Mapping):
        raise UsageError(f"a tool is a name or a mapping, got {type(raw).__name__}", key=key)
    if ("function" in raw) == ("command" in raw):
        raise UsageError("a tool has either function or command", key=key)
    known = _OF_FUNCTION if "function" in raw else _OF_COMMAND
    for field_name in raw:
        if field_name not in known:
            hint = nearest(str(field_name), known) or f"It has: {', '.join(known)}"
            raise UsageError(f"such a tool has no {field_name!r}", key=key, hint=hint)
    return _function_tool(raw, key, threads) if "function" in raw else _command_tool(raw, key, threads)


def _function_tool(raw: Mapping[str, Any], key: str, threads: Callable[[], Executor]) -> FunctionTool:
    given = raw["function"]
    function = python_object(BUILT_IN.get(given, given)) if isinstance(given, str) else given
    if not callable(function):
        hint = nearest(str(given), BUILT_IN) or f"Built in: {', '.join(BUILT_IN)}; else module:function"
        raise UsageError(f"no tool is named {given!r}", key=key, hint=hint)
    try:
        description, parameters = function_schema(function)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{given!r} cannot be a tool: {error}", key=key) from None
    default = getattr(function, "__name__", "")
    return FunctionTool(
        _name(raw.get("name", default), key),
        str(raw.get("description", description)),
        parameters,
        function,
        threads,
        **_limits(raw, key),
    )


def _command_tool(raw: Mapping[str, Any], key: str, threads: Callable[[], Executor]) -> CommandTool:
    command = raw["command"]
    words = shlex.split(command) if isinstance(command, str) else command
    if not isinstance(words, list) or not words:
        raise UsageError("expected a list of words", key=f"{key}.command")
    parameters = raw.get("parameters", _ANYTHING)
    env = raw.get("env") or {}
    for name, value in (("parameters", parameters), ("env", env)):
        if not isinstance(value, Mapping):
            raise UsageError("expected a mapping", key=f"{key}.{name}")
    return CommandTool(
        _name(raw.get("name"), key),
        str(raw.get("description", "")),
        parameters,
        tuple(map(str, words)),
        threads,
        {str(name): str(value) for name, value in env.items()},
        **_limits(raw, key),
    )


def _name(name: Any, key: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(f"a tool's name is up to 64 letters, digits, _ and -, got {name!r}", key=f"{key}.name")
    return name


def _limits(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    limits: dict[str, Any] = {"timeout": DEFAULT_TIMEOUT, "max_output": DEFAULT_MAX_OUTPUT}
    for name in limits:
        value = raw.get(name, limits[name])
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
            raise UsageError(f"expected a number above 0, got {value!r}", key=f"{key}.{name}")
        limits[name] = int(value) if name == "max_output" else float(value)
    return limits
