# Errors of the engine; most of them are for operators.

busy = 现在排队的图太多了，请大约 { $seconds } 秒后再来。
painter-failed = 这张没画成，请再试一次。
painter-closing = 机器人正在关闭，请稍后再试。
model-gone = 模型 { $name } 已经不可用了。
model-refused = 这个模型不能用：{ $why }
model-does-not-run = 模型 { $name } 无法运行：{ $why }
model-not-finite = 模型 { $name }：{ $file } 给出的分数不是有限值。
model-wrong-output = 模型 { $name }：{ $file } 输出 { $made }，而清单写的是 { $said }。
model-no-cuda = engine.provider 设为 cuda，但 ONNX Runtime 用不了 CUDA（{ $why }）：请安装附加包 'cuda'，或把 engine.provider 设为 auto。
model-too-slow = 模型 { $name } 未能在 { $seconds } 秒内完成加载和首次绘制。机器较慢时请调大 engine.load_seconds。
model-no-ray = engine.backend 设为 ray，但缺少软件包 { $module }：请安装附加包 'cluster'。
model-no-cluster = engine.backend 设为 ray，但 { $address } 没有 Ray 集群（{ $why }）：请在本机启动 Ray，或设置 engine.ray_address。
model-not-deployed = Ray 集群上没有机器人的副本（{ $why }）：请用 python -m bot deploy 启动。
model-no-replica = Ray 集群上没有可用的副本：{ $why }
