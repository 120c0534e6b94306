"""The privacy policy and the terms of use, in the visitor's language."""

from aiohttp import web

from bot.i18n.messages import say
from bot.settings import PrivacySettings
from bot.web.keys import STUDIO
from bot.web.languages import language_of
from bot.web.pages.render import render

routes = web.RouteTableDef()

SECTIONS = {
    "privacy": ("stored", "visitors", "browser", "seen", "time", "choices", "stays"),
    "terms": ("use", "pictures", "reports", "warranty"),
}


@routes.get("/privacy")
async def privacy_page(request: web.Request) -> web.Response:
    return _page(request, "privacy")


@routes.get("/terms")
async def terms_page(request: web.Request) -> web.Response:
    return _page(request, "terms")


def _page(request: web.Request, page: str) -> web.Response:
    language = language_of(request)
    settings = request.app[STUDIO].privacy
    sections = [
        (say(f"{page}-page-{name}", language), _paragraphs(page, name, settings, language))
        for name in SECTIONS[page]
    ]
    if settings.operator:
        operator = [say("legal-operator", language, operator=settings.operator)]
    else:
        operator = [say("legal-no-operator", language)]
    if settings.contact:
        operator.append(say("legal-contact", language, contact=settings.contact))
    return render(
        request,
        "legal.html",
        page=page,
        title=say(f"legal-{page}", language),
        operator=operator,
        sections=sections,
    )


def _paragraphs(page: str, name: str, settings: PrivacySettings, language: str) -> list[str]:
    texts = [say(f"{page}-page-{name}-text", language)]
    if (page, name) == ("privacy", "time"):
        if settings.picture_days:
            days = settings.picture_days
            texts.append(say("privacy-page-time-pictures", language, days=days))
        if settings.guild_days:
            texts.append(say("privacy-page-time-guilds", language, days=settings.guild_days))
    return texts
