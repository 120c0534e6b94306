# What a member sees while a reply is pending, and when something fails.

order-waiting = { $position ->
    [0] Painting…
    [one] One picture is painted before yours…
   *[other] { $position } pictures are painted before yours…
}
order-resumed = I was restarted. Painting yours now…
order-restarting = I am being restarted. Please try again in a moment.
order-too-many = { $most ->
    [one] Your last picture is still being painted. Please wait until it is done.
   *[other] { $most } of your requests are still being painted. Please wait until one of them is done.
}
failure-database = My database cannot be used at the moment. Please try again in a few seconds.
failure-broken = Something went wrong on my side. If it keeps happening, give my operator this code: `{ $code }`.
failure-outdated = This command has changed. Reload Discord (Ctrl+R), then try again.
failure-no-choice = That choice is not available. Please choose another one.
operators-only = Only operators of this bot can use this command.
