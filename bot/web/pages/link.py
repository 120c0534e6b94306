"""Linking this browser with a member of Discord, by a code of `/link`, on the page `/mine`."""

from dataclasses import dataclass

from aiohttp import web

from bot.errors import BadPrompt
from bot.i18n.messages import say
from bot.studio.links import CODE_MINUTES
from bot.web import visitors
from bot.web.keys import LINK_RATE, STUDIO
from bot.web.languages import language_of
from bot.web.requests import completed, read_form

TRIES_PER_MINUTE = 6  # codes that can be entered from one address

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True)
class LinkPanel:
    """The words of the panel: with `name`, the member that this browser is linked with."""

    title: str
    how: str
    button: str
    name: str | None
    code: str = ""
    problem: str = ""


async def link_panel(request: web.Request) -> LinkPanel:
    language = language_of(request)
    token = visitors.token_of(request)
    member = token and await request.app[STUDIO].links.member_of(visitors.owner_of(token))
    title = say("link-page-title", language)
    if member:
        how = say("link-page-linked", language, name=member.name)
        return LinkPanel(title, how, say("link-page-unlink", language), member.name)
    is_wrong = request.query.get("link") == "wrong"
    return LinkPanel(
        title,
        say("link-page-how", language),
        say("link-page-link", language),
        name=None,
        code=say("link-page-code", language),
        problem=say("link-code", language, minutes=CODE_MINUTES) if is_wrong else "",
    )


@routes.post("/mine/link")
@completed
async def link(request: web.Request) -> web.Response:
    visitors.require_same_origin(request)
    await request.app[LINK_RATE].charge(visitors.address_of(request), 1)
    form = await read_form(request)
    token = visitors.token_of(request) or visitors.new_token()
    try:
        await request.app[STUDIO].links.link(form.get("code", ""), visitors.owner_of(token))
    except BadPrompt:
        return web.Response(status=303, headers={"Location": "/mine?link=wrong#link"})
    response = web.Response(status=303, headers={"Location": "/mine"})
    visitors.remember(request, response, token)
    return response


@routes.post("/mine/unlink")
@completed
async def unlink(request: web.Request) -> web.Response:
    visitors.require_same_origin(request)
    if token := visitors.token_of(request):
        await request.app[STUDIO].links.unlink(visitors.owner_of(token))
    return web.Response(status=303, headers={"Location": "/mine"})
