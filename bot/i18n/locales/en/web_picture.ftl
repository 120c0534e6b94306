# The page of a picture and its proof, and what their scripts say.

page-picture-about = A face painted by Irodori on { $day }. Seed { $seed }, model { $model }.
page-picture-values = Values
page-picture-studio = Open in the studio
page-picture-another = Paint another
page-picture-favorite = Favorite
page-picture-favorites = Favorites: { $count }
page-picture-share = Share
page-picture-prompt = Prompt
page-picture-seed = Seed
page-picture-day = Painted
page-picture-model = Model
page-picture-proof = proof
page-picture-found = Found
page-picture-by-choosing = by choosing
page-picture-download = Download
page-picture-download-size = Download at { $size } px
page-picture-download-as = Download as { $form }
page-picture-circle = circle
page-picture-emoji = emoji
page-picture-sticker = sticker
page-picture-zip = Download all sizes as a zip file
page-picture-command = Copy for Discord
page-picture-report = Report this picture
page-picture-report-title = Report this picture?
page-picture-report-send = Report
page-picture-delete = Delete my picture
page-picture-delete-title = Delete this picture?
page-picture-delete-why = It is removed from the gallery for everyone. This cannot be undone.
page-picture-delete-yes = Delete
page-picture-parents = { $count ->
    [one] Parent
   *[other] Parents
}
page-picture-children = { $count ->
    [one] Child
   *[other] Children
}
page-picture-siblings = { $count ->
    [one] Sibling
   *[other] Siblings
}
page-proof-title = Proof of { $id }
page-proof-same = The same picture
page-proof-near = Nearly the same picture
page-proof-different = Not the same picture
page-proof-same-file = The picture was painted again from its recipe just now, and every pixel is the same, as is every byte of the file.
page-proof-same-pixels = The picture was painted again from its recipe just now, and every pixel is the same.
page-proof-near-text = The picture was painted again from its recipe just now. It differs as pictures do that another processor or another version of the upscaler painted: by { $mean } of 255 in the mean, and { $most } at most.
page-proof-different-text = The picture was painted again from its recipe just now, and the result differs: by { $mean } of 255 in the mean, and { $most } at most. The stored picture or its recipe was changed.
page-proof-recipe = Recipe
page-proof-seed = Seed { $seed }
page-proof-values = Values { $values }
page-proof-model = Model { $model }, { $size } pixels
script-picture-copied = Copied
script-picture-copied-command = Copied.
script-picture-selected = The command is selected.
script-picture-copied-link = Copied the link
script-picture-no-clipboard = The link is in the address bar. Copy it from there.
script-picture-reported = Reported
script-picture-thanks = Thank you. The operator will look at this picture.
