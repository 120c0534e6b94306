"""The HTTP proxy through which Discord is reached."""

import logging
import urllib.request
from urllib.parse import urlsplit

from bot.settings import DiscordSettings

log = logging.getLogger(__name__)


def proxy_of(settings: DiscordSettings) -> str | None:
    """The proxy of `discord.proxy`, or of HTTPS_PROXY unless NO_PROXY names Discord's host."""
    if settings.proxy:
        return settings.proxy
    url = urlsplit(settings.api_url)
    proxy = urllib.request.getproxies().get(url.scheme)
    if not proxy or urllib.request.proxy_bypass(url.hostname or ""):
        return None
    if urlsplit(proxy).scheme not in ("http", "https"):
        log.warning("%s_PROXY is not the URL of an HTTP proxy, and not used", url.scheme.upper())
        return None
    return proxy
