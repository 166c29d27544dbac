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
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from aigc_evals.aio import Deadlines, drive
from aigc_evals.api import CompletionResult
from aigc_evals.base import Outcome, Settings
from aigc_evals.errors import EndpointError, SampleError, UsageError
from aigc_evals.failures import as_endpoint_error, is_filtered
from aigc_evals.models.named import NamedModelFn, as_completion_fn
from aigc_evals.objects import adapted
from aigc_evals.record.scope import SampleScope, current_scope
from aigc_evals.sampling.answers import Refusal, as_result, flaw, record_answer, without_reasoning
from aigc_evals.sampling.limits import Endpoint, Limiter, endpoint_key
from aigc_evals.sampling.patience import Stop as Stop
from aigc_evals.sampling.patience import may_repeat, pause_before, say_what_was_asked, stop_after

if TYPE_CHECKING:
    from aigc_evals.sampling.cache import CompletionCache

POLICY = "policy"
JUDGE = "judge"

_LONGEST_LOADING = 1800.0


class NoAnswer(Exception):
    """The model gave nothing that could be scored; ``outcome`` says how the sample ends."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome


class JudgeFailure(Exception):
    """The call of the grading model failed; the sample ends ``judge_failed``."""


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
        self.jitter = random.Random(seed)
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
            result, seconds = as_result(await self._ask(prompt, kwargs)), 0.0
        else:
            result, seconds = await self._ask_patiently(prompt, kwargs, scope)
        answered = without_reasoning(result)
        if found is None and cache is not None and request is not None and flaw(answered) is None:
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
            call = endpoint.begin()
            began = time.perf_counter()
            throttled = False
            try:
                if self._to_be_made is not None:
                    await self._made(self._to_be_made)
                    began = time.perf_counter()
                if scope is not None:
                    scope.count("requests")
                result = as_result(await self.sampler.deadlines.within(self._timeout, self._ask(prompt, kwargs)))
            except (UsageError, SampleError, NoAnswer, asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as error:
                # A library that would end the process ends this call alone, as one does whose errors are no Exceptions.
                failure = as_endpoint_error(error)
                if is_filtered(failure):
                    endpoint.good(call)
                    named = getattr(self.inner, "model", None)
                    model = named if isinstance(named, str) else None
                    return Refusal(str(failure), model), time.perf_counter() - began
                throttled = failure.kind in ("rate_limit", "timeout") or failure.status in (503, 529)
                if failure.final or not may_repeat(failure, attempt, self._retries):
                    self._give_up(endpoint, call, failure)
                    raise failure from (None if failure is error else error)
            else:
                endpoint.good(call)
                return result, time.perf_counter() - began
            finally:
                endpoint.ended(call)
                limiter.release(token, throttled=throttled)
            if scope is not None:
                scope.count("retries")
            limiter.sleeping += 1
            self.sampler._room()
            try:
                await asyncio.sleep(pause_before(attempt, failure, self.sampler.jitter))
            finally:
                limiter.sleeping -= 1
            attempt += 1

    async def _made(self, model: NamedModelFn) -> None:
        """Wait until the model is there; what it then says must not be shown is heard before it is asked."""
        await self.sampler.deadlines.within(max(self._timeout, _LONGEST_LOADING), model.ready())
        self._to_be_made = None
        if self.sampler.on_secrets is not None:
            self.sampler.on_secrets()

    def _give_up(self, endpoint: Endpoint, call: int, failure: EndpointError) -> None:
        if failure.final:
            return
        failure.final = True
        say_what_was_asked(failure)
        endpoint.failed(failure, call)
        if self.sampler.stop is None:
            self.sampler.stop = stop_after(failure, endpoint)

    async def _ask(self, prompt: Any, kwargs: dict[str, Any]) -> Any:
        if self._acall is not None:
            return await self._acall(prompt=prompt, **kwargs)
        call = partial(copy_context().run, self._plain, prompt=prompt, **kwargs)
        answer = await asyncio.get_running_loop().run_in_executor(self.sampler.threads(), call)
        return await answer if inspect.isawaitable(answer) else answer

    def _note(self, scope: SampleScope, result: CompletionResult, prompt: Any, seconds: float, role: str) -> None:
        found = flaw(result)
        if role != POLICY:
            scope.judge_flaw = found
        elif found is not None:
            scope.answer_flaw = found
        if not self._composite and not getattr(self.inner, "records_sampling", False):
            record_answer(scope, prompt, result, seconds, role=None if role == POLICY else role)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
