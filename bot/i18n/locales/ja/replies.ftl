# What a member sees while a reply is pending, and when something fails.

order-waiting = { $position ->
    [0] 描いています…
   *[other] あなたの前にあと{ $position }枚。少々お待ちください…
}
order-resumed = 再起動しました。今から描きます…
order-restarting = 再起動中です。少ししてからもう一度どうぞ。
order-too-many = まだ { $most } 件のご依頼を描いている途中です。どれかが終わってからもう一度どうぞ。
failure-database = 現在データベースを使えません。数秒後にもう一度お試しください。
failure-broken = こちらで問題が起きました。続くようならボットの運営者に伝えてください：`{ $code }`。
failure-outdated = このコマンドは新しくなりました。Discordを再読み込み（Ctrl+R）してからお試しください。
failure-no-choice = その選択肢は選べません。ほかのものをお選びください。
operators-only = このコマンドはボットの運営者だけが使えます。
