# The page of a picture and its proof, and what their scripts say.

page-picture-about = Irodori が{ $day }に描いた顔です。シード { $seed }、モデル { $model }。
page-picture-values = 特徴
page-picture-studio = アトリエで開く
page-picture-another = もう1枚描く
page-picture-favorite = お気に入り
page-picture-favorites = お気に入り：{ $count }
page-picture-share = 共有
page-picture-prompt = プロンプト
page-picture-seed = シード
page-picture-day = 描いた日
page-picture-model = モデル
page-picture-proof = 検証
page-picture-found = 探し方
page-picture-by-choosing = 選んで見つけた顔
page-picture-download = ダウンロード
page-picture-download-size = { $size } px でダウンロード
page-picture-download-as = { $form }でダウンロード
page-picture-circle = 円形
page-picture-emoji = 絵文字
page-picture-sticker = スタンプ
page-picture-zip = すべてのサイズを zip でダウンロード
page-picture-command = Discord 用にコピー
page-picture-report = この絵を報告
page-picture-report-title = この絵を報告しますか？
page-picture-report-send = 報告する
page-picture-delete = 自分の絵を削除
page-picture-delete-title = この絵を削除しますか？
page-picture-delete-why = ギャラリーからも消え、元に戻せません。
page-picture-delete-yes = 削除する
page-picture-parents = { $count ->
   *[other] 親
}
page-picture-children = { $count ->
   *[other] 子ども
}
page-picture-siblings = { $count ->
   *[other] きょうだい
}
page-proof-title = { $id } の検証
page-proof-same = 同じ絵です
page-proof-near = ほぼ同じ絵です
page-proof-different = 同じ絵ではありません
page-proof-same-file = いまレシピから描き直したところ、すべての画素も、ファイルの全バイトも一致しました。
page-proof-same-pixels = いまレシピから描き直したところ、すべての画素が一致しました。
page-proof-near-text = いまレシピから描き直しました。別のプロセッサーや別の版の拡大モデルで描いたときのわずかな違いです：255段階で平均{ $mean }、最大{ $most }。
page-proof-different-text = いまレシピから描き直したところ、結果が違いました：255段階で平均{ $mean }、最大{ $most }。保存された絵かレシピが変更されています。
page-proof-recipe = レシピ
page-proof-seed = シード { $seed }
page-proof-values = 特徴 { $values }
page-proof-model = モデル { $model }、{ $size }ピクセル
script-picture-copied = コピー済み
script-picture-copied-command = コピーしました。
script-picture-selected = コマンドを選択しました。
script-picture-copied-link = リンクをコピーしました
script-picture-no-clipboard = リンクはアドレスバーからコピーしてください。
script-picture-reported = 報告済み
script-picture-thanks = ありがとうございます。運営者がこの絵を確認します。
