# /model, for operators.

command-model =
    .name = model
    .description = Choose the model that paints (for operators)
command-model-list =
    .name = list
    .description = List all models with their figures
command-model-use =
    .name = use
    .description = Switch to this model
    .model = model
    .model-description = One of the models in /model list
command-model-rollback =
    .name = rollback
    .description = Switch back to the previous model
command-model-reload =
    .name = reload
    .description = Load the model in models/current now

model-in-use = **{ $name } is in use now.** The previous model finishes the pictures in progress.
model-older = … and { $count } older ones
model-none = There are no models.
