# The page where visitors find a face, and what its script says.

page-find-title = Irodori: find your face
page-find = Find your face
page-find-help = Choose the faces you like, and you get nine that are nearer to them. Adopt the one you want to keep.
page-find-sheets = Sheets
page-find-sheet = Sheet { $number }
page-find-faces = Nine faces
page-find-face = Face { $number }
page-find-off = Painting is turned off.
page-find-undo = Undo
page-find-nearer = Nearer
page-find-adopt = Adopt
page-find-keys = Keys:
page-find-keys-choose = choose,
page-find-keys-nearer = paints nearer faces,
page-find-keys-undo = undoes a sheet.
page-find-start = Start with…
page-find-new = New faces
page-find-optional = Optional. Everything left open is part of the search.
page-find-script = This page needs JavaScript. The studio works without it.
script-find-sheet = Sheet { $round } of { $rounds }
script-find-face = Face { $number }: { $face }
script-find-chosen = { $count } chosen
script-find-choose-last = choose one to adopt
script-find-choose = choose one or more
