# Pictures that are opened from their files, by the recipe in them.

recipe-opened = The file is this picture, unchanged.
recipe-repainted = The picture was not stored here any more. It was painted again from the recipe in the file.
recipe-tampered = Careful: this file was changed. Its recipe or its pixels are not those of this picture.
recipe-no-png = This is not a PNG picture. Please use the original file, as it was downloaded.
recipe-missing = This picture has no recipe in it. Files that were edited or converted lose it, and private pictures have none; try its id.
recipe-broken = The recipe in this picture cannot be read: { $part } is not valid.
recipe-too-large = This picture is too large to be opened.
recipe-no-model = There is no picture { $id } here, and the model { $model } that painted it is not here either.
recipe-other-model = There is no picture { $id } here, and the model { $model } here is not the one that painted it.
recipe-show-what = Please give an id or a picture's file.
