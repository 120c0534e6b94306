# Errors of the web page.

web-nothing = there is nothing at { $path }
web-method = { $path } does not support { $method }; allowed: { $allowed }
web-large-body = the body is larger than { $most } KiB
web-database = the database cannot be used at the moment; try again in a few seconds
web-failure = internal error; see the bot's log for details
web-no-json = the body is not valid JSON in UTF-8
web-no-object = the body must be a JSON object such as { $example }
web-no-form = the form cannot be read
web-large-file = the file is larger than { $most } MiB
web-part-of-file = the file is not complete
web-twice = { $key } is given more than once
web-unknown-key = { $known ->
    [none] unknown key { $key }; no keys are valid here
   *[other] unknown key { $key }; valid keys: { $known }
}
web-missing = { $key } is missing; it must be { $expected }
web-invalid = { $key } must be { $expected }; it is { $found }
web-one-of = one of { $values }
web-whole-number = a whole number from { $least } to { $most }
web-number = a number from { $least } to { $most }
web-object = { $example ->
    [none] an object
   *[other] an object such as { $example }
}
web-list = a list
web-string = a string{ $most ->
    [0] {""}
   *[other] {" "}of at most { $most } characters
}{ $example ->
    [none] {""}
   *[other] {" "}such as { $example }
}
web-format = the address must end with .png or .webp; it ends with { $format }
web-crop = there is no { $name }; there are: { $known }
web-other-site = This request comes from another site's page. Please use this site's own page.
web-paint-off = Painting is turned off. The gallery is open.
web-paint-local = Painting is restricted to the bot's own machine. The gallery is open.
web-too-many = Your address has reached its rate limit. Please wait until { $when }.
web-admins-only = Please log in as admin: your session has expired.
web-streams-full = Too many event streams are open. Please try again in about { $seconds } s.
web-too-many-streams = Too many event streams are open from your address. Please close one of them.
web-logins-busy = Too many logins are being checked. Please try again in about { $seconds } s.
web-too-many-logins = Too many login attempts from your address. Please wait until { $when }.
