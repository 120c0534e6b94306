# Errors of the web page.

web-request = { $why }
web-other-site = これはほかのサイトからのリクエストです。こちらのページから描いてください。
web-paint-off = ここでは絵を描けません。ギャラリーは見られます。
web-paint-local = ここで描けるのはボットのマシンだけです。ギャラリーは見られます。
web-too-many = 同じアドレスから描ける枚数を使い切りました。{ $when } まで少しお待ちください。
web-admins-only = 管理者としてログインしてください。セッションの期限が切れています。
web-streams-full = 新着の配信を受けている人が多すぎます。{ $seconds }秒ほどしてからもう一度どうぞ。
web-too-many-streams = 同じアドレスから新着の配信を受けすぎています。どれかを閉じてください。
web-logins-busy = 確認待ちのログインが多すぎます。{ $seconds }秒ほどしてからもう一度どうぞ。
web-too-many-logins = 同じアドレスからのパスワード入力が多すぎます。{ $when } まで少しお待ちください。
