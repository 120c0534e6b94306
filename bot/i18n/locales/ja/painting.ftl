# Refusals of sizes, children, animations and models.

studio-size = いまのモデルで描けるのは{ $sizes }ピクセルです（指定は{ $size }）。
studio-language = 言語「{ $language }」は使えません。en、zh-CN、ja から選んでください。
studio-gallery-closed = このサーバーのギャラリーは閉じています。
studio-models-differ = 別々のモデルが描いた絵なので、組み合わせられません。同じモデルの絵を選んでください。
mix-same = 同じ絵が選ばれています。ミックスには別々の2枚が必要です。
morph-count = モーフに使える絵は2枚から{ $most }枚までです（指定は{ $count }枚）。
morph-same = 同じ絵が2回選ばれています。1枚ずつ選んでください。
model-unknown = モデル「{ $name }」はありません。使えるモデル：{ $models }
model-stays = モデル { $named } は使えないため、{ $name } のままです。理由はログにあります。
export-no-part = そのパートはありません。
