"""A gRPC service in a process of its own: `python grpc_server.py PROTO FAILURES` serves until its input ends.

Each prompt is answered UNAVAILABLE the first FAILURES times that it comes, half-way through the answer, then with "是" or "否"
in single pieces; a prompt with "secret" is refused for good. Prints its port first, and when it ends how often it was asked.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def main(proto: Path, failures: int) -> None:
    import grpc

    sys.path.insert(0, str(proto.parent))
    messages, services = grpc.protos_and_services(proto.name)
    asked: Counter[str] = Counter()
    lock = threading.Lock()

    class Chat(services.ChatServicer):  # type: ignore[misc, name-defined]
        def Answer(self, request: Any, context: Any) -> Any:
            with lock:
                asked[request.prompt] += 1
                times = asked[request.prompt]
            if "secret" in request.prompt:
                context.abort(grpc.StatusCode.PERMISSION_DENIED, "不允许")
            yield messages.Piece(text="答案")
            if times <= failures:
                context.abort(grpc.StatusCode.UNAVAILABLE, "模型正在加载")
            yield messages.Piece(text="是")
            yield messages.Piece(text="：" + ("是" if "湿" in request.prompt else "否"))

    server = grpc.server(ThreadPoolExecutor(8))
    services.add_ChatServicer_to_server(Chat(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0).wait()
    print(sum(asked.values()), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
