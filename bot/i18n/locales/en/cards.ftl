# A picture's message, and the buttons below it.

card-face = a face
card-alt = anime avatar: { $words }
card-alt-plain = anime avatar
card-number = { $number } of { $count }: { $title }
card-portrait = { $member }: { $title }
card-for = for { $member }
card-wish = wish { $wish }
card-no-wish = no wish, all random
card-seed = seed { $seed }
card-model = model { $model }
card-id = id { $id }
card-child-of = child of { $parents }
card-quoted = “{ $word }”
card-unused = Not understood, and not used: { $words }.
card-again = Again
card-recolor = Recolor
card-variations = Variations
card-mix = Mix…
card-info = Info
card-no-values = The model in use has none of this picture's values.

recolor-title = The same face with other values:
recolor-paint = Paint
recolor-same = It already has these values. Choose another one first.

with-title = Mix { $title } with…
with-choose = One of your pictures or favorites
with-none = You have no other pictures or favorites to mix it with yet. `/avatar` paints one.

nearest-title = The model in use does not know { $missing }. The nearest wish that it knows:

info-values = values
info-wish = wish
info-any = anything
info-seed = seed
info-model = model
picture-other-model = { $model } (no longer in use: the same seed paints another face now)
info-size = size
info-size-value = { $width } × { $height } pixels
info-id = id
info-parents = made from
info-choices = found by choosing
info-by = painted for
info-visitor = a visitor of the web page
info-when = when
info-favorites = favorites
info-private = only you can see it
info-hidden = hidden by the bot's operators: only you can see it
info-copy = To paint it again
info-copy-like = To paint a similar one
info-gone = a picture that is not available
