# /limits, for the admins of a server.

command-limits =
    .name = 制限
    .description = このサーバーでメンバーが頼める量を制限します
command-limits-show =
    .name = 表示
    .description = このサーバーの現在の設定
command-limits-set =
    .name = 設定
    .description = メンバー一人が描ける枚数と間隔
    .cooldown = 待ち時間
    .cooldown-description = 同じメンバーの依頼の間の秒数。0でなし
    .daily = 一日
    .daily-description = メンバー一人の24時間の枚数。0で無制限
    .gallery = ギャラリー
    .gallery-description = このサーバーの絵を見られるかどうか
command-limits-channel =
    .name = チャンネル
    .description = ボットが描く場所。ひとつもなければどこでも
    .where = 場所
    .where-description = どのチャンネルか
    .answer = 描く
    .answer-description = そこで描くかどうか
command-limits-role =
    .name = ロール
    .description = ロールの待ち時間と1日の上限を免除、またはロール専用に変更
    .role = ロール
    .role-description = どのロールか
    .exempt = 免除
    .exempt-description = 免除するかどうか
    .cooldown = 待ち時間
    .cooldown-description = 同じメンバーの依頼の間の秒数。0でなし
    .daily = 一日
    .daily-description = メンバー一人の24時間の枚数。0で無制限
command-limits-reports =
    .name = 報告先
    .description = このサーバーで描いた絵への報告をモデレーターに知らせるチャンネル
    .where = チャンネル
    .where-description = 知らせるチャンネル。省略すると知らせません
command-limits-block =
    .name = ブロック
    .description = このメンバーにはここで描きません
    .member = メンバー
    .member-description = だれをブロックするか
    .blocked = ブロック中
    .blocked-description = ブロックまたは解除

limits-title = **このサーバーの制限**
limits-cooldown = { $seconds ->
    [0] ⏳ 待ち時間なし
   *[other] ⏳ 同じメンバーの依頼の間は { $seconds } 秒
}
limits-daily = { $count ->
    [0] 📅 1日の上限なし
   *[other] 📅 メンバー一人につき24時間で { $count } 枚
}
limits-channels = 💬 描く場所は { $names } だけ
limits-channels-none = 💬 どのチャンネルでも描きます
limits-roles = 🎖️ 免除：{ $names }
limits-roles-none = 🎖️ 免除されたロールなし
limits-gallery-on = 🖼️ このサーバーのギャラリーは公開中
limits-gallery-off = 🖼️ このサーバーのギャラリーは閉じています
limits-blocked = 🚫 ブロック中：{ $names }
limits-blocked-none = 🚫 だれもブロックしていません
limits-reports = 🚩 ここで描いた絵への報告の送り先：{ $names }
limits-reports-none = 🚩 絵への報告はボットの運営者だけに届きます
limits-not-allowed = 「サーバー管理」権限のあるメンバーだけが制限を設定できます。
limits-of-role = 🎖️ { $role }：{ $cooldown }、{ $daily }
limits-more = { $names } ほか { $count } 件
limits-more-roles = 🎖️ ほか { $count } 個のロールに個別の制限があります
