command-link =
    .name = 关联
    .description = 关联浏览器：把网页和 Discord 上的图片与收藏放到一起
link-how = 请在网页 { $page } 上输入这个代码。它只能用一次，{ $when }失效。
link-secret = 不要告诉任何人：输入代码的人可以一起看到你的公开图片和收藏，也可以删除这些图片。
link-browsers = 有 { $count } 个浏览器与你关联。
link-unlink = 解除所有关联
link-unlinked =
    { $count ->
        [0] 没有浏览器与你关联。
       *[other] 已解除与 { $count } 个浏览器的关联。它们的图片和收藏仍属于它们。
    }
link-too-soon = 你刚刚拿到一个代码。{ $when }可以再要一个。
link-code = 这个代码不能用。代码只能用一次，{ $minutes } 分钟内有效；在 Discord 中用 /link 可以拿到新的。
link-page-title = Discord 中的图片
link-page-how = 在 Discord 中用命令 /link 拿到代码并在这里输入，就能一起看到两边的图片和收藏。只输入你自己拿到的代码：它的帐号可以看到并删除这个浏览器的图片。
link-page-code = 代码
link-page-link = 关联
link-page-linked = 这个浏览器已与 Discord 的 { $name } 关联。私密图片只在 Discord 中显示。
link-page-unlink = 解除关联
