"""The studio: the service behind the Discord front end and the web front end.

Front ends build a `Request` (owner, guild, channel, private, order id) and call a service:
`studio.painting.create(wish, request)`, `studio.gallery.page(query)`. Refused requests raise a
`bot.errors.Refusal`.
"""

from bot.studio.request import Request
from bot.studio.studio import Studio

__all__ = ["Request", "Studio"]
