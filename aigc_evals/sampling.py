"""One wrapper around every call of a completion function.

It limits how many calls are in flight at an endpoint, times them out, repeats those that may succeed later, gives up on
an endpoint that keeps failing in the same way, takes reasoning off answers, records the ``sampling`` event, and counts.
Nothing else retries or sleeps. A ``Sampler`` is this for one run; ``Sampler.wrap`` puts it around a function.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from aigc_evals.aio import Deadlines, drive
from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.base import Outcome, Settings
from aigc_evals.errors import EndpointError, SampleError, UsageError
from aigc_evals.failures import CONSTRUCTION, RETURN_TYPE, as_endpoint_error
from aigc_evals.limits import Endpoint, Limiter, endpoint_key
from aigc_evals.named_models import NamedModelFn, as_completion_fn
from aigc_evals.objects import adapted
from aigc_evals.prompt.base import Prompt
from aigc_evals.reasoning import split_reasoning
from aigc_evals.scope import SampleScope, current_scope

if TYPE_CHECKING:
    from aigc_evals.cache import CompletionCache

POLICY = "policy"
JUDGE = "judge"

_TIMEOUT_RETRIES = 2
_BREAKER = 20
_MIXED_BREAKER = 100
_LONGEST_WAIT = 600.0
_LONGEST_LOADING = 1800.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_NEVER_RIGHT = ("auth", "not_found")
_NEVER_BEGAN = (RETURN_TYPE, CONSTRUCTION)
_RECORDED = (
    "finish_reason",
    "reasoning",
    "refusal",
    "tool_calls",
    "adjusted",
    "system_fingerprint",
    "cached",
    "first_token_seconds",
)
"""What a sampling event takes over from a result that has it."""


class NoAnswer(Exception):
    """The model gave nothing that could be scored; ``outcome`` says how the sample ends."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


class JudgeFailure(Exception):
    """The call of the grading model failed; the sample ends ``judge_failed``."""


@dataclass(frozen=True)
class Stop:
    """Why a run should go no further; ``usage`` means that it could not even begin, by a mistake of the user."""

    message: str
    usage: bool


class Answered(CompletionResult):
    """A result whose reasoning has been taken off; everything else is the inner result's."""

    def __init__(self, inner: CompletionResult, completions: list[str], reasoning: str | None) -> None:
        self._inner = inner
        self._completions = completions
        self.reasoning = reasoning

    def get_completions(self) -> list[str]:
        return list(self._completions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Sampler:
    """The endpoints of one run and everything that is shared between calls to them."""

    def __init__(
        self, settings: Settings | None = None, seed: int = 0, *, cache: CompletionCache | None = None
    ) -> None:
        self.settings = settings or Settings.from_environment(os.environ)
        self.cache = cache
        self.endpoints: dict[Any, Endpoint] = {}
        self.stop: Stop | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.on_room: Any = None
        self.on_secrets: Callable[[], None] | None = None
        self.deadlines = Deadlines()
        self._jitter = random.Random(seed)
        self._wrapped: list[SampledFn] = []
        self._threads: ThreadPoolExecutor | None = None

    def wrap(self, fn: Any) -> SampledFn:
        """``fn`` with this sampler around it; what is wrapped already comes back as it is."""
        if isinstance(fn, SampledFn):
            return fn
        if not callable(fn):
            raise UsageError(f"a completion function must be callable, got {type(fn).__name__}: {fn!r}")
        wrapped = SampledFn(self, as_completion_fn(fn))
        self._wrapped.append(wrapped)
        return wrapped

    def endpoint(self, fn: Any) -> Endpoint:
        """The endpoint of a function: named by its ``endpoint`` attribute, else its own. Those that share one keep to the
        smallest ``max_concurrency`` that any of them says."""
        key = endpoint_key(fn)
        found = self.endpoints.get(key)
        if found is None:
            sharing = [fn, *(one.inner for one in self._wrapped if endpoint_key(one.inner) == key)]
            said = [getattr(one, "max_concurrency", None) for one in sharing]
            own = min((max(1, int(most)) for most in said if _is_number(most)), default=None)
            most = min(self.settings.max_concurrency, own) if own else max(self.settings.max_concurrency, 1)
            if self.settings.concurrency and not own:
                most = max(most, self.settings.concurrency)
            name = str(key) if isinstance(key, str) else type(fn).__name__
            limiter = Limiter(self.settings.concurrency, most)
            limiter.on_room = self._room
            found = self.endpoints[key] = Endpoint(name, limiter)
        return found

    @property
    def wanted(self) -> int:
        """How many samples should be under way so that no endpoint waits for work."""
        return sum(endpoint.limiter.wanted for endpoint in self.endpoints.values())

    @property
    def in_flight(self) -> int:
        return sum(endpoint.limiter.in_flight for endpoint in self.endpoints.values())

    def threads(self) -> ThreadPoolExecutor:
        """The threads for plain blocking functions; they are started as they are needed."""
        if self._threads is None:
            most = max(self.settings.concurrency or 0, self.settings.max_concurrency, 32)
            self._threads = ThreadPoolExecutor(2 * most, thread_name_prefix="aigc_evals")
        return self._threads

    def pause_before(self, attempt: int, error: EndpointError) -> float:
        """Seconds to wait before repeating a call for the ``attempt``-th time: the server's wish, else with jitter."""
        if error.retry_after is not None:
            return error.retry_after + self._jitter.random() * 0.1
        return self._jitter.random() * min(_LONGEST_PAUSE, _FIRST_PAUSE * float(2 ** min(attempt, 10)))

    def preflight(self) -> None:
        """Let every function check what can be checked without calling it (that its host exists); raises UsageError."""
        for wrapped in self._wrapped:
            check = getattr(wrapped.inner, "preflight", None)
            if check is not None:
                check()

    @property
    def secrets(self) -> list[str]:
        """What the wrapped functions say must never be shown."""
        found = [getattr(wrapped.inner, "secrets", ()) for wrapped in self._wrapped]
        return [secret for some in found if isinstance(some, (tuple, list)) for secret in some]

    @property
    def adjusted(self) -> dict[str, Any]:
        """How requests had to be changed to be accepted: endpoint and model -> parameter -> its new name, or None."""
        found: dict[str, Any] = {}
        for wrapped in self._wrapped:
            changes = getattr(wrapped.inner, "adjusted", None)
            if isinstance(changes, dict) and changes:
                place = f"{self.endpoint(wrapped.inner).name} {getattr(wrapped.inner, 'model', '')}".strip()
                found.setdefault(place, {}).update(changes)
        return found

    async def aclose(self) -> None:
        """Close the connections of all wrapped functions; they can be used again in another loop."""
        for wrapped in self._wrapped:
            close = getattr(wrapped.inner, "aclose", None)
            if close is not None:
                await close()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    def _room(self) -> None:
        if self.on_room is not None:
            self.on_room()


class SampledFn:
    """A completion function as an eval sees it: call it from plain code, or ``await acall(...)``."""

    def __init__(self, sampler: Sampler, inner: Any) -> None:
        self.sampler = sampler
        self.inner = inner
        asynchronous = getattr(inner, "acall", None)
        if asynchronous is None and (
            inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(type(inner).__call__)
        ):
            asynchronous = inner
        self._acall = None if asynchronous is None else adapted(asynchronous)
        self._plain = adapted(inner)
        self._composite = bool(getattr(inner, "composite", False))
        self._to_be_made = inner if isinstance(inner, NamedModelFn) else None
        # A stranger's object may have attributes of these names that mean something else.
        timeout, retries = getattr(inner, "timeout", None), getattr(inner, "retries", None)
        self._timeout = float(timeout) if _is_number(timeout) and timeout > 0 else sampler.settings.timeout
        self._retries = int(retries) if _is_number(retries) and retries >= 0 else sampler.settings.max_retries

    def __getattr__(self, name: str) -> Any:
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        loop = self.sampler.loop
        if loop is None or not loop.is_running():
            return drive(self._once_and_close(prompt, kwargs))
        try:
            inside = asyncio.get_running_loop() is loop
        except RuntimeError:
            inside = False
        if inside:
            # Waiting here would stop the loop that has to bring the answer; a fresh loop in a thread can be waited for.
            alone = Sampler(self.sampler.settings, cache=self.sampler.cache)
            return drive(SampledFn(alone, self.inner)._once_and_close(prompt, kwargs))
        return asyncio.run_coroutine_threadsafe(self.acall(prompt, **kwargs), loop).result()

    async def _once_and_close(self, prompt: Any, kwargs: dict[str, Any]) -> CompletionResult:
        try:
            return await self.acall(prompt, **kwargs)
        finally:
            close = getattr(self.inner, "aclose", None)
            if close is not None:
                await close()

    async def acall(self, prompt: Any, *, role: str = POLICY, **kwargs: Any) -> CompletionResult:
        """Ask once, with everything this module does around it; raises EndpointError when it finally failed."""
        home = self.sampler.loop
        if home is not None and home is not asyncio.get_running_loop() and home.is_running():
            # Called from a loop of the user's own: connections and limits belong to the run's.
            asking = asyncio.run_coroutine_threadsafe(self.acall(prompt, role=role, **kwargs), home)
            return await asyncio.wrap_future(asking)
        scope = current_scope()
        cache, request = self.sampler.cache, None
        if cache is not None:
            request = cache.request(self.inner, prompt, kwargs, scope)
        found = None if cache is None or request is None else cache.get(request)
        result: CompletionResult
        if found is not None:
            result, seconds = found, 0.0
            if scope is not None:
                scope.count("cache_hits")
            # Nothing is waited for here, and the loop has others to serve.
            await asyncio.sleep(0)
        elif self._composite:
            result, seconds = _result(await self._ask(prompt, kwargs)), 0.0
        else:
            result, seconds = await self._ask_patiently(prompt, kwargs, scope)
        answered = _take_off_reasoning(result)
        if found is None and cache is not None and request is not None and _flaw(answered) is None:
            # As it came; but whether it is good shows when its reasoning has been taken off.
            cache.put(request, result)
        if scope is not None:
            self._note(scope, answered, prompt, seconds, role)
        return answered

    async def _ask_patiently(
        self, prompt: Any, kwargs: dict[str, Any], scope: SampleScope | None
    ) -> tuple[CompletionResult, float]:
        endpoint = self.sampler.endpoint(self.inner)
        limiter = endpoint.limiter
        attempt = 0
        while True:
            token = await limiter.acquire()
            began = time.perf_counter()
            throttled = False
            try:
                if self._to_be_made is not None:
                    await self._made(self._to_be_made)
                    began = time.perf_counter()
                if scope is not None:
                    scope.count("requests")
                result = _result(await self.sampler.deadlines.within(self._timeout, self._ask(prompt, kwargs)))
            except (UsageError, SampleError, NoAnswer):
                raise
            except (Exception, SystemExit) as error:
                # A library that would end the process ends this call alone.
                failure = as_endpoint_error(error)
                throttled = failure.kind in ("rate_limit", "timeout") or failure.status in (503, 529)
                if failure.final or not self._may_repeat(failure, attempt):
                    self._give_up(endpoint, failure)
                    raise failure from (None if failure is error else error)
            else:
                endpoint.good()
                return result, time.perf_counter() - began
            finally:
                limiter.release(token, throttled=throttled)
            if scope is not None:
                scope.count("retries")
            limiter.sleeping += 1
            self.sampler._room()
            try:
                await asyncio.sleep(self.sampler.pause_before(attempt, failure))
            finally:
                limiter.sleeping -= 1
            attempt += 1

    async def _made(self, model: NamedModelFn) -> None:
        """Wait until the model is there; what it then says must not be shown is heard before it is asked."""
        await self.sampler.deadlines.within(max(self._timeout, _LONGEST_LOADING), model.ready())
        self._to_be_made = None
        if self.sampler.on_secrets is not None:
            self.sampler.on_secrets()

    def _may_repeat(self, failure: EndpointError, attempt: int) -> bool:
        if not failure.retryable or attempt >= self._retries:
            return False
        if failure.kind == "timeout" and attempt >= _TIMEOUT_RETRIES:
            return False
        return failure.retry_after is None or failure.retry_after <= _LONGEST_WAIT

    def _give_up(self, endpoint: Endpoint, failure: EndpointError) -> None:
        if failure.final:
            return
        failure.final = True
        repeats = endpoint.failed(failure)
        if self.sampler.stop is not None:
            return
        if failure.kind == "quota":
            self.sampler.stop = Stop(str(failure), usage=False)
        elif not endpoint.succeeded and (failure.kind in _NEVER_RIGHT or failure.code in _NEVER_BEGAN):
            asked = f"\nAsked: {endpoint.name}" if "://" in endpoint.name else ""
            self.sampler.stop = Stop(f"{failure}{asked}", usage=True)
        elif failure.kind == "code" or (failure.kind == "bad_request" and endpoint.succeeded):
            # These speak of one sample, not of the endpoint.
            return
        elif repeats >= _BREAKER:
            self.sampler.stop = Stop(f"the same failure {repeats} times in a row: {failure}", usage=False)
        elif endpoint.failures >= _MIXED_BREAKER:
            self.sampler.stop = Stop(f"{endpoint.failures} failures in a row, the last one: {failure}", usage=False)

    async def _ask(self, prompt: Any, kwargs: dict[str, Any]) -> Any:
        if self._acall is not None:
            return await self._acall(prompt=prompt, **kwargs)
        call = partial(copy_context().run, self._plain, prompt=prompt, **kwargs)
        answer = await asyncio.get_running_loop().run_in_executor(self.sampler.threads(), call)
        return await answer if inspect.isawaitable(answer) else answer

    def _note(self, scope: SampleScope, result: CompletionResult, prompt: Any, seconds: float, role: str) -> None:
        completions = result.get_completions()
        usage = getattr(result, "usage", None)
        flaw = _flaw(result)
        if role != POLICY:
            scope.judge_flaw = flaw
        elif flaw is not None:
            scope.answer_flaw = flaw
        if self._composite or getattr(self.inner, "records_sampling", False):
            return
        data: dict[str, Any] = {"model": getattr(result, "model", None)}
        if usage and getattr(result, "cached", None) is True:
            # It was paid for when it was first asked.
            data["usage_cached"] = _counted(usage)
        elif usage:
            data["usage"] = usage = _counted(usage)
            for key, value in usage.items():
                if isinstance(value, (int, float)):
                    scope.usage[key] = scope.usage.get(key, 0) + value
        for name in _RECORDED:
            value = getattr(result, name, None)
            if value is not None:
                data[name] = value
        if role != POLICY:
            data["role"] = role
        data["seconds"] = round(seconds, 6)
        asked = getattr(result, "prompt", prompt)
        if isinstance(asked, Prompt):
            asked = asked.to_formatted_prompt()
        scope.recorder.record_sampling(asked, completions, sample_id=scope.sample_id, **data)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _result(value: Any) -> CompletionResult:
    if isinstance(value, str):
        return TextResult(value)
    if hasattr(value, "get_completions"):
        return value  # type: ignore[no-any-return]
    raise EndpointError(
        f"a completion function must return a str or a CompletionResult, this one returned {type(value).__name__}",
        kind="code",
        code=RETURN_TYPE,
    )


def _take_off_reasoning(result: CompletionResult) -> CompletionResult:
    completions = result.get_completions()
    answers: list[str] = []
    taken: list[str] = []
    for text in completions:
        answer, reasoning = split_reasoning(text) if isinstance(text, str) else ("", None)
        answers.append(answer)
        if reasoning is not None:
            taken.append(reasoning)
    if not taken and None not in completions:
        return result
    own = getattr(result, "reasoning", None)
    return Answered(result, answers, "\n".join([own, *taken] if own else taken) or None)


def _counted(usage: Any) -> dict[str, Any]:
    """Usage as a plain mapping; of nested details only what is not zero, which is most of them in every reply."""
    mapping = usage.model_dump() if hasattr(usage, "model_dump") else usage
    counted: dict[str, Any] = {}
    for key, value in mapping.items():
        if isinstance(value, dict):
            value = {name: count for name, count in value.items() if count}
            if not value:
                continue
        counted[key] = value
    return counted


def _flaw(result: CompletionResult) -> Outcome | None:
    completions = result.get_completions()
    finish = getattr(result, "finish_reason", None)
    if getattr(result, "refusal", None) or finish == "content_filter":
        return Outcome.REFUSED
    if finish in ("length", "max_tokens"):
        return Outcome.TRUNCATED
    if not completions or not (completions[0] or "").strip():
        return Outcome.EMPTY
    return None
