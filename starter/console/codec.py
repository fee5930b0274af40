"""`POST /codec/decode` and `/codec/encode`: Temporal UI shows sealed payloads to a person who has signed in here.

It is the remote codec of Temporal's own description: payloads as JSON, fields in base64. Asked by a page of another origin,
so the origin is compared with the one that the settings name, and the session's cookie has to come along.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from google.protobuf import json_format
from temporalio.api.common.v1 import Payloads

from domain.people import Role
from starter.console.visiting import here, visitor_or_none
from store.installation import Installation
from workers.codec import KeyMissing, SealingCodec, codec_of

LARGEST_BODY = 4 * 1024 * 1024
MOST_PAYLOADS = 1_000
ALLOWED_HEADERS = "content-type,x-namespace,authorization"


def add_codec(app: FastAPI, installation: Installation) -> None:
    """The two routes, only where payloads are sealed."""
    codec = codec_of(installation.temporal.codec)
    if codec is None:
        return
    origin = origin_of(installation)

    @app.options("/codec/{way}", include_in_schema=False)
    async def preflight(request: Request, way: str) -> Response:
        return Response(status_code=204, headers=_for_page(request, origin))

    @app.post("/codec/{way}", include_in_schema=False)
    async def code(request: Request, way: str) -> Response:
        headers = _for_page(request, origin)
        refused = await asyncio.to_thread(_refusal, request, origin)
        if refused is not None or way not in ("encode", "decode"):
            return JSONResponse(
                {"message": refused[1] if refused else "Not Found"}, refused[0] if refused else 404, headers
            )
        return await _answer(codec, way, await request.body(), headers)


def origin_of(installation: Installation) -> str:
    """Of Temporal UI, as browsers write it."""
    codec = installation.temporal.codec
    if codec is not None and codec.ui_origin is not None:
        return codec.ui_origin
    parts = urlsplit(installation.temporal.ui)
    return f"{parts.scheme}://{parts.netloc}"


def _refusal(request: Request, origin: str) -> tuple[int, str] | None:
    """Who may see what is sealed: an operator of the whole installation, because a namespace is not divided by agencies."""
    if request.headers.get("origin") != origin:
        return 403, "this page may not ask"
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "the content type must be application/json"
    visitor = visitor_or_none(request)
    if visitor is None:
        return 401, f"sign in at {here(request).installation.console.url} in this browser, then come back"
    if not visitor.may(Role.OPERATOR) or visitor.person.agencies is not None:
        return 403, "only operators of all agencies may read sealed payloads"
    return None


async def _answer(codec: SealingCodec, way: str, raw: bytes, headers: dict[str, str]) -> Response:
    asked = Payloads()
    try:
        if len(raw) > LARGEST_BODY:
            return JSONResponse({"message": "too large"}, 413, headers)
        json_format.Parse(raw, asked, ignore_unknown_fields=True, max_recursion_depth=20)
    except (json_format.ParseError, ValueError, RecursionError):
        return JSONResponse({"message": "these are no payloads"}, 400, headers)
    if len(asked.payloads) > MOST_PAYLOADS:
        return JSONResponse({"message": "too many payloads"}, 413, headers)
    try:
        told = await (codec.encode if way == "encode" else codec.decode)(asked.payloads)
    except KeyMissing as error:
        return JSONResponse({"message": str(error)}, 400, headers)
    answer = json_format.MessageToDict(Payloads(payloads=told))
    return JSONResponse({"payloads": answer.get("payloads", [])}, headers=headers)


def _for_page(request: Request, origin: str) -> dict[str, str]:
    """Other origins are told nothing, so that their browser keeps the answer from them."""
    if request.headers.get("origin") != origin:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": "600",
    }
