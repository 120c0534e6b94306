# /model, for operators.

command-model =
    .name = 模型
    .description = 由哪个模型作画（仅限运营者）
command-model-list =
    .name = 列表
    .description = 所有模型及其指标
command-model-use =
    .name = 使用
    .description = 从现在起用这个模型作画
    .model = 模型
    .model-description = /模型 列表 里的一个
command-model-rollback =
    .name = 回退
    .description = 换回上一个模型
command-model-reload =
    .name = 重新加载
    .description = 立即换成 models/current 指定的模型

model-in-use = **现在由 { $name } 作画。** 正在画的图由之前的模型画完。
model-older = ……还有 { $count } 个更早的模型
model-none = 还没有模型。
