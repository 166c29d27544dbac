"""``NamedModel``: a model in a few lines of Python, and how one is called.

A subclass with a ``MODEL_NAME`` is a completion function of that name; ``search`` finds the classes. This module only
knows what the class's ``create`` is given and what may come of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, ClassVar

from aigc_evals.aio import drive
from aigc_evals.api import CompletionResult, TextResult
from aigc_evals.errors import EndpointError, UsageError
from aigc_evals.failures import CONSTRUCTION, RETURN_TYPE, as_endpoint_error
from aigc_evals.objects import check_arguments, raised_at
from aigc_evals.prompt.base import Prompt, chat_prompt_to_text_prompt, is_chat_prompt, text_prompt_to_chat_prompt

_GIVEN = ("prompt", "messages")
_TAKEN_OVER = ("composite", "records_sampling")
_LIMITS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "max_concurrency": ("a whole number of at least 1", lambda value: isinstance(value, int) and value >= 1),
    "timeout": ("seconds, more than 0", lambda value: isinstance(value, (int, float)) and value > 0),
    "retries": ("a whole number of at least 0", lambda value: isinstance(value, int) and value >= 0),
}
_LONGEST_SHOWN = 80


def best_device() -> str:
    """``cuda`` or ``mps`` where torch is installed and sees such a device, else ``cpu``."""
    import importlib

    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    mps = getattr(torch.backends, "mps", None)
    return "mps" if mps is not None and mps.is_available() else "cpu"


class _Device:
    """Reads as the best device, of a class and of an instance; torch is loaded only then."""

    def __get__(self, instance: object, owner: type | None = None) -> str:
        return best_device()


class NamedModel:
    """A model under a name of its own: derive from it, say ``MODEL_NAME``, and define ``create``.

    ``create`` is a class method, a static method, or a method (the class is then instantiated once for a run or a set of
    them, when it is first asked), plain or ``async``. It is called with ``prompt`` (the conversation as text), ``messages``
    (the same as chat messages) and what the eval passes on (``temperature``, ``max_tokens``, ...), each only where it takes
    it, and returns the answer as text. It may also yield the answer piece by piece, or return a ``CompletionResult``; None
    is an empty answer.

    Concurrency, time limits and repeats are kept by the caller. A class may say ``max_concurrency`` (calls at once),
    ``timeout`` (seconds for one call; making the instance does not count) and ``retries`` where it differs; ``endpoint`` (a
    name) to share one limit with others, ``cache_key`` (a plain value) so that its answers may be cached, ``secrets`` (texts
    that must never be shown; the instance may say them too).
    Errors of the usual HTTP and gRPC clients are understood; raise ``EndpointError`` for others that may pass.
    """

    MODEL_NAME: ClassVar[str]

    device = _Device()
    """``cuda``, ``mps`` or ``cpu``: where a local model should run."""

    def __call__(self, prompt: Any, **kwargs: Any) -> Any:
        """An instance is a completion function too."""
        return as_completion_fn(self)(prompt=prompt, **kwargs)


def model_name(model: type[NamedModel] | NamedModel) -> str:
    """What a named model is called: its ``MODEL_NAME``, or the name of its class where it has none."""
    cls = model if isinstance(model, type) else type(model)
    return str(getattr(cls, "MODEL_NAME", cls.__name__))


def function_name(fn: Any) -> str:
    """What a completion function that was given as an object is called in logs."""
    if is_named_model(fn) or isinstance(fn, NamedModel):
        return model_name(fn)
    return str(getattr(fn, "__name__", type(fn).__name__))


def is_named_model(thing: Any) -> bool:
    """Whether ``thing`` is a class derived from NamedModel."""
    return isinstance(thing, type) and issubclass(thing, NamedModel) and thing is not NamedModel


def as_completion_fn(thing: Any, args: Mapping[str, Any] | None = None) -> Any:
    """A class derived from NamedModel (to be made with ``args``), or an instance of one, as a completion function.

    Anything else comes back as it is. UsageError for a class that cannot be asked.
    """
    if is_named_model(thing):
        cls, made = thing, None
    elif isinstance(thing, NamedModel):
        cls, made = type(thing), thing
    else:
        return thing
    create = getattr(cls, "create", None)
    asynchronous = inspect.iscoroutinefunction(create) or inspect.isasyncgenfunction(create)
    return (AsyncNamedModelFn if asynchronous else NamedModelFn)(cls, dict(args or {}), made)


class NamedModelFn:
    """A named model as a completion function. The class is instantiated when it is first asked, if it has to be at all."""

    def __init__(self, cls: type[NamedModel], args: dict[str, Any], made: NamedModel | None = None) -> None:
        self.cls = cls
        self.name = model_name(cls)
        self._whose = f"model {self.name} (class {cls.__qualname__})"
        self.__module__, self.__qualname__ = cls.__module__, cls.__qualname__
        self._args = args
        self._made: Future[Any] | None = None
        self._lock = threading.Lock()
        create = self._static_create()
        self._of_class = isinstance(create, (classmethod, staticmethod)) and not args
        self._was_given = made is not None
        if made is not None:
            self._made = Future()
            self._made.set_result(made)
        elif not self._of_class:
            check_arguments(cls, args, self._whose)
        self._takes = self._keywords(inspect.signature(getattr(cls, "create")), create)  # noqa: B009
        self._take_over(cls if made is None else made)

    def _static_create(self) -> Any:
        create = inspect.getattr_static(self.cls, "create", None)
        if create is None or not callable(getattr(self.cls, "create", None)):
            raise UsageError(
                f"{self._whose} has no create",
                hint="Define create(self, prompt, **kwargs), or the same as a class method; it returns the answer.",
            )
        return create

    def _keywords(self, signature: inspect.Signature, create: Any) -> frozenset[str] | None:
        """The names that ``create`` takes; None where it takes any. UsageError where it cannot be called by them."""
        parameters = list(signature.parameters.values())
        kinds = inspect.Parameter
        if not isinstance(create, (classmethod, staticmethod)):
            if not parameters or parameters[0].kind in (kinds.KEYWORD_ONLY, kinds.VAR_KEYWORD):
                raise UsageError(f"{self._whose}: create needs self first, or @classmethod above it")
            if parameters[0].kind is not kinds.VAR_POSITIONAL:
                parameters = parameters[1:]
        named = [p for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)]
        wanted = [
            p.name
            for p in parameters
            if p.default is p.empty and p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
        ]
        refused = [name for name in wanted if name not in _GIVEN or name not in {p.name for p in named}]
        if refused:
            raise UsageError(
                f"{self._whose}: create wants {', '.join(refused)}, which not every eval gives",
                hint="It always gets prompt and messages, by name; give other parameters a default.",
            )
        if any(p.kind is kinds.VAR_KEYWORD for p in parameters):
            return None
        taken = frozenset(p.name for p in named)
        if not taken & set(_GIVEN):
            raise UsageError(
                f"{self._whose}: create takes neither prompt nor messages, so it cannot know what is asked"
            )
        return taken

    def _take_over(self, owner: Any) -> None:
        """What the caller's limits, the cache and the log want to know of a completion function."""
        for name, (wanted, fits) in _LIMITS.items():
            value = getattr(owner, name, None)
            if value is None or isinstance(value, property):
                continue
            if isinstance(value, bool) or not fits(value):
                raise UsageError(f"{self._whose}: {name} must be {wanted}, got {value!r}")
            setattr(self, name, value)
        for name in _TAKEN_OVER:
            value = getattr(owner, name, None)
            if value is not None:
                setattr(self, name, value)
        endpoint = getattr(owner, "endpoint", None)
        self.endpoint = endpoint if isinstance(endpoint, str) and endpoint else self.name
        key = getattr(owner, "cache_key", None)
        plain = key is not None and not callable(key) and not isinstance(key, property)
        self.cache_key = [key, self._args] if plain and self._args else key if plain else None

    # -- asking -------------------------------------------------------------------------------------------------

    def __call__(self, prompt: Any, **kwargs: Any) -> Any:
        """Ask; an awaitable comes back where ``create`` gives one."""
        began = time.perf_counter()
        with _told():
            instance = None if self._of_class else self._making().result()
        answer = self._create(instance)(**self._arguments(prompt, kwargs))
        if inspect.isawaitable(answer) or isinstance(answer, AsyncIterator):
            return self._awaited(answer, began)
        if isinstance(answer, Iterator):
            first: list[float] = []
            return self._joined(list(self._timed(answer, began, first)), first)
        return self._checked(answer)

    def _timed(self, pieces: Iterator[Any], began: float, first: list[float]) -> Iterator[Any]:
        for piece in pieces:
            if not first and self._piece(piece):
                first.append(time.perf_counter() - began)
            yield piece

    async def _awaited(self, answer: Any, began: float) -> CompletionResult | str:
        if inspect.isawaitable(answer):
            answer = await answer
        if not isinstance(answer, AsyncIterator):
            return self._checked(answer)
        pieces: list[Any] = []
        first: list[float] = []
        async for piece in answer:
            if not first and self._piece(piece):
                first.append(time.perf_counter() - began)
            pieces.append(piece)
        return self._joined(pieces, first)

    def _create(self, instance: Any) -> Callable[..., Any]:
        return getattr(self.cls if instance is None else instance, "create")  # type: ignore[no-any-return]  # noqa: B009

    def _arguments(self, prompt: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        if isinstance(prompt, Prompt):
            prompt = prompt.to_formatted_prompt()
        chat = is_chat_prompt(prompt)
        given = {
            **kwargs,
            "prompt": chat_prompt_to_text_prompt(prompt, for_completion=False) if chat else prompt,
            "messages": [dict(message) for message in prompt] if chat else text_prompt_to_chat_prompt(prompt),
        }
        return given if self._takes is None else {key: given[key] for key in given if key in self._takes}

    def _joined(self, pieces: list[Any], first: list[float]) -> CompletionResult:
        return _Streamed("".join(map(self._piece, pieces)), first[0] if first else None)

    def _piece(self, piece: Any) -> str:
        if piece is None or isinstance(piece, str):
            return piece or ""
        raise self._no_answer(f"yielded {_brief(piece)}; every piece must be text")

    def _checked(self, answer: Any) -> CompletionResult | str:
        if answer is None:
            return ""  # what APIs send as "content": null
        if isinstance(answer, str) or hasattr(answer, "get_completions"):
            return answer  # type: ignore[no-any-return]
        raise self._no_answer(f"returned {_brief(answer)}; it must return the answer as text")

    def _no_answer(self, what: str) -> EndpointError:
        return EndpointError(f"{self._whose}: create {what}", kind="code", code=RETURN_TYPE)

    # -- the instance -------------------------------------------------------------------------------------------

    def _making(self) -> Future[Any]:
        """The one instance, made in a thread of its own, so that a loop that asks for it goes on meanwhile."""
        with self._lock:
            if self._made is None:
                self._made = Future()
                self._made.set_running_or_notify_cancel()
                threading.Thread(
                    target=self._make, args=(self._made,), name=f"aigc_evals {self.name}", daemon=True
                ).start()
            return self._made

    def _make(self, future: Future[Any]) -> None:
        try:
            future.set_result(self.cls(**self._args))
        except (Exception, SystemExit) as error:
            if as_endpoint_error(error).retryable:
                # The next call makes it anew.
                with self._lock:
                    self._made = None
                future.set_exception(error)
                return
            place = raised_at(error) or ""
            text = f"{self._whose} cannot be made: {type(error).__name__}: {error} {place}".rstrip()
            future.set_exception(_NotMadeError(text))
        except BaseException as error:
            future.set_exception(error)

    def preflight(self) -> None:
        """The class's own ``preflight``, where it has one that needs no instance."""
        if isinstance(inspect.getattr_static(self.cls, "preflight", None), (classmethod, staticmethod)):
            getattr(self.cls, "preflight")()  # noqa: B009

    async def ready(self) -> None:
        """Wait for the instance, where one has to be made: to load a model may take longer than any call."""
        if not self._of_class:
            with _told():
                await asyncio.wrap_future(self._making())

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, as the class says, and its instance once there is one."""
        owners = [owner for owner in (self.cls, self._instance()) if owner is not None]
        found = [getattr(owner, "secrets", ()) for owner in owners]
        return tuple(str(secret) for some in found if isinstance(some, (tuple, list)) for secret in some)

    def _instance(self) -> Any:
        made = self._made
        return made.result() if made is not None and made.done() and made.exception() is None else None

    async def aclose(self) -> None:
        """The model's own ``aclose``, where it has one; what is closed, or could not be made, is made anew for the next run."""
        owner: Any = self.cls if self._of_class else self._instance()
        close = getattr(owner, "aclose", None)
        if isinstance(owner, type) and not inspect.ismethod(close):
            close = None
        if not self._was_given and (close is not None or owner is None):
            with self._lock:
                if self._made is not None and self._made.done():
                    self._made = None
        if close is not None:
            await close()


class AsyncNamedModelFn(NamedModelFn):
    """A named model whose ``create`` is a coroutine or yields asynchronously: it is awaited, and needs no thread."""

    def __call__(self, prompt: Any, **kwargs: Any) -> Any:
        return drive(self.acall(prompt, **kwargs))

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult | str:
        began = time.perf_counter()
        with _told():
            instance = None if self._of_class else await asyncio.wrap_future(self._making())
        return await self._awaited(self._create(instance)(**self._arguments(prompt, kwargs)), began)


class _NotMadeError(Exception):
    """The class could not be instantiated, and trying again will not help."""


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Each call that waits for the instance gets an error of its own: what becomes of it is noted on it."""
    try:
        yield
    except _NotMadeError as error:
        raise EndpointError(str(error), kind="code", code=CONSTRUCTION) from None


class _Streamed(TextResult):
    """An answer that came piece by piece; ``first_token_seconds`` is how long its first piece took."""

    def __init__(self, text: str, first_token_seconds: float | None) -> None:
        super().__init__(text)
        self.first_token_seconds = None if first_token_seconds is None else round(first_token_seconds, 6)


def _brief(value: Any) -> str:
    text = repr(value)
    return f"a {type(value).__name__}: {text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + '...'}"
