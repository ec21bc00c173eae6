"""Idempotency-Key: a request that stores something can be sent again without it being done again."""

from __future__ import annotations

import re
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from anyio import CancelScope, to_thread
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLarge, Refusal, http_problem, problem_response
from api.middleware.body import BodyTooSlow
from api.openapi import IDEMPOTENCY_KEY as KEY
from api.openapi import IDEMPOTENT_REPLAYED as REPLAYED
from api.openapi import KEY_LENGTH, Operation
from api.runtime import Runtime
from api.services.idempotency import Answer, claim, settle
from api.services.identity import identify
from api.settings import MIB

_IN_MEMORY = MIB
_CHUNK = 64 * 1024
_MOST_KEPT = 16 * MIB
"""A longer answer is passed on as it comes, and not kept."""
_ACCEPTABLE = re.compile(r"[!-~]+")
_BOUNDARY = re.compile(r';\s*boundary="?([^";]{1,70})')
_NOT_KEPT = (b"content-length", b"connection", b"transfer-encoding")


class Idempotency:
    """ASGI middleware for the operations that heed the key; everything else passes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: do it, or answer it as before."""
        key = _key_of(scope)
        operation = key and scope["app"].find_operation(scope["method"], scope["path"])
        if not key or not operation or not operation.is_idempotent_by_key:
            await self.app(scope, receive, send)
            return
        runtime: Runtime = scope["app"].state.runtime
        owner_id = await to_thread.run_sync(_owner_of, scope, operation, runtime)
        if owner_id is None:  # The route says what is wrong with the token.
            await self.app(scope, receive, send)
            return
        if len(key) > KEY_LENGTH or not _ACCEPTABLE.fullmatch(key):
            expected = f"1 to {KEY_LENGTH} visible ASCII characters"
            await problem_response(422, "invalid_value", "not a usable key", field=KEY, expected=expected)(
                scope, receive, send
            )
            return
        with SpooledTemporaryFile(_IN_MEMORY) as file:
            body = cast("IO[bytes]", file)
            try:
                request_hash = await _take_body(scope, receive, body)
                keep_s = runtime.settings.idempotency_s
                claimed = await to_thread.run_sync(claim, runtime.database, owner_id, key, request_hash, keep_s)
            except ClientDisconnect:
                return
            except (BodyTooLarge, BodyTooSlow) as error:
                await http_problem(error)(scope, receive, send)
                return
            except Refusal as error:
                await problem_response(error.status, error.code, error.detail, headers=error.headers, field=KEY)(
                    scope, receive, send
                )
                return
            if isinstance(claimed, Answer):
                await _send(claimed, send)
                return
            await self._answer(scope, _replay(body, receive), send, runtime, claimed)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, runtime: Runtime, claim_id: str) -> None:
        """Have the request answered, keep the answer, and only then send it: whoever has it can ask for it again."""
        held: list[Message] = []
        passing = False

        async def hold(message: Message) -> None:
            nonlocal passing
            held.append(message)
            if passing or sum(len(item.get("body", b"")) for item in held) > _MOST_KEPT:
                passing = True
                while held:
                    await send(held.pop(0))

        answer = None
        try:
            await self.app(scope, receive, hold)
            answer = None if passing or not held else _answer_of(held)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(settle, runtime.database, claim_id, answer)
        for message in held:
            await send(message)


def _key_of(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    return Headers(scope=scope).get(KEY)


def _owner_of(scope: Scope, operation: Operation, runtime: Runtime) -> str | None:
    """Return whose request it is; None where its token is not good, or not good enough."""
    kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
    who = identify(token.strip(), runtime.database, runtime.access_tokens) if kind.lower() == "bearer" else None
    if who is None or not operation.scopes <= who.scopes:
        return None
    scope.setdefault("state", {})["user_id"] = who.user_id
    return who.user_id


async def _take_body(scope: Scope, receive: Receive, body: IO[bytes]) -> str:
    """Write the whole body down; return the request's hash.

    A form's boundary is another one each time that a client makes the form, and is left out.
    """
    media_type, boundary = _media_type(Headers(scope=scope).get("content-type", ""))
    head = (scope["method"].encode(), scope["path"].encode(), scope["query_string"], media_type.encode())
    digest = sha256(b"\0".join(head))
    rest, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        await _write(body, chunk)
        whole = (rest + chunk).replace(boundary, b"") if boundary else rest + chunk
        # What could be the beginning of a boundary waits for the next chunk.
        kept = max(0, len(whole) - max(0, len(boundary) - 1))
        digest.update(whole[:kept])
        rest = whole[kept:]
    digest.update(rest)
    body.seek(0)
    return digest.hexdigest()


def _media_type(content_type: str) -> tuple[str, bytes]:
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.startswith("multipart/"):
        return content_type, b""
    return content_type.partition(";")[0], found[1].encode("latin-1")


async def _write(body: IO[bytes], chunk: bytes) -> None:
    """Write a chunk down, in a thread where it may go to the disk."""
    if body.tell() + len(chunk) <= _IN_MEMORY:
        body.write(chunk)
    else:
        await to_thread.run_sync(body.write, chunk)


def _replay(body: IO[bytes], receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body once more, and then what comes after it."""
    done = False

    async def receive_again() -> Message:
        nonlocal done
        if done:
            return await receive()
        chunk = body.read(_CHUNK)
        done = len(chunk) < _CHUNK
        return {"type": "http.request", "body": chunk, "more_body": not done}

    return receive_again


def _answer_of(messages: list[Message]) -> Answer:
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in messages[0]["headers"]
        if name not in _NOT_KEPT
    ]
    return Answer(messages[0]["status"], headers, b"".join(item.get("body", b"") for item in messages[1:]))


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers += [(REPLAYED.lower().encode(), b"true"), (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
