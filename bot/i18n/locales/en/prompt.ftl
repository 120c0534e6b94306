# What is answered to a wish that cannot be read.

prompt-too-long = Your prompt has { $length } characters; please make it { $most } at most.
prompt-what-value = What should { $attribute } be? { $choices }
prompt-ambiguous = “{ $said }” could be { $attributes }. Please write { $ways }.
prompt-both = { $attribute } cannot be both { $one } and { $other }. Please choose one.
prompt-cannot-leave-out = I cannot leave things out (“{ $said }”). Please say what you want instead.
prompt-unknown-attribute = There is no attribute “{ $said }”. { $near }You can choose { $attributes }.
prompt-unknown-value = { $attribute } cannot be “{ $said }”. { $near }{ $choices }
prompt-unknown-word = I do not know “{ $said }”. { $near }{ $choices }
prompt-near = Did you mean { $words }?{" "}
prompt-choices = You can choose { $values } for { $attribute }.
prompt-choices-joint = {" "}
prompt-no-choice = This model leaves no choice: every picture is a surprise.
