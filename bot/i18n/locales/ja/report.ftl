# Reports of pictures.

report-button = 報告
report-title = この絵を報告
report-label = どこに問題がありますか？（任意）
report-done = ありがとうございます。この絵は確認されます。
report-long = 理由は { $most } 文字までです。
report-too-many = 未対応の報告が { $most } 件あります。確認が済むまでお待ちください。
report-notice = 絵 `{ $id }` が報告されました（{ $count }）。
report-reason = 理由：{ $reason }
report-hide = 絵を隠す
report-dismiss = 報告を却下
report-hidden = `{ $id }` を隠しました。
report-dismissed = `{ $id }` の報告を却下しました。
