"""What the loopback server can be told: ``Settings`` for all of it, ``Fault`` for one way of misbehaving.

Both are parsed from JSON once, here; nobody checks them again behind this door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from aigc_evals.errors import UsageError, nearest

ERRORS = frozenset(
    {
        "rate_limit",
        "quota",
        "server_error",
        "auth",
        "forbidden",
        "not_found",
        "unsupported_parameter",
        "context_length",
        "prompt_filter",
    }
)
TRANSPORT = frozenset({"hang", "stall", "reset", "close", "truncated"})
WRONG_BODY = frozenset({"garbage", "wrong_shape"})
CONTENT = frozenset({"empty", "null", "refusal", "content_filter", "length"})
KINDS = ERRORS | TRANSPORT | WRONG_BODY | CONTENT


@dataclass(frozen=True)
class Fault:
    """One way of misbehaving, and when.

    A fault happens when all conditions given hold (none given: always); the first in the list that holds
    wins.

    ``share``          this part of the requests, by a hash of ``seed`` and the request's number or body
    ``by``             what ``share`` hashes: "request", or "body" (the default where ``times`` is given)
    ``every``          each N-th request
    ``first, after``   the first N requests; the requests after the N-th; both: a window of N after the M-th
    ``times``          only the first N times that the same body comes, so that a retry gets through
    ``when_contains``  only if the text of the prompt contains this
    ``path``           only this path, e.g. "/v1/embeddings"; the only way to meet GET requests

    Requests are counted from 1 since the last reset. Seconds everywhere.
    """

    kind: str
    share: float | None = None
    by: str | None = None
    seed: int = 0
    every: int | None = None
    first: int | None = None
    after: int | None = None
    times: int | None = None
    when_contains: str | None = None
    path: str | None = None
    #: status of ``server_error`` (500), or another one for any error kind.
    status: int | None = None
    #: the server's wish in seconds, sent as ``retry_after_form``: "seconds", "date" (an HTTP date) or "ms"
    #: (the header retry-after-ms).
    retry_after: float | None = None
    retry_after_form: str = "seconds"
    #: ``server_error``: "json", "html", "text"; ``garbage``: "text" (half of a JSON object), "html",
    #: "binary", or the very text to send; ``wrong_shape``: the JSON to send (the usual one without its
    #: choices).
    body: Any = None
    #: ``reset``: "before" or "middle" of the reply.
    when: str = "before"
    #: ``hang``: answer after so many seconds; None: never.
    seconds: float | None = None
    #: ``unsupported_parameter``: the parameters refused, if the request has one of them, in the wording of
    #: ``style``: "openai", "unknown" (OpenAI's for unknown names), "pydantic" (vLLM), "fastapi" (422,
    #: ``detail``).
    params: tuple[str, ...] = ()
    style: str = "openai"
    #: ``context_length``: only when the prompt has more tokens than this.
    limit_tokens: int | None = None
    #: the text of ``refusal``, or the content that ``length`` and ``content_filter`` leave.
    text: str | None = None
    #: the message of an error, in place of the usual one.
    message: str | None = None
    #: latency of this reply in place of the server's.
    latency: float | None = None
    #: ``ingest_faults``: whether the batch is kept although the reply fails (default: where a reply is
    #: begun).
    accept: bool | None = None

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("by", self.by, {None, "request", "body"})
        _one_of("when", self.when, {"before", "middle"})
        _one_of("retry_after_form", self.retry_after_form, {"seconds", "date", "ms"})
        _one_of("style", self.style, {"openai", "unknown", "pydantic", "fastapi"})
        if self.every is not None and self.every < 1:
            raise UsageError("every counts from 1", key="every")
        if self.kind == "unsupported_parameter" and not self.params:
            raise UsageError("unsupported_parameter needs params, a list of parameter names", key="params")

    def as_dict(self) -> dict[str, Any]:
        """What differs from the defaults; ``Fault(**fault.as_dict()) == fault``."""
        given = asdict(self)
        return {f.name: given[f.name] for f in fields(self) if f.name == "kind" or given[f.name] != f.default}


@dataclass(frozen=True)
class Settings:
    """How the loopback server behaves.

    An answer is a string, a dict (``content``, ``reasoning_content``, ``refusal``, ``finish_reason``,
    ``usage``, ``tool_calls``), or a list of these, one for each of the ``n`` choices in turn. It is taken
    from the first of these that has one: ``script``, ``answers``, ``rules``, ``echo``, ``answer``; else it is
    "True" or "False" by a hash of the prompt (``answers.default_answer``).
    """

    #: "package.module:function" or "file.py:function": request body -> answer; None goes on to the next
    #: source.
    script: str | None = None
    #: by the exact text of the last user message, or by the SHA-256 (hex) of it or of the whole prompt's
    #: text.
    answers: Mapping[str, Any] | None = None
    #: [{"contains": text, "answer": answer}], looked for in the whole prompt's text; first wins.
    rules: tuple[Mapping[str, Any], ...] = ()
    #: answer with the last user message.
    echo: bool = False
    answer: Any = None
    #: obey max_tokens and max_completion_tokens: words count one token each, CJK characters one each.
    truncate: bool = False
    #: "think_tags" (prepended to the content) or "reasoning_content" (a field of the message).
    reasoning: str | None = None
    reasoning_text: str = "Let me think about this step by step."
    #: send token counts: True, False, or "plain" for the three totals without their details.
    usage: bool | str = True
    models: tuple[str, ...] = ("mock-model",)
    #: the model named in replies; None: the one asked for.
    served_model: str | None = None
    embedding_dimensions: int = 64
    #: headers added to each model reply.
    headers: Mapping[str, str] | None = None

    #: seconds before a reply; up to ``jitter`` more by a generator seeded with ``seed``.
    latency: float = 0.0
    jitter: float = 0.0
    #: seconds between the events of a streamed reply.
    stream_delay: float = 0.0

    faults: tuple[Fault, ...] = ()
    #: more model requests than this in flight get 429, with this Retry-After.
    concurrency_limit: int | None = None
    concurrency_retry_after: float | None = None
    #: the bearer token wanted (or any of several); None: anyone may ask.
    api_key: str | tuple[str, ...] | None = None
    #: keep whole requests for ``requests()``; off for benchmarks.
    record: bool = True
    seed: int = 0

    ingest_faults: tuple[Fault, ...] = ()
    ingest_latency: float = 0.0
    ingest_key: str | tuple[str, ...] | None = None

    def merged(self, values: Mapping[str, Any]) -> Settings:
        """These settings with ``values`` (as read from JSON) laid over them."""
        if not isinstance(values, Mapping):
            raise UsageError(f"settings are an object, not {values!r}")
        known = {f.name for f in fields(self)}
        merged = {name: getattr(self, name) for name in known}
        for name, value in values.items():
            if name not in known:
                raise UsageError("no such setting of the loopback server", key=name, hint=nearest(name, known))
            merged[name] = _parsed(name, value)
        return Settings(**merged)


def _parsed(name: str, value: Any) -> Any:
    if name in ("faults", "ingest_faults"):
        faults = tuple(_fault(item) for item in value or ())
        if name == "ingest_faults":
            for fault in faults:
                _one_of("kind", fault.kind, KINDS - CONTENT)
        return faults
    if name == "rules":
        for rule in value or ():
            if not isinstance(rule, Mapping) or not {"contains", "answer"} <= rule.keys():
                raise UsageError(f"a rule is an object with contains and answer, not {rule!r}", key=name)
    if name in ("rules", "models"):
        return tuple(value or ())
    if name in ("api_key", "ingest_key") and isinstance(value, (list, tuple)):
        return tuple(value)
    if name == "reasoning":
        _one_of(name, value, {None, "think_tags", "reasoning_content"})
    seconds = name in ("latency", "jitter", "stream_delay", "ingest_latency")
    if seconds and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
        raise UsageError(f"must be a number of seconds, not {value!r}", key=name)
    return value


def _fault(item: Any) -> Fault:
    if isinstance(item, Fault):
        return item
    if not isinstance(item, Mapping) or "kind" not in item:
        raise UsageError(f"a fault is an object with a kind, not {item!r}", key="faults")
    known = [f.name for f in fields(Fault)]
    for name in item:
        if name not in known:
            raise UsageError("no such field of a fault", key=name, hint=nearest(str(name), known))
    given = dict(item)
    if "params" in given:
        given["params"] = tuple(given["params"])
    return Fault(**given)


def _one_of(key: str, value: Any, allowed: set[Any] | frozenset[str]) -> None:
    if value not in allowed:
        names = sorted(str(name) for name in allowed if name is not None)
        raise UsageError(f"{value!r} is not one of {', '.join(names)}", key=key)
