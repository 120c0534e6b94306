"""The studio: the service behind the Discord front end and the web front end.

Front ends build a `Request` (owner, guild, channel, private, order id) and call a service:
`studio.painting.create(wish, request)`, `studio.gallery.page(query)`. Refused requests raise a
`bot.errors.Refusal`; all services raise StoreUnavailable while the database does not work.
"""

from bot.studio.request import Request
from bot.studio.studio import Studio
from db.errors import StoreUnavailable

__all__ = ["Request", "StoreUnavailable", "Studio"]
