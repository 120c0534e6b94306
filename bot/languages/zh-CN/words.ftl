# How a picture is described, and lists; then the names of the models' attributes and values.

words-pair = { $value }{ $attribute }
words-comma = 、
words-more = 另外 { $count } 种
