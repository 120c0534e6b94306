# Refusals of sizes, children, animations and models.

studio-size = The model in use paints at { $sizes } pixels, not at { $size }.
studio-language = The language “{ $language }” is not available; choose en, zh-CN or ja.
studio-gallery-closed = The gallery of this server is switched off.
studio-models-differ = These pictures are by different models, which have no face in common. Please take pictures by the same model.
mix-same = These are one and the same picture. A child needs two.
morph-count = A morph goes through 2 to { $most } pictures; here are { $count }.
morph-same = One picture is there twice. Please take each one once.
model-stays = Model { $named } cannot be used, so { $name } stays. The log says why.
export-no-part = The export has no such part.
