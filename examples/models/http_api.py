"""A model behind an HTTP API of its own kind, asked with `requests`.

    MY_HTTP_API=http://127.0.0.1:8080/chat exec_aigc_evals my_http_api test-match --models examples/models/http_api.py

Such an API needs no Python at all: see `chatglm_api` in aigc_evals/registry/completion_fns/http.yaml. Write a class when
the answer has to be worked on.
"""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import requests

from aigc_evals import NamedModel


class MyHttpApi(NamedModel):
    """Sends the conversation as one text; each question is a conversation of its own."""

    MODEL_NAME = "my_http_api"
    timeout = 120  # seconds for one call; leave out what need not differ
    max_concurrency = 16  # calls at once

    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> str:
        reply = requests.post(
            os.environ["MY_HTTP_API"],
            json={"input": kwargs["prompt"], "history": [], "conv_user_id": str(uuid4())},
            timeout=120,
        )
        # A refusal is repeated where it may pass (429, 5xx), and recorded as a failure where it does not.
        reply.raise_for_status()
        return str(reply.json()["body"]["message"])
