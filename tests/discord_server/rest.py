"""The REST API: authentication, rate limits, request bodies and routing."""

import json
import math
import re
import time
import traceback
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from . import limits
from .errors import ApiError, Form, Violation

if TYPE_CHECKING:
    from .server import DiscordServer

PREFIX = "/api/v10"
CALLBACK_SCHEMAS = {
    4: "CreateMessageInteractionCallbackRequest",
    5: "CreateMessageInteractionCallbackRequest",
    6: "UpdateMessageInteractionCallbackRequest",
    7: "UpdateMessageInteractionCallbackRequest",
    8: "ApplicationCommandAutocompleteCallbackRequest",
    9: "ModalInteractionCallbackRequest",
}
GLOBAL_RATE = 50  # requests a second; the interaction endpoints are exempt
# Path -> (requests, seconds) of its own bucket, one for each channel or interaction.
BUCKETS = {
    ("POST", "/channels/{channel_id}/messages"): (5, 5.0),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): (5, 5.0),
    ("POST", "/webhooks/{webhook_id}/{webhook_token}"): (5, 2.0),
    ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original"): (5, 2.0),
    ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"): (5, 2.0),
}


@dataclass
class Call:
    """One request of the bot."""

    method: str
    template: str  # the path in Discord's description: "/channels/{channel_id}"
    path: str
    params: dict[str, str]
    query: dict[str, str]
    body: Any = None
    files: dict[int, tuple[str, bytes]] = field(default_factory=dict)  # number -> name, bytes
    form: Form = field(default_factory=Form)
    status: int = 0
    answer: Any = None

    def snowflake(self, name: str) -> int:
        if not self.params[name].isdecimal():
            self.form.add(
                [name], "NUMBER_TYPE_COERCE", f'Value "{self.params[name]}" is not snowflake.'
            )
            self.form.check()
        return int(self.params[name])


Handler = Callable[[Call], Awaitable[tuple[int, Any]]]


@dataclass
class Fault:
    """A fault of the next `times` requests whose path matches; see `inject_fault`."""

    method: str
    path: re.Pattern[str]
    status: int | None
    processed: bool
    times: int
    retry_after: float
    via: bool

    def response(self) -> web.Response:
        if self.status != 429:
            return web.Response(status=self.status or 500, text="<html>upstream error</html>")
        body = {"message": "You are being rate limited.", "retry_after": self.retry_after}
        headers = {"Retry-After": str(math.ceil(self.retry_after))}
        headers |= {"Via": "1.1 google"} if self.via else {}
        return json_response(body | {"global": False, "code": 0}, 429, headers)


class Bucket:
    def __init__(self, limit: int, window: float) -> None:
        self.limit, self.window = limit, window
        self.used = 0
        self.reset = 0.0
        self.wait_until = 0.0  # as a 429 demanded

    def take(self, now: float) -> bool:
        if now >= self.reset:
            self.used, self.reset = 0, now + self.window
        self.used += 1
        return self.used <= self.limit

    def headers(self, now: float, name: str) -> dict[str, str]:
        left = max(0.0, self.reset - now)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": f"{time.time() + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": name,
        }


class RestServer:
    def __init__(self, server: "DiscordServer") -> None:
        self.server = server
        self.recent: deque[float] = deque()
        self.global_wait_until = 0.0
        self.buckets: dict[tuple[str, ...], Bucket] = {}
        self.faults: list[Fault] = []
        self.injected: Counter[tuple[str, str]] = Counter()  # number of faults by method and path
        self.calls: list[Call] = []

    def routes(self, handlers: dict[str, Handler]) -> list[web.RouteDef]:
        """`handlers` has "GET /users/@me" -> handler."""
        routes = []
        for entry, handler in handlers.items():
            method, template = entry.split()
            routes.append(web.route(method, PREFIX + template, self._wrap(template, handler)))
        return [*routes, web.route("*", "/{rest:.*}", self._not_found)]

    async def _not_found(self, request: web.Request) -> web.Response:
        where = f"{request.method} {request.path}"
        self.server.add_violation(Violation(0, "the fake server has no such route", where))
        return json_response({"message": "404: Not Found", "code": 0}, 404, {})

    def _wrap(
        self, template: str, handler: Handler
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            path = request.path.removeprefix(PREFIX)
            fault = self._fault(request.method, path)
            if fault is not None and not fault.processed:
                await request.read()
                return self._fail(fault, request)
            response = await self._serve(request, template, path, handler)
            return response if fault is None else self._fail(fault, request)

        return handle

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.method in (method, "*") and fault.path.search(path):
                fault.times -= 1
                if fault.times == 0:
                    self.faults.remove(fault)
                self.injected[method, path] += 1
                return fault
        return None

    def _fail(self, fault: Fault, request: web.Request) -> web.Response:
        if fault.status is None and request.transport is not None:
            request.transport.abort()
        return fault.response()

    async def _serve(
        self, request: web.Request, template: str, path: str, handler: Handler
    ) -> web.Response:
        method = request.method
        call = Call(method, template, path, dict(request.match_info), dict(request.query))
        self.calls.append(call)
        headers: dict[str, str] = {}
        try:
            limited = self._limit(call, headers)
            if limited is not None:
                # The body must be read before the connection is reused.
                await request.read()
                call.status = 429
                return limited
            self._authorize(request, template)
            await self._read(request, call)
            call.status, call.answer = await handler(call)
        except ApiError as error:
            call.status, call.answer = error.status, error.body()
            self._record_refusal(call, error)
        except Exception as error:
            # discord.py would retry after a 500 and hide the error of the fake server.
            call.status, call.answer = 400, {"message": repr(error), "code": 0}
            trace = "".join(traceback.format_exception(error))
            self.server.server_errors.append(f"{method} {path}: error in the fake server: {trace}")
        if self.server.schemas is not None:
            found = self.server.schemas.response_errors(method, template, call.status, call.answer)
            self.server.server_errors.extend(found)
        self.server.state_changed.notify()
        if call.answer is None:
            return web.Response(status=call.status, headers=headers)
        return json_response(call.answer, call.status, headers)

    def _authorize(self, request: web.Request, template: str) -> None:
        if template.startswith(("/interactions/", "/webhooks/")):
            return
        if request.headers.get("Authorization") != f"Bot {self.server.token}":
            raise ApiError(0)
        agent = request.headers.get("User-Agent", "")
        if not agent.startswith("DiscordBot ("):
            reason = f"User-Agent {agent!r} is not 'DiscordBot (url, version)'"
            self.server.add_violation(Violation(0, reason, request.path))

    def _limit(self, call: Call, headers: dict[str, str]) -> web.Response | None:
        now = self.server.clock()
        if not call.template.startswith(("/interactions/", "/webhooks/")):
            if now < self.global_wait_until:
                reason = f"came back {self.global_wait_until - now:.2f} s before Retry-After"
                self.server.add_violation(Violation(429, reason, f"{call.method} {call.path}"))
            while self.recent and now - self.recent[0] >= 1:
                self.recent.popleft()
            if len(self.recent) >= GLOBAL_RATE:
                wait = 1 - (now - self.recent[0])
                self.global_wait_until = now + wait
                headers |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
                return self._rate_limited(call, wait, 0, headers, is_global=True)
            self.recent.append(now)
        rate = BUCKETS.get((call.method, call.template))
        if rate is None:
            return None
        name = f"{call.method} {call.template}"
        major = call.params.get("channel_id") or call.params.get("webhook_token") or ""
        bucket = self.buckets.setdefault((name, major), Bucket(*rate))
        if now < bucket.wait_until:
            reason = f"came back {bucket.wait_until - now:.2f} s before Retry-After"
            self.server.add_violation(Violation(429, reason, f"{call.method} {call.path}"))
        allowed = bucket.take(now)
        headers |= bucket.headers(now, f"{abs(hash(name)):x}")
        if allowed:
            return None
        bucket.wait_until = bucket.reset
        headers["X-RateLimit-Scope"] = "user"
        code = 20028 if call.template.startswith("/channels/") else 0
        return self._rate_limited(call, bucket.reset - now, code, headers)

    def _rate_limited(
        self, call: Call, wait: float, code: int, headers: dict[str, str], is_global: bool = False
    ) -> web.Response:
        headers |= {"Retry-After": str(math.ceil(wait)), "Via": "1.1 google"}
        reason = ApiError(20028).message if code else "You are being rate limited."
        body = {"message": reason, "retry_after": wait, "global": is_global, "code": code}
        if self.server.schemas is not None:
            self.server.server_errors.extend(
                self.server.schemas.response_errors(call.method, call.template, 429, body)
            )
        return json_response(body, 429, headers)

    async def _read(self, request: web.Request, call: Call) -> None:
        """Reads the body and validates it; errors go to `call.form`."""
        kind = request.content_type
        if not request.can_read_body:
            if request.method in ("POST", "PUT", "PATCH") and not call.path.endswith("/typing"):
                raise ApiError(50109)
            return
        if kind == "multipart/form-data":
            await self._read_multipart(request, call)
        elif kind == "application/json":
            call.body = parse_json(await request.read())
        else:
            call.form.add([], "CONTENT_TYPE_INVALID", f'Expected "Content-Type" JSON, not {kind}')
            call.form.check()
        self._check_body(call)
        call.form.check()

    async def _read_multipart(self, request: web.Request, call: Call) -> None:
        total, too_large = 0, False
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise ApiError(50109)
            data = bytes(await part.read(decode=True))
            total += len(data)
            if part.name == "payload_json":
                call.body = parse_json(data)
            elif match := re.fullmatch(r"files\[(\d+)\]", part.name or ""):
                too_large |= len(data) > self.server.file_bytes
                call.files[int(match[1])] = (part.filename or "file", data)
            else:
                call.form.add([part.name or ""], "UNKNOWN_FIELD", "files are named files[0] to [9]")
        if too_large or total > limits.REQUEST_BYTES:
            raise ApiError(40005)
        if len(call.files) > limits.FILES:
            call.form.too_long(["files"], limits.FILES)

    def _check_body(self, call: Call) -> None:
        if self.server.schemas is None:
            return
        kind = call.body.get("type") if isinstance(call.body, dict) else None
        if call.template.endswith("/callback") and kind in CALLBACK_SCHEMAS:
            self.server.schemas.check_named(CALLBACK_SCHEMAS[kind], call.body, call.form)
        else:
            self.server.schemas.check_request(call.method, call.template, call.body, call.form)

    def _record_refusal(self, call: Call, error: ApiError) -> None:
        """Records a rejected request as a violation, unless it retries after an injected fault."""
        if self.injected[call.method, call.path] > 0:
            self.injected[call.method, call.path] -= 1
            return
        where = f"{call.method} {call.path}"
        violation = Violation(error.code, error.message, where, error.errors)
        token = call.params.get("interaction_token") or call.params.get("webhook_token")
        if token in self.server.interactions:
            if self.server.interactions[token].failed and error.code == 10062:
                return  # recorded when the deadline passed
            self.server.interactions[token].violations.append(violation)
        self.server.add_violation(violation)


def parse_json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        raise ApiError(50109) from None


def json_response(body: Any, status: int, headers: dict[str, str]) -> web.Response:
    # discord.py reads JSON only where no charset follows.
    headers = headers | {"Content-Type": "application/json"}
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers)
