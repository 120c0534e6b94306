# Errors of the web page.

web-nothing = { $path } には何もありません。
web-method = { $path } で { $method } は使えません。使えるもの：{ $allowed }
web-large-body = 本文が { $most } KiB を超えています。
web-database = 現在データベースを使えません。数秒後にもう一度お試しください。
web-failure = 内部エラーが起きました。くわしくはボットのログにあります。
web-no-json = 本文が UTF-8 の正しい JSON ではありません。
web-no-object = 本文は { $example } のような JSON オブジェクトにしてください。
web-no-form = フォームを読み取れません。
web-large-file = ファイルが { $most } MiB を超えています。
web-part-of-file = ファイルが途中で切れています。
web-twice = { $key } が2回以上指定されています。
web-unknown-key = { $known ->
    [none] キー { $key } は使えません。ここで使えるキーはありません。
   *[other] キー { $key } は使えません。使えるキー：{ $known }
}
web-missing = { $key } がありません。{ $expected }を指定してください。
web-invalid = { $key } には{ $expected }を指定してください（指定は { $found }）。
web-one-of = { $values } のどれか
web-whole-number = { $least } から { $most } までの整数
web-number = 数（{ $least } から { $most } まで）
web-object = { $example ->
    [none] オブジェクト
   *[other] { $example } のようなオブジェクト
}
web-list = リスト
web-string = { $example ->
    [none] {""}
   *[other] { $example } のような
}{ $most ->
    [0] 文字列
   *[other] { $most } 文字以内の文字列
}
web-format = アドレスの末尾は .png か .webp にしてください（指定は { $format }）。
web-crop = { $name } はありません。使えるもの：{ $known }
web-other-site = これはほかのサイトからのリクエストです。こちらのページから描いてください。
web-paint-off = ここでは絵を描けません。ギャラリーは見られます。
web-paint-local = ここで描けるのはボットのマシンだけです。ギャラリーは見られます。
web-too-many = 同じアドレスから描ける枚数を使い切りました。{ $when } まで少しお待ちください。
web-admins-only = 管理者としてログインしてください。セッションの期限が切れています。
web-streams-full = 新着の配信を受けている人が多すぎます。{ $seconds }秒ほどしてからもう一度どうぞ。
web-too-many-streams = 同じアドレスから新着の配信を受けすぎています。どれかを閉じてください。
web-logins-busy = 確認待ちのログインが多すぎます。{ $seconds }秒ほどしてからもう一度どうぞ。
web-too-many-logins = 同じアドレスからのパスワード入力が多すぎます。{ $when } まで少しお待ちください。
