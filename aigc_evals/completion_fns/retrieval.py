"""Retrieval: the texts nearest to a prompt are put before it, then another completion function is asked."""

from __future__ import annotations

import asyncio
from typing import Any

from aigc_evals.api import CompletionResult
from aigc_evals.completion_fns.arguments import positive
from aigc_evals.completion_fns.openai import OpenAIEmbeddings
from aigc_evals.completion_fns.parts import (
    ask_in_between,
    check_template,
    close_all,
    fill,
    make_inner,
    placeholders,
    prompt_text,
    registry_for,
)
from aigc_evals.completion_fns.passages import VectorIndex, read_passages
from aigc_evals.errors import UsageError
from aigc_evals.prompt.base import ChatCompletionPrompt
from aigc_evals.record.scope import current_scope
from aigc_evals.registry import Registry
from aigc_evals.sampling import Sampler

DEFAULT_RETRIEVAL_TEMPLATE = "These passages may help to answer:\n\n{context}"
_BATCH = 64
_FIELDS = ("context", "input")


class RetrievalCompletionFn:
    """Asks ``completion_fn`` (a name) with the ``k`` texts of a file that are nearest to the prompt put before it.

    ``embeddings_and_text_path`` is a CSV or JSONL file with ``text`` and ``embedding``; where it has texts alone, they
    are embedded once, by the first sample, and kept in memory. Prompts are embedded by ``embedding_model`` at an
    OpenAI-compatible endpoint (``api_base`` and ``api_key``, else the environment's). ``retrieval_template`` becomes a
    system message before the prompt, {context} in it being the texts joined by ``separator``; where it has {input} as
    well, it is the whole prompt; where it has neither, the texts follow it. What was retrieved is in an
    ``embedding`` event of the sample.
    """

    composite = True

    def __init__(
        self,
        completion_fn: str,
        embeddings_and_text_path: str,
        retrieval_template: str = DEFAULT_RETRIEVAL_TEMPLATE,
        k: int = 4,
        embedding_model: str = "text-embedding-ada-002",
        registry: Registry | None = None,
        registry_path: str | None = None,
        *,
        separator: str = "\n\n",
        api_base: str | None = None,
        api_key: str | None = None,
        embedding_options: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(positive("k", k), int):
            raise UsageError(f"expected a whole number, got {k!r}", key="k")
        if not isinstance(retrieval_template, str):
            raise UsageError("expected a text", key="retrieval_template")
        if not placeholders(retrieval_template):
            retrieval_template += "{context}"
        check_template(retrieval_template, _FIELDS, "retrieval_template")
        made_by = registry_for(registry, registry_path)
        self._template = retrieval_template
        self._separator = separator
        self._k = k
        self._passages = read_passages(str(embeddings_and_text_path))
        vectors = self._passages.vectors
        self._index = None if vectors is None else VectorIndex(vectors)
        self._embedding = None if self._index is not None else asyncio.Lock()
        self._fn = make_inner(made_by, completion_fn)
        embeddings = OpenAIEmbeddings(
            embedding_model, api_base=api_base, api_key=api_key, extra_options=embedding_options
        )
        self._embed = made_by.wrapped(embeddings)

    def __call__(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        return Sampler().wrap(self)(prompt=prompt, **kwargs)

    async def acall(self, prompt: Any, **kwargs: Any) -> CompletionResult:
        index = self._index or await self._made_index()
        question = prompt_text(prompt)
        (vector,) = await self._vectors([question])
        if len(vector) != index.size:
            raise UsageError(
                f"the texts have embeddings of {index.size} numbers, the model {self._embed.model!r} gives {len(vector)}",
                path=self._passages.path,
                key="embedding_model",
                hint="Texts and prompts must be embedded by the same model.",
            )
        found = index.nearest(vector, self._k)
        self._record(question, found)
        result: CompletionResult = await self._fn.acall(prompt=self._prompt(prompt, question, found), **kwargs)
        return result

    async def aclose(self) -> None:
        await close_all([self._fn, self._embed])

    def _prompt(self, prompt: Any, question: str, found: list[tuple[int, float]]) -> Any:
        context = self._separator.join(self._passages.texts[row] for row, _ in found)
        filled = fill(self._template, {"context": context, "input": question})
        message = {"role": "system", "content": filled}
        if "input" in placeholders(self._template):
            return [{**message, "role": "user"}]
        return [message, *ChatCompletionPrompt(prompt).to_formatted_prompt()]

    async def _made_index(self) -> VectorIndex:
        """Embed the texts, once for all samples; if it fails, the next sample tries again."""
        lock = self._embedding
        assert lock is not None
        async with lock:
            if self._index is None:
                texts = self._passages.texts
                batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
                vectors = [vector for batch in batches for vector in await self._vectors(batch)]
                self._index = VectorIndex(vectors)
        return self._index

    async def _vectors(self, texts: list[str]) -> list[list[float]]:
        result = await ask_in_between(self._embed, texts)
        scope = current_scope()
        if scope is not None:
            for key, value in (getattr(result, "usage", None) or {}).items():
                if isinstance(value, (int, float)):
                    scope.usage[key] = scope.usage.get(key, 0) + value
        vectors: list[list[float]] = result.vectors  # type: ignore[attr-defined]
        return vectors

    def _record(self, question: str, found: list[tuple[int, float]]) -> None:
        scope = current_scope()
        if scope is None:
            return
        texts = self._passages.texts
        retrieved = [{"row": row, "score": round(score, 6), "text": texts[row]} for row, score in found]
        scope.recorder.record_embedding(
            question, "retrieval", scope.sample_id, model=self._embed.model, retrieved=retrieved
        )
