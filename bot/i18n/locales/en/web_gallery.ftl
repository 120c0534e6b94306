# The gallery, the matrix and the visitor's own pictures, and what their scripts say.

page-gallery-about = Anime faces that visitors and members have painted.
page-gallery = Gallery
page-gallery-pictures = { $count ->
    [one] picture
   *[other] pictures
}
page-gallery-sort = Sort order
page-gallery-newest = Newest
page-gallery-loved = Most favorites
page-gallery-matrix = Matrix
page-gallery-skip = Skip to pictures
page-gallery-filters = Filters
page-gallery-remove-filter = Remove this filter
page-gallery-no-match = No pictures match these filters.
page-gallery-none = No pictures yet.
page-gallery-paint-first = Paint the first one
page-gallery-grid = Pictures
page-matrix-rows = rows
page-matrix-columns = columns
page-matrix-show = Show
page-matrix-legend = The newest picture with each pair of values, and how many there are.
page-matrix-swap = Swap rows and columns
page-matrix-cell = { $face }:
page-matrix-first = Paint the first one with { $face }
page-mine = My pictures
page-mine-favorites = My favorites
page-mine-which = Which pictures
page-mine-tab-pictures = Pictures
page-mine-tab-favorites = Favorites
page-mine-no-favorites = You have no favorites yet. The heart on the page of a picture adds it.
page-mine-none = You have painted nothing with this browser yet.
page-mine-paint = Paint a face
script-gallery-fresh = { $count ->
    [one] 1 new picture
   *[other] { $count } new pictures
}
script-gallery-new = New: { $face }.
