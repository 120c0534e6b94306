# Painting in the visitor's browser. A picture of the browser is in the gallery once it is kept.

browser-paint = Paint in this browser
browser-off = Without waiting for the bot, and also offline. Downloads up to { $megabytes } MB once.
browser-loading = Downloading…
browser-on = Pictures stay in this browser until you keep them in the gallery.
browser-offline = The bot cannot be reached. You can paint here; pictures stay in this browser until you keep them in the gallery.
browser-failed = This browser cannot paint, so the bot does.
browser-keep = Keep in the gallery
browser-kept = Kept: the picture is in the gallery now.
browser-prompt = Without the bot, only values are understood, as the swatches write them.
browser-seed = A seed is a whole number from 0 to 4294967295.
browser-other-model = This picture was painted by another model, which is not in this browser.
browser-keep-first = Keep your picture in the gallery first. Then it can be mixed.
