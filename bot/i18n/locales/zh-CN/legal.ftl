# The pages /privacy and /terms, and the links to them.

legal-privacy = 隐私
legal-terms = 使用条款
legal-help = 隐私：{ $privacy } · 使用条款：{ $terms }
legal-operator = 本 Irodori 由 { $operator } 运营。
legal-no-operator = 本 Irodori 的运营者没有公布名称。请向你所在 Discord 服务器的管理员询问。
legal-contact = 联系方式：{ $contact }

privacy-page-stored = 保存哪些关于 Discord 成员的数据
privacy-page-stored-text = 你请求的图片，以及提示词、种子、/find 中的选择、模型、时间、服务器和频道；你的收藏、设置和举报；你的 Discord ID 和显示名称；如果服务器开启了相应功能，还有你在淘汰赛中的投票、/guess 的回答，以及你是否收到欢迎或加入全家福；以及一天之内你请求的图片数量。Irodori 只读取提及它的消息和发给它的私信。
privacy-page-visitors = 保存哪些关于本网页访客的数据
privacy-page-visitors-text = 你绘制的图片、你的收藏和举报；与你的浏览器关联的 Discord 成员。一个含有随机数的 Cookie 会在一年内识别你的浏览器；数据库中只有该随机数的哈希值。如果你选择了语言，另一个 Cookie 会记住它。Irodori 在此不对访客使用其他 Cookie，不做统计分析，也不使用其他公司的服务。它用你的地址限制请求频率。如果有多个进程提供本网页，它们会为此保存地址的哈希值：最后一次请求后约一分钟，最长两小时。
privacy-page-browser = 你的浏览器保存什么
privacy-page-browser-text = 在关闭标签页之前，保存画室中图片的列表。如果你打开“在此浏览器中绘制”，还会保存这一选择、用于绘制的程序和模型，以及在其中绘制的最近 100 张图片；没有网络也能使用。只有当你把这些图片保存到画廊时，它们才会发送到这里；提示词只为理解内容而发送，不会保存。关闭该开关后，文件和图片仍会保留。要删除它们，请在浏览器设置中清除本网站的数据；在这里的任何删除都不会涉及它们。
privacy-page-seen = 谁能看到
privacy-page-seen-text = 所有人都能在画廊和本网页看到非私密图片。私密图片只有你能看到。公开图片保存下来的文件里带有提示词和种子：有文件的人可以重新画出这张图，即使它在这里已被删除。运营者可以读取保存的全部数据。对图片的举报会发给运营者；如果绘制该图片的服务器的管理员选择了频道，也会发给他们。
privacy-page-time = 保存多久
privacy-page-time-text = 直到你删除为止。运营者的备份在被新备份取代之前，可能仍含有已删除的数据。
privacy-page-time-pictures = 无人收藏的图片会在 { $days } 天后删除。
privacy-page-time-guilds = Irodori 被移出服务器 { $days } 天后，该服务器的限制、屏蔽名单和设置，以及那里的投票、回答和全家福会被删除，在那里绘制的图片不再记录该服务器。
privacy-page-choices = 你可以做什么
privacy-page-choices-text = Discord 中的 /privacy 命令可以导出你的全部数据，或将其永久删除，包括正在绘制的图片，以及你关联的浏览器的图片。在本网页你可以删除自己的每一张图片。其他事宜请联系运营者。
privacy-page-stays = 删除之后仍会保留什么
privacy-page-stays-text = 已发到 Discord 的消息及其图片：请在 Discord 中删除。已删除图片的 ID 以及绘制和删除的时间。服务器对你的屏蔽。你的 ID 的哈希值，最长保存三小时，以免正在绘制的图片被保存。运营者日志中含有 Discord ID 的记录，但不含名称和提示词。他人保存的副本。

terms-page-use = 使用
terms-page-use-text = Irodori 用神经网络绘制头像。请勿用它违反法律、Discord 的条款或侵犯他人权利，请勿骚扰他人，也请勿使它过载。
terms-page-pictures = 图片
terms-page-pictures-text = 所有头像均由程序生成；与人物或角色相似纯属巧合。你对自己如何使用图片负责。他人可以保存、换色和融合公开图片。
terms-page-reports = 举报
terms-page-reports-text = 请举报不应公开的图片：在 Discord 中点“详情”，在本网页则打开图片的页面。运营者可以隐藏和删除图片。服务器管理员可以设置限制和屏蔽成员。
terms-page-warranty = 不作保证
terms-page-warranty-text = 服务按现状提供，不作任何保证。服务可能中断或终止，图片可能丢失。
