# Reports of pictures.

report-button = Report
report-title = Report this picture
report-label = What is wrong with it? (optional)
report-done = Thank you. This picture will be reviewed.
report-long = A reason has at most { $most } characters.
report-too-many = You have { $most } open reports. Please wait until they have been reviewed.
report-notice = Picture `{ $id }` was reported ({ $count }).
report-reason = Reason: { $reason }
report-hide = Hide picture
report-dismiss = Dismiss reports
report-hidden = `{ $id }` is hidden.
report-dismissed = The reports of `{ $id }` are dismissed.
