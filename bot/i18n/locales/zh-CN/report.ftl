# Reports of pictures.

report-button = 举报
report-title = 举报这张图片
report-label = 这张图片有什么问题？（可以留空）
report-done = 谢谢。这张图片会得到审核。
report-long = 理由最多 { $most } 个字符。
report-too-many = 你有 { $most } 个尚未处理的举报。请等处理之后再举报。
report-notice = 图片 `{ $id }` 被举报（{ $count }）。
report-reason = 理由：{ $reason }
report-hide = 隐藏图片
report-dismiss = 驳回举报
report-hidden = `{ $id }` 已隐藏。
report-dismissed = 对 `{ $id }` 的举报已驳回。
