# Errors of the engine; most of them are for operators.

busy = 順番待ちの絵が多すぎます。{ $seconds }秒ほどしてからもう一度どうぞ。
painter-failed = うまく描けませんでした。もう一度お試しください。
painter-closing = ボットを終了しています。少ししてからもう一度どうぞ。
model-gone = モデル { $name } はもう使えません。
model-refused = このモデルは使えません：{ $why }
model-does-not-run = モデル { $name } が動きません：{ $why }
model-not-finite = モデル { $name }：{ $file } のスコアが有限の数ではありません。
model-wrong-output = モデル { $name }：{ $file } の出力は { $made } ですが、マニフェストでは { $said } です。
model-no-cuda = engine.provider は cuda ですが、ONNX RuntimeがCUDAを使えません（{ $why }）。追加パッケージ 'cuda' を入れるか、engine.provider を auto にしてください。
model-too-slow = モデル { $name } は { $seconds } 秒以内に読み込みと最初の描画が終わりませんでした。遅いマシンでは engine.load_seconds を大きくしてください。
model-no-ray = engine.backend は ray ですが、パッケージ { $module } がありません。追加パッケージ 'cluster' を入れてください。
model-no-cluster = engine.backend は ray ですが、{ $address } にRayクラスターがありません（{ $why }）。このマシンでRayを起動するか、engine.ray_address を設定してください。
model-not-deployed = Rayクラスターにボットのレプリカがありません（{ $why }）。python -m bot deploy で起動してください。
model-no-replica = Rayクラスターで使えるレプリカがありません：{ $why }
