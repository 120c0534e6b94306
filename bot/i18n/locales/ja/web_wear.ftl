# The page for faces by name, and what its script says.

page-wear-title = Irodori：どの名前にも顔を
page-wear-heading = どこでも使える顔
page-wear-help = どの名前にも、いつも同じ顔があります。画像のアドレスを貼れるところならどこでも使えます。何も保存しません。
page-wear-face = { $name } の顔
page-wear-name = 名前
page-wear-values = 特徴
page-wear-optional = （任意）
page-wear-show = 表示
page-wear-copy = コピーして使う
page-wear-copy-one = コピー：{ $what }
page-wear-address = アドレス
page-wear-pinned = モデルが新しくなっても変わらないアドレス
page-wear-forum = 掲示板の署名（BBCode）
page-wear-readme = README（Markdown）
page-wear-html = ウェブページ（HTML）
page-wear-options = オプション
page-wear-size = で縮小します（16ピクセルから）。
page-wear-webp = を .png のかわりに使うと、ファイルがずっと小さくなります。
page-wear-gravatar = 画像のないメンバー用（Gravatar の d=）には、名前や番号を入れたアドレスを使ってください。
page-wear-case = 大文字と小文字、名前の前後の空白は区別しません。
page-wear-cors = ほかのサイトのページから、スクリプトで読むこともできます（CORS）。
script-wear-face = { $name } の顔
script-wear-copied = コピー済み
script-wear-copied-line = コピーしました。
script-wear-selected = 選択しました。キーボードでコピーしてください。
