# Pictures that are opened from their files, by the recipe in them.

recipe-opened = 文件就是这张图，没有被改动。
recipe-repainted = 这张图已经不在这里了，已按文件中的配方重新画出。
recipe-tampered = 注意：这个文件被改动过，它的配方或像素与这张图不一致。
recipe-no-png = 这不是 PNG 图片。请使用下载时的原始文件。
recipe-missing = 这张图里没有配方。编辑或转换会丢失配方，私密图片也不带配方；请改用编号。
recipe-broken = 无法读取这张图的配方：{ $part } 无效。
recipe-too-large = 这张图太大，无法打开。
recipe-no-model = 这里没有图 { $id }，也没有画它的模型 { $model }。
recipe-other-model = 这里没有图 { $id }，而且这里的模型 { $model } 不是画它的那个。
recipe-show-what = 请提供编号或图片文件。
