"""One module for each capability of the bot; `show.py` is the shortest.

A module's cog gets the bot (`bot.studio` does the work). It may have
- `components`: its DynamicItems, which are registered so that buttons of old messages work;
- `wish_commands()`: commands whose options are the model's attributes. They are built again
  whenever a model with other attributes comes into use.
"""

import pkgutil
from importlib import import_module

from discord.ext import commands


def find_cogs() -> list[type[commands.Cog]]:
    """The cogs of all modules in this package, sorted by module."""
    modules = [
        import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    return [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, commands.Cog)
        and value.__module__ == module.__name__
    ]
