# Pictures that are opened from their files, by the recipe in them.

recipe-opened = ファイルはこの絵そのもので、変更されていません。
recipe-repainted = この絵はもう保存されていなかったので、ファイルの中のレシピから描き直しました。
recipe-tampered = ご注意：このファイルは変更されています。レシピまたは画素がこの絵のものと一致しません。
recipe-no-png = PNG画像ではありません。ダウンロードしたままの元のファイルを使ってください。
recipe-missing = この絵にはレシピが入っていません。編集や変換をすると失われ、非公開の絵には最初から入りません。IDで試してください。
recipe-broken = この絵のレシピを読めません：{ $part } が正しくありません。
recipe-too-large = この絵は大きすぎて開けません。
recipe-no-model = ここには絵 { $id } がなく、描いたモデル { $model } もありません。
recipe-other-model = ここには絵 { $id } がなく、ここのモデル { $model } は描いたものとは別のものです。
recipe-show-what = IDか絵のファイルを指定してください。
