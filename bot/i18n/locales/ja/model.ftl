# /model, for operators.

command-model =
    .name = モデル
    .description = 描くモデルを選びます（運営者用）
command-model-list =
    .name = 一覧
    .description = すべてのモデルとその成績
command-model-use =
    .name = 使用
    .description = これからこのモデルで描きます
    .model = モデル
    .model-description = 「/モデル 一覧」にあるもの
command-model-rollback =
    .name = 元に戻す
    .description = ひとつ前のモデルに戻します
command-model-reload =
    .name = 再読み込み
    .description = models/current のモデルにすぐ切り替えます

model-in-use = **これからは { $name } が描きます。** 描きかけの絵は前のモデルが仕上げます。
model-older = …ほか、古いモデル { $count } 個
model-none = モデルがありません。
