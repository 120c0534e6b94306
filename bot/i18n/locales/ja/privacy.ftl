command-privacy =
    .name = プライバシー
    .description = あなたについて保存しているもの。書き出しや削除もできます
privacy-title = あなたについて保存しているもの
privacy-what = あなたの絵と、その注文、シード、/find で選んだ顔、モデル、描いた日時と場所。あなたの ♥ と報告。あなたの設定。DiscordのIDと表示名。連携したブラウザー。サーバーが機能をオンにしている場合は、投票、/guess の回答、歓迎の投稿、家族写真への参加も保存します。それだけです。私へのメンションとDM以外のメッセージは読みません。
privacy-who = 非公開の絵はあなただけに見えます。それ以外はギャラリーでもみんなに見えます。
privacy-how = **書き出す**で、あなたのデータすべてをzipにまとめます。**忘れてもらう**で、すべて完全に削除します。1枚だけなら、絵の下の 🗑️ で削除できます。サーバーの上限のため、頼まれた枚数だけは1日のあいだ保存します。サーバーのブロックも残ります。
privacy-export = 書き出す
privacy-forget = 忘れてもらう
privacy-sure = 絵、お気に入り、設定をすべて削除しますか？ 元に戻せません。
privacy-yes = すべて削除
privacy-no = 残しておく
privacy-not-deleted = 何も削除していません。
privacy-forgotten =
    { $count ->
        [0] 絵はありませんでした。お気に入り、設定、名前を削除しました。
       *[other] 絵{ $count }枚と、お気に入り、設定、名前を削除しました。
    }
privacy-export-all = このzipに、あなたのデータがすべて入っています。
privacy-export-part = あなたのデータ、{ $parts }個中{ $part }個目です。1つのファイルではDiscordの上限を超えるためです。
privacy-export-next = { $part }個目
privacy-not-kept = データが削除されたため、この絵は保存されませんでした。
