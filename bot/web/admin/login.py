"""Login and logout, and the guard of everything below /admin."""

import logging
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.errors import NotAllowed, Refusal
from bot.web import visitors
from bot.web.admin.sessions import PATH, SESSIONS
from bot.web.errors import headers_of, status_of
from bot.web.keys import SETTINGS
from bot.web.pages.render import render
from bot.web.rate_limits import client_address
from bot.web.requests import completed, read_form

LOGIN = f"{PATH}/login"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = logging.getLogger(__name__)
routes = web.RouteTableDef()


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Requires a session for every route below /admin except the login."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource else ""
    if route != PATH and not route.startswith(f"{PATH}/"):
        return await handler(request)
    if request.method not in ("GET", "HEAD"):
        visitors.require_same_origin(request)
    if route != LOGIN and not await request.app[SESSIONS].is_valid(request):
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            return _render_login(request, request.path, status=403)
        raise NotAllowed("web-admins-only")
    response = await handler(request)
    if response.content_type == "text/html":
        response.headers["Cache-Control"] = "no-store"  # nothing to go back to after logout
    return response


@routes.get(LOGIN)
async def login_page(request: web.Request) -> web.Response:
    return _render_login(request, PATH)


@routes.post(LOGIN)
async def login(request: web.Request) -> web.Response:
    sessions = request.app[SESSIONS]
    address = client_address(request, request.app[SETTINGS].trusted_proxies)
    form = await read_form(request)
    target = form.get("to", "")
    if not re.fullmatch(rf"{PATH}(/[\w-][\w.-]*){{0,2}}", target, re.ASCII):
        target = PATH
    try:
        await sessions.login_rate.charge(address, 1)
        correct = await sessions.check_password(form.get("password", ""))
    except Refusal as error:
        response = _render_login(request, target, status_of(error), str(error))
        response.headers.update(headers_of(error))
        return response
    if not correct:
        log.warning("wrong password for %s from %s", PATH, address)
        return _render_login(request, target, 403, "Wrong password.")
    response = web.Response(status=303, headers={"Location": target})
    await sessions.open(response, visitors.is_secure(request))
    return response


@routes.post(f"{PATH}/logout")
@completed
async def logout(request: web.Request) -> web.Response:
    response = web.Response(status=303, headers={"Location": "/"})
    await request.app[SESSIONS].close(request, response)
    return response


def _render_login(
    request: web.Request, target: str, status: int = 200, error: str = ""
) -> web.Response:
    response = render(request, "admin/login.html", status, target=target, error=error)
    response.headers["Cache-Control"] = "no-store"
    return response
