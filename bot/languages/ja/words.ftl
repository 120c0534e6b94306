# How a picture is described, and lists; then the names of the models' attributes and values.

words-pair = { $value }の{ $attribute }
words-comma = 、
words-more = ほか{ $count }種類
