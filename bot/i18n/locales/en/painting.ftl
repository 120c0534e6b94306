# Refusals of sizes, children, morphs and models.

studio-size = The model in use paints at { $sizes } pixels, not at { $size }.
studio-language = The language “{ $language }” is not available; choose en, zh-CN or ja.
studio-gallery-closed = The gallery of this server is closed.
studio-models-differ = These pictures are by different models and cannot be combined. Please choose pictures by the same model.
mix-same = Both are the same picture. Please choose two different ones.
morph-count = A morph needs 2 to { $most } pictures, not { $count }.
morph-same = The same picture is given twice. Please choose each one once.
model-unknown = There is no model “{ $name }”. There are: { $models }.
model-stays = Model { $named } cannot be used, so { $name } stays. The log says why.
export-no-part = The export has no such part.
