# Errors of the web page.

web-request = { $why }
web-other-site = This request comes from another site's page. Please use this site's own page.
web-paint-off = Painting is turned off. The gallery is open.
web-paint-local = Painting is restricted to the bot's own machine. The gallery is open.
web-too-many = Your address has reached its rate limit. Please wait until { $when }.
web-admins-only = Please log in as admin: your session has expired.
web-streams-full = Too many event streams are open. Please try again in about { $seconds } s.
web-too-many-streams = Too many event streams are open from your address. Please close one of them.
web-logins-busy = Too many logins are being checked. Please try again in about { $seconds } s.
web-too-many-logins = Too many login attempts from your address. Please wait until { $when }.
