"""How long the bot waits for work in progress when it stops."""

GRACE_SECONDS = 3
"""For replies and HTTP requests in progress. Together with the batch that is being painted, and the
database, a stop takes less than the 10 s after which Docker kills a container.
"""
