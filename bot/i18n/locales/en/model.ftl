# /model, for those who run the bot.

command-model =
    .name = model
    .description = Which model paints, for those who run the bot
command-model-list =
    .name = list
    .description = All models and their figures
command-model-use =
    .name = use
    .description = Paint with this model from now on
    .model = model
    .model-description = One of those that /model list shows
command-model-rollback =
    .name = rollback
    .description = Back to the model before
command-model-reload =
    .name = reload
    .description = Take over what models/current names, at once

model-in-use = **{ $name } paints now.** What is being painted is finished by the model before.
model-older = … and { $count } older ones
model-none = There are no models.
