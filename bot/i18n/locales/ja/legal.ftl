# The pages /privacy and /terms, and the links to them.

legal-privacy = プライバシー
legal-terms = 利用規約
legal-help = プライバシー：{ $privacy } · 利用規約：{ $terms }
legal-operator = この Irodori は { $operator } が運営しています。
legal-no-operator = この Irodori の運営者は名前を公開していません。ご利用の Discord サーバーの管理者にお尋ねください。
legal-contact = 連絡先：{ $contact }

privacy-page-stored = Discord のメンバーについて保存するもの
privacy-page-stored-text = リクエストした絵と、そのプロンプト、シード、/find での選択、モデル、日時、サーバー、チャンネル。お気に入り、設定、報告。Discord の ID と表示名。サーバーが機能をオンにしている場合は、トーナメントの投票、/guess の回答、歓迎の投稿、家族写真への参加。1 日の間、リクエストした絵の枚数。Irodori が読むのは、メンションされたメッセージとダイレクトメッセージだけです。
privacy-page-visitors = このページの訪問者について保存するもの
privacy-page-visitors-text = 描いた絵、お気に入り、報告、ブラウザーと連携した Discord のメンバー。乱数の入った Cookie で 1 年間ブラウザーを識別します。データベースにはその乱数のハッシュだけを保存します。言語を選ぶと、それを覚える Cookie がもう1つ使われます。訪問者に対してほかの Cookie やアクセス解析、他社のサービスは使いません。アドレスは回数制限に使います。複数のプロセスがこのページを提供している場合は、そのためにハッシュだけを最後のリクエストから約 1 分間、長くても 2 時間保存します。
privacy-page-seen = だれが見られるか
privacy-page-seen-text = 非公開でない絵は、ギャラリーとこのページでだれでも見られます。非公開の絵を見られるのは本人だけです。公開されている絵を保存したファイルにはプロンプトとシードが入っています。ファイルがあれば、ここで削除された後でも描き直せます。運営者は保存されたすべてのデータを読むことができます。絵の報告は運営者に届き、その絵を描いたサーバーのモデレーターがチャンネルを選んでいればモデレーターにも届きます。
privacy-page-time = 保存する期間
privacy-page-time-text = 削除されるまで保存します。運営者のバックアップには、新しいものに置き換わるまで、削除されたデータが残ることがあります。
privacy-page-time-pictures = だれのお気に入りでもない絵は { $days } 日後に削除します。
privacy-page-time-guilds = Irodori がサーバーから外されて { $days } 日たつと、そのサーバーの制限、ブロック、設定と、そこでの投票、回答、家族写真を削除し、そこで描いた絵からサーバーの記録を消します。
privacy-page-choices = できること
privacy-page-choices-text = Discord の /privacy コマンドで、すべてのデータを書き出すか、描いている途中の絵や、連携したブラウザーの絵も含めて完全に削除できます。このページでは自分の絵を 1 枚ずつ削除できます。そのほかのことは運営者にご連絡ください。
privacy-page-stays = 削除したあとも残るもの
privacy-page-stays-text = Discord に投稿されたメッセージとその絵。これは Discord で削除してください。削除した絵の ID と、描いた日時と削除した日時。サーバーによるブロック。描いている途中の絵を保存しないための ID のハッシュ（長くても 3 時間）。運営者のログのうち Discord の ID を含む行。名前とプロンプトは含みません。ほかの人が保存したコピー。

terms-page-use = 利用
terms-page-use-text = Irodori はニューラルネットワークで顔を描きます。法律、Discord の規約、他人の権利に反する利用、嫌がらせ、過大な負荷をかける利用はしないでください。
terms-page-pictures = 絵
terms-page-pictures-text = 顔はすべて自動で生成したものです。人物やキャラクターに似ていても偶然です。絵の利用はご自身の責任です。公開の絵は、ほかの人が保存したり、色を変えたり、ミックスしたりできます。
terms-page-reports = 報告
terms-page-reports-text = 公開すべきでない絵は報告してください。Discord では「くわしく」から、ここでは絵のページから報告できます。運営者は絵を隠したり削除したりできます。サーバーの管理者は制限を設け、メンバーをブロックできます。
terms-page-warranty = 無保証
terms-page-warranty-text = サービスは現状のまま、いかなる保証もなく提供されます。中断や終了、絵の消失が起こることがあります。
