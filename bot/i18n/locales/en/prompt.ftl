# Errors of prompts.

prompt-too-long = Your prompt has { $length } characters; the limit is { $most }.
prompt-what-value = What should { $attribute } be? { $choices }
prompt-ambiguous = “{ $said }” could be { $attributes }. Please write { $ways }.
prompt-both = { $attribute } cannot be both { $one } and { $other }. Please choose one.
prompt-cannot-leave-out = Exclusions such as “{ $said }” are not supported. Please say what you want instead.
prompt-unknown-attribute = There is no attribute “{ $said }”. { $near }You can choose { $attributes }.
prompt-unknown-value = { $attribute } cannot be “{ $said }”. { $near }{ $choices }
prompt-unknown-word = “{ $said }” is not a known word. { $near }{ $choices }
prompt-near = Did you mean { $words }?{" "}
prompt-choices = You can choose { $values } for { $attribute }.
prompt-choices-more = The other attributes are { $attributes }.
prompt-choices-joint = {" "}
prompt-no-choice = This model has no attributes: every picture is random.
