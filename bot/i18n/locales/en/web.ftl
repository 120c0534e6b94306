# What the web page answers.

web-request = { $why }
web-other-site = This request comes from another site's page. Please paint from our own.
web-paint-off = Painting is switched off here. The gallery is open.
web-paint-local = Only the bot's own machine may paint here. The gallery is open.
web-too-many = You have painted as much as one address may for now. Please wait a moment, until { $when }.
web-admins-only = Log in as admin first: this page's session is over.
web-too-many-logins = Too many passwords came from your address. Please wait a moment, until { $when }.
