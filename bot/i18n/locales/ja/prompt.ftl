# Errors of prompts.

prompt-too-long = { $length }文字あります。{ $most }文字以内にしてください。
prompt-what-value = { $attribute }はどうしますか？{ $choices }
prompt-ambiguous = 「{ $said }」は{ $attributes }のどれでもありえます。{ $ways }のように書いてください。
prompt-both = { $attribute }を{ $one }と{ $other }の両方にはできません。どちらかにしてください。
prompt-cannot-leave-out = 「{ $said }」のように除くことはできません。ほしいものを書いてください。
prompt-unknown-attribute = 「{ $said }」という項目はありません。{ $near }選べるのは{ $attributes }です。
prompt-unknown-value = { $attribute }を「{ $said }」にはできません。{ $near }{ $choices }
prompt-unknown-word = 「{ $said }」がわかりません。{ $near }{ $choices }
prompt-near = もしかして：{ $words }？{" "}
prompt-choices = { $attribute }で選べるのは{ $values }です。
prompt-choices-more = ほかの項目は{ $attributes }です。
prompt-choices-joint = {""}
prompt-no-choice = このモデルに選べる項目はありません。どの絵もおまかせになります。
