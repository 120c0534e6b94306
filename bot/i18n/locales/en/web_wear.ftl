# The page for faces by name, and what its script says.

page-wear-title = Irodori: a face for every name
page-wear-heading = Wear it everywhere
page-wear-help = Every name has a face, always the same one. Use its address wherever a picture can be linked. Nothing is stored.
page-wear-face = The face of { $name }
page-wear-name = Name
page-wear-values = Values
page-wear-optional = (optional)
page-wear-show = Show
page-wear-copy = Copy it
page-wear-copy-one = Copy: { $what }
page-wear-address = Address
page-wear-pinned = Address that never changes, even with a newer model
page-wear-forum = Forum signature (BBCode)
page-wear-readme = README (Markdown)
page-wear-html = Web page (HTML)
page-wear-options = Options
page-wear-size = scales the picture down, to 16 pixels or more.
page-wear-webp = instead of .png is a much smaller file.
page-wear-gravatar = For members without a picture of their own (Gravatar's d=), use an address with their name or number.
page-wear-case = Case, and spaces around a name, make no difference.
page-wear-cors = Pages of other sites may also read the pictures with scripts (CORS).
script-wear-face = The face of { $name }
script-wear-copied = Copied
script-wear-copied-line = Copied.
script-wear-selected = Selected: copy it with your keyboard.
