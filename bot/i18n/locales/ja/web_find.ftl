# The page where visitors find a face, and what its script says.

page-find-title = Irodori：好みの顔を探す
page-find = 好みの顔を探す
page-find-help = 好きな顔を選ぶと、それに近い9つを描きます。気に入った1つを自分の絵にできます。
page-find-sheets = 回
page-find-sheet = { $number }回目
page-find-faces = 9つの顔
page-find-face = 顔{ $number }
page-find-off = ここでは描けません。
page-find-undo = 戻る
page-find-nearer = もっと近く
page-find-adopt = この顔にする
page-find-keys = キー：
page-find-keys-choose = 選ぶ、
page-find-keys-nearer = もっと近い顔、
page-find-keys-undo = 1つ戻る。
page-find-start = はじめの条件
page-find-new = 新しい顔
page-find-optional = 書かなくてもかまいません。書かなかったことも、いっしょに探します。
page-find-script = このページには JavaScript が必要です。アトリエはなくても使えます。
script-find-sheet = { $rounds }回中{ $round }回目
script-find-face = 顔{ $number }：{ $face }
script-find-chosen = { $count }つ選択中
script-find-choose-last = もらう顔を1つ選んでください
script-find-choose = 1つ以上選んでください
