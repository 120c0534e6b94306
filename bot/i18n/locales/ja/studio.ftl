# Refusals of requests that the studio cannot grant.

studio-count = 枚数は1から{ $most }までです（指定は{ $count }）。
studio-seed = シードは0から{ $most }までです（指定は{ $seed }）。
studio-no-change = 何を変えるか指定してください。たとえば、項目を1つと新しい値です。
studio-nobody = あなたがどなたかわからないので、あなたのギャラリーを表示できません。
studio-no-server = ここはサーバーではないので、サーバーのギャラリーはありません。
studio-page-size = 1ページに表示できるのは1から{ $most }枚までです（指定は{ $limit }）。
studio-page-gone = ギャラリーにこのページはありません。最初のページからどうぞ。
studio-not-yours = この絵を削除できるのは、頼んだ本人だけです。
studio-no-avatar = 「{ $id }」という絵はありません。削除されたのかもしれません。
transition-frames = モーフのコマ数は2から{ $most }までです（指定は{ $count }）。
matrix-same = 表の行と列には、別々の項目を選んでください。
matrix-none = このモデルには項目が2つないので、表にできません。
