# A picture's message, and the buttons below it.

card-face = a face
card-alt = anime avatar: { $words }
card-alt-plain = anime avatar
card-number = { $number } of { $count }: { $title }
card-portrait = { $member }: { $title }
card-for = for { $member }
card-wish = wish { $wish }
card-no-wish = no wish, all by chance
card-seed = seed { $seed }
card-model = model { $model }
card-id = id { $id }
card-again = Again
card-recolour = Colours
card-variations = Variations
card-mix = Mix…
card-info = Info
card-no-colours = The model in use has none of this avatar's colours any more.

recolour-title = The same face in other colours:
recolour-paint = Paint
recolour-same = These are its colours already. Choose another one first.

with-title = Mix { $title } with…
with-choose = One of your pictures or favourites
with-none = You have no other pictures or favourites to mix it with yet. `/avatar` paints one.

nearest-title = The model in use no longer knows { $missing }. The nearest that it has:

info-colours = colours
info-wish = wish
info-any = anything
info-seed = seed
info-model = model
info-size = size
info-size-value = { $width } × { $height } pixels
info-id = id
info-parents = made from
info-by = painted for
info-visitor = a visitor of the web page
info-when = when
info-favourites = favourites
info-private = only you can see it
info-hidden = hidden by those who run the bot: only you can see it
info-copy = To ask for it again
info-copy-like = To ask for one like it
info-gone = a picture that is not here any more
