# A picture's message, and the buttons below it.

card-face = 顔
card-alt = アニメアバター：{ $words }
card-alt-plain = アニメアバター
card-number = { $count }枚中{ $number }枚目：{ $title }
card-portrait = { $member }：{ $title }
card-for = { $member } さんへ
card-wish = 注文 { $wish }
card-no-wish = 注文なし、すべておまかせ
card-seed = シード { $seed }
card-model = モデル { $model }
card-id = ID { $id }
card-child-of = { $parents } の子
card-quoted = 「{ $word }」
card-unused = わからなかった言葉：{ $words }。
card-again = もう1枚
card-recolor = 色を変える
card-variations = バリエーション
card-mix = ミックス…
card-info = くわしく
card-no-values = 今のモデルには、この絵の特徴がもうありません。

recolor-title = 同じ顔で、特徴を変えます：
recolor-paint = 描く
recolor-same = 今と同じです。先に別のものを選んでください。

with-title = { $title }と何をミックスしますか？
with-choose = あなたの絵かお気に入り
with-none = ミックスできる絵やお気に入りがまだありません。`/avatar` で描いてみましょう。

nearest-title = 今のモデルに{ $missing }はもうありません。いちばん近いのはこちらです：

info-values = 特徴
info-wish = 注文
info-any = おまかせ
info-seed = シード
info-model = モデル
picture-other-model = { $model }（現在は使われていません。同じシードでも、いまは別の顔になります）
info-size = サイズ
info-size-value = { $width } × { $height } ピクセル
info-id = ID
info-parents = もとの絵
info-choices = 選んだ顔
info-by = 頼んだ人
info-visitor = ウェブページの訪問者
info-when = 日時
info-favorites = お気に入り
info-private = あなただけに見えます
info-hidden = ボットの運営者が非公開にしました。あなただけに見えます
info-copy = もう一度頼むには
info-copy-like = 似たものを頼むには
info-gone = もう見られない絵
