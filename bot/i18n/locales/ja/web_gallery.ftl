# The gallery, the matrix and the visitor's own pictures, and what their scripts say.

page-gallery-about = みんなが描いたアニメ顔のギャラリーです。
page-gallery = ギャラリー
page-gallery-pictures = { $count ->
   *[other] 枚
}
page-gallery-sort = 並び順
page-gallery-newest = 新しい順
page-gallery-loved = 人気順
page-gallery-matrix = 一覧表
page-gallery-skip = 絵へ移動
page-gallery-filters = 絞り込み
page-gallery-remove-filter = この絞り込みを外す
page-gallery-no-match = この条件の絵はまだありません。
page-gallery-none = まだ絵がありません。
page-gallery-paint-first = 最初の1枚を描く
page-gallery-grid = 絵
page-matrix-rows = 行
page-matrix-columns = 列
page-matrix-show = 表示
page-matrix-legend = それぞれの組み合わせの最新の絵と、その枚数です。
page-matrix-swap = 行と列を入れ替える
page-matrix-cell = { $face }：
page-matrix-first = { $face }の最初の1枚を描く
page-mine = 自分の絵
page-mine-favorites = 自分のお気に入り
page-mine-which = 絵の種類
page-mine-tab-pictures = 絵
page-mine-tab-favorites = お気に入り
page-mine-no-favorites = お気に入りはまだありません。絵のページのハートで追加できます。
page-mine-none = このブラウザーではまだ何も描いていません。
page-mine-paint = 顔を描く
script-gallery-fresh = 新しい絵が{ $count }枚
script-gallery-new = 新着：{ $face }
