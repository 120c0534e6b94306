# Refusals of sizes, children, animations and models.

studio-size = 现在的模型能画 { $sizes } 像素的图，画不了 { $size } 像素。
studio-language = 没有“{ $language }”这种语言，请选 en、zh-CN 或 ja。
studio-gallery-closed = 这个服务器的画廊已关闭。
studio-models-differ = 这些图出自不同的模型，无法组合在一起。请选同一个模型画的图。
mix-same = 这是同一张图。融合需要两张不同的图。
morph-count = 变身需要 2 到 { $most } 张图，现在有 { $count } 张。
morph-same = 有一张图出现了两次，每张请只选一次。
model-unknown = 没有模型“{ $name }”。可用的模型：{ $models }。
model-stays = 模型 { $named } 不能用，所以继续用 { $name }。原因见日志。
export-no-part = 没有这一部分。
