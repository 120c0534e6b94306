# Errors of the web page.

web-request = { $why }
web-other-site = これはほかのサイトからのリクエストです。こちらのページから描いてください。
web-paint-off = ここでは絵を描けません。ギャラリーは見られます。
web-paint-local = ここで描けるのはボットのマシンだけです。ギャラリーは見られます。
web-too-many = 同じアドレスから描ける枚数を使い切りました。{ $when } まで少しお待ちください。
web-admins-only = 先に管理者としてログインしてください。このページのセッションは終了しています。
web-too-many-logins = 同じアドレスからのパスワード入力が多すぎます。{ $when } まで少しお待ちください。
