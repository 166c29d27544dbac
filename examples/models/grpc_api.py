"""A model behind a gRPC service that streams its answer (extra: grpc).

    MY_GRPC_API=127.0.0.1:50051 exec_aigc_evals my_grpc_api test-match --models examples/models/grpc_api.py

A call that ends in UNAVAILABLE, RESOURCE_EXHAUSTED or another status that may pass is repeated by the run, up to `retries`
times with growing pauses, and each repeat is counted in the log: a model does not retry on its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aigc_evals import NamedModel


def generated() -> tuple[Any, Any]:
    """The messages and the service of my_chat.proto. Where protoc has made them for you already, import them instead."""
    import grpc

    folder = str(Path(__file__).resolve().parent)
    sys.path.insert(0, folder)
    try:
        return grpc.protos_and_services("my_chat.proto")
    finally:
        sys.path.remove(folder)


class MyGrpcApi(NamedModel):
    """`create` yields the pieces as they come; the answer is all of them together."""

    MODEL_NAME = "my_grpc_api"
    timeout = 60  # seconds for one call
    retries = 4

    def __init__(self) -> None:
        # Made once in a run: one channel serves all calls.
        import grpc

        self.messages, services = generated()
        self.channel = grpc.insecure_channel(os.environ["MY_GRPC_API"])
        self.stub = services.ChatStub(self.channel)

    def create(self, *args: Any, **kwargs: Any) -> Iterator[str]:
        question = self.messages.Question(prompt=kwargs["prompt"], max_tokens=kwargs.get("max_tokens") or 512)
        for piece in self.stub.Answer(question, timeout=self.timeout):
            yield piece.text
