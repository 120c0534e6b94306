command-link =
    .name = 連携
    .description = ブラウザーと連携して、ウェブページとDiscordの絵とお気に入りをまとめます
link-how = このコードをウェブページ { $page } に入力してください。使えるのは1回だけで、期限は { $when } です。
link-secret = だれにも教えないでください。入力した人は、あなたの公開の絵とお気に入りをまとめて見たり、その絵を削除したりできます。
link-browsers = { $count }個のブラウザーと連携しています。
link-unlink = すべての連携を解除
link-unlinked =
    { $count ->
        [0] 連携しているブラウザーはありません。
       *[other] { $count }個のブラウザーとの連携を解除しました。そのブラウザーの絵とお気に入りは、そのまま残ります。
    }
link-too-soon = コードを出したばかりです。次のコードは { $when } に出せます。
link-code = このコードは使えません。コードは{ $minutes }分以内に1回だけ使えます。新しいコードはDiscordの /link で出せます。
link-page-title = Discordの絵
link-page-how = Discordのコマンド /link で出したコードをここに入力すると、両方の絵とお気に入りをまとめて見られます。自分で出したコードだけを入力してください。連携したアカウントは、このブラウザーの絵を見たり削除したりできます。
link-page-code = コード
link-page-link = 連携する
link-page-linked = このブラウザーはDiscordの { $name } と連携しています。非公開の絵はDiscordでだけ表示されます。
link-page-unlink = 連携を解除
