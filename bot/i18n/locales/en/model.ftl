# /model, for operators.

command-model =
    .name = model
    .description = Choose the model that paints (for operators)
command-model-list =
    .name = list
    .description = List all models with their metrics
command-model-use =
    .name = use
    .description = Switch to this model
    .model = model
    .model-description = A model that /model list shows
command-model-rollback =
    .name = rollback
    .description = Switch back to the previous model
command-model-reload =
    .name = reload
    .description = Load the model that models/current names now

model-in-use = **{ $name } paints now.** Pictures in progress are finished by the previous model.
model-older = … and { $count } older ones
model-none = There are no models.
