# How a picture is described, and lists. The model's own words are English already.

words-pair = { $value } { $attribute }
words-comma = {", "}
words-more = { $count } more
