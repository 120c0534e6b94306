# What the studio answers about sizes, families, animations and models.

studio-size = The model in use paints at { $sizes } pixels, not at { $size }.
studio-language = I do not speak “{ $language }”; I speak en, zh-CN and ja.
studio-gallery-closed = The gallery of this server is switched off.
studio-models-differ = These pictures are by different models, which have no face in common. Please take pictures by the same model.
mix-same = These are one and the same picture. A child needs two.
morph-count = A morph goes through 2 to { $most } pictures; here are { $count }.
morph-same = One picture is there twice. Please take each one once.
model-stays = Model { $named } cannot be used, so { $name } stays. The log says why.
takeout-no-part = There is no such part.
