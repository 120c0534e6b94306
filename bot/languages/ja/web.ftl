# What the web page answers.

web-request = { $why }
web-other-site = これはほかのサイトからのリクエストです。こちらのページから描いてください。
web-paint-off = ここでは絵を描けません。ギャラリーは見られます。
web-paint-local = ここで描けるのはボットのマシンだけです。ギャラリーは見られます。
