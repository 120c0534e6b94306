"""The studio: the service behind the Discord front end and the web front end.

Front ends build a `Request` (who, where, private, order id) and call the capability that they need:
`studio.painting.create(wish, request)`, `studio.gallery.page(query)`. A request that cannot be
granted raises one of `bot.errors`.
"""

from bot.studio.request import Request
from bot.studio.studio import Studio

__all__ = ["Request", "Studio"]
