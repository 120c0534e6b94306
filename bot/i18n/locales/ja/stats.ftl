# /stats, for operators.

command-stats =
    .name = 統計
    .description = ボットの状況（運営者用）

stats-stored = 🖼️ 絵 **{ $pictures }** 枚（非公開 { $private } 枚、直近24時間 { $today } 枚）· メンバー { $members } 人 · ♥ { $favorites }
stats-engine = ⏱️ 起動後に { $painted } 枚 · 半分は { $p50 } ミリ秒以内、99 %は { $p99 } ミリ秒以内 · 待ち { $waiting } 枚 · 拒否 { $refused } 件 · 失敗 { $failed } 件
stats-life = 🎨 モデル **{ $model }** · サーバー { $guilds } · 稼働 { $days } 日 { $hours } 時間 { $minutes } 分
stats-loved = ♥ 人気の組み合わせ：{ $loved }
