# Errors of prompts.

prompt-too-long = 你写了 { $length } 个字符，请不要超过 { $most } 个。
prompt-what-value = { $attribute }要什么样的？{ $choices }
prompt-ambiguous = “{ $said }”可以指{ $attributes }。请写成 { $ways }。
prompt-both = { $attribute }不能既是{ $one }又是{ $other }，请选一个。
prompt-cannot-leave-out = 不支持“{ $said }”这样的排除。请直接写你想要什么。
prompt-unknown-attribute = 没有“{ $said }”这一项。{ $near }可以选的有：{ $attributes }。
prompt-unknown-value = { $attribute }不能是“{ $said }”。{ $near }{ $choices }
prompt-unknown-word = 我不认识“{ $said }”。{ $near }{ $choices }
prompt-near = 你是想说{ $words }吗？
prompt-choices = { $attribute }可以是{ $values }。
prompt-choices-more = 其他属性有：{ $attributes }。
prompt-choices-joint = {""}
prompt-no-choice = 这个模型没有可选的属性：每张图都是随机的。
