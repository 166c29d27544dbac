"""What is known of models by their names alone. Nothing is decided by it but which endpoint a name means."""

from __future__ import annotations

_TEXT_MODELS = ("gpt-4-base", "davinci-002", "babbage-002")
_TEXT_MODEL_PREFIXES = ("gpt-3.5-turbo-instruct",)
_CONTEXT_LENGTHS = {
    "ada": 2048,
    "babbage": 2048,
    "curie": 2048,
    "davinci": 2048,
    "text-ada-001": 2048,
    "text-babbage-001": 2048,
    "text-curie-001": 2048,
    "text-davinci-001": 2048,
    "text-davinci-002": 4096,
    "text-davinci-003": 4096,
    "code-davinci-002": 8000,
    "gpt-3.5-turbo": 4096,
    "gpt-3.5-turbo-instruct": 4096,
    "gpt-3.5-turbo-instruct-0914": 4096,
    "gpt-3.5-turbo-16k": 16384,
    "gpt-4": 8192,
    "gpt-4-base": 8192,
    "gpt-4-32k": 32768,
    "gpt-4-1106-preview": 128_000,
    "gpt-4-0125-preview": 128_000,
    "gpt-4-turbo-preview": 128_000,
}
_CONTEXT_PREFIXES = (
    ("gpt-3.5-turbo-16k-", 16384),
    ("gpt-3.5-turbo-", 4096),
    ("gpt-4-32k-", 32768),
    ("gpt-4-", 8192),
)


def n_ctx_from_model_name(model_name: str) -> int | None:
    """The context length in tokens of the models that openai/evals knew, or None. Nothing depends on it."""
    if model_name in _CONTEXT_LENGTHS:
        return _CONTEXT_LENGTHS[model_name]
    return next((n for prefix, n in _CONTEXT_PREFIXES if model_name.startswith(prefix)), None)


def is_chat_model(model_name: str) -> bool:
    """Whether openai/evals took the name for a chat model. Nothing depends on it: here, chat is the default."""
    if is_text_model(model_name):
        return False
    return model_name in ("gpt-3.5-turbo", "gpt-4") or model_name.startswith(("gpt-3.5-turbo-", "gpt-4-"))


def is_text_model(model_name: str) -> bool:
    """Whether the model is known to speak the text completion endpoint only."""
    return model_name in _TEXT_MODELS or model_name.startswith(_TEXT_MODEL_PREFIXES)
