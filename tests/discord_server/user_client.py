"""The Discord client of one user: commands, components, messages."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import invocations, limits
from .errors import BotError, ImpossibleActionError, Violation
from .interactions import CHOICES, DEFER, DEFER_UPDATE, MODAL
from .model import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    MODAL_SUBMIT,
    Channel,
    Guild,
    Interaction,
    Message,
    Role,
    User,
)
from .permissions import MANAGE_MESSAGES, SEND_MESSAGES
from .replies import Choice, Modal, Reply

if TYPE_CHECKING:
    from .server import DiscordServer

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, NUMBER, ATTACHMENT = (
    *range(1, 9),
    10,
    11,
)


class UserClient:
    """The client of one user in a guild or, without a guild, in direct messages."""

    def __init__(self, server: "DiscordServer", user: User, guild: Guild | None) -> None:
        self.server, self.user, self.guild = server, user, guild

    def __repr__(self) -> str:
        return self.user.name

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def dm(self) -> Channel:
        """The direct-message channel with the bot."""
        return self.server.dm(self.user)

    def _readable_channel(self, channel: Channel | None) -> Channel:
        if channel is None:
            channel = self.guild.channels[0] if self.guild else self.dm
        if self.user.id not in channel.readers():
            raise ImpossibleActionError(
                f"{self} cannot read {channel.name or 'that direct-message channel'}"
            )
        return channel

    def messages(self, channel: Channel | None = None) -> list[Reply]:
        """The messages that the user can see in a channel, oldest first."""
        return [
            Reply(self.server, message)
            for message in self._readable_channel(channel).messages
            if not message.deleted and self.user.id in message.readers()
        ]

    def can_see(self, reply: Reply) -> bool:
        return not reply.deleted and self.user.id in reply.message.readers()

    # Actions

    async def slash(self, name: str, /, *, channel: Channel | None = None, **options: Any) -> Reply:
        """Runs a slash command; a subcommand has the name of its parent first: "model use"."""
        return await self._wait_for_reply(await self._slash(name, channel, options))

    async def slash_for_modal(
        self, name: str, /, *, channel: Channel | None = None, **options: Any
    ) -> Modal:
        """Runs a slash command that opens a modal."""
        return await self._wait_for_modal(await self._slash(name, channel, options))

    async def autocomplete(
        self, name: str, /, *, channel: Channel | None = None, **options: Any
    ) -> list[Choice]:
        """The suggestions while the last of the options is being typed."""
        channel = self._readable_channel(channel)
        focused = list(options)[-1]
        data = await self._command_data(name, channel, options, focused)
        what = f"autocomplete of {focused} of /{name} by {self}"
        interaction = invocations.new_interaction(
            self.server, AUTOCOMPLETE, data, self.user, channel, what
        )
        await self._send_interaction(interaction)
        return [Choice(choice["name"], choice["value"]) for choice in interaction.choices or []]

    async def user_command(
        self, name: str, target: "UserClient", /, *, channel: Channel | None = None
    ) -> Reply:
        """Runs a command of the context menu of another user."""
        channel = self._readable_channel(channel)
        command = await invocations.find_command(self.server, name, 2, self.user, channel)
        data = {"id": command["id"], "name": name, "type": 2, "target_id": str(target.id)}
        data["resolved"] = self._resolved_user(target, channel)
        what = f"user command {name!r} on {target} by {self}"
        return await self._wait_for_reply(
            invocations.new_interaction(self.server, COMMAND, data, self.user, channel, what)
        )

    async def click(
        self, reply: Reply, *, label: str | None = None, custom_id: str | None = None
    ) -> Reply:
        """Clicks a button with that label or emoji, or that custom_id."""
        return await self._wait_for_reply(self._click(reply, label, custom_id))

    async def click_for_modal(
        self, reply: Reply, *, label: str | None = None, custom_id: str | None = None
    ) -> Modal:
        """Clicks a button that opens a modal."""
        return await self._wait_for_modal(self._click(reply, label, custom_id))

    def _click(self, reply: Reply, label: str | None, custom_id: str | None) -> Interaction:
        found = [
            button
            for button in reply.buttons
            if (label is None or label in (button.label, button.emoji))
            and (custom_id is None or custom_id == button.custom_id)
        ]
        if len(found) != 1:
            raise ImpossibleActionError(
                f"{len(found)} buttons have label={label!r}, custom_id={custom_id!r} among "
                f"{[(b.label or b.emoji, b.custom_id) for b in reply.buttons]}"
            )
        button = found[0]
        if button.disabled or button.custom_id is None:
            raise ImpossibleActionError(
                f"button {button.label or button.emoji!r} cannot be clicked"
            )
        data = {"component_type": limits.BUTTON, "custom_id": button.custom_id}
        return self._use_component(reply, data, f"button {button.label or button.emoji!r}")

    async def select(
        self, reply: Reply, custom_id: str | None, values: list[str], *, forged: bool = False
    ) -> Reply:
        """Chooses values of a string select; `custom_id` can be None if there is one select.
        `forged` values are not among the options: only a modified client sends them.
        """
        found = [s for s in reply.selects if custom_id is None or s.custom_id == custom_id]
        if len(found) != 1:
            known = [select.custom_id for select in reply.selects]
            raise ImpossibleActionError(
                f"{len(found)} selects have custom_id={custom_id!r} among {known}"
            )
        select = found[0]
        offered = [option["value"] for option in select.options]
        if select.disabled or not (forged or set(values) <= set(offered)):
            raise ImpossibleActionError(f"{values} cannot be chosen from {offered}")
        if not forged and not select.min_values <= len(values) <= select.max_values:
            bounds = f"{select.min_values} to {select.max_values}"
            raise ImpossibleActionError(f"{bounds} values are to be chosen, not {len(values)}")
        data = {"component_type": limits.STRING_SELECT, "custom_id": select.custom_id}
        data |= {"values": values}
        return await self._wait_for_reply(
            self._use_component(reply, data, f"select {select.custom_id}")
        )

    async def choose(
        self, reply: Reply, custom_id: str, chosen: Sequence[Channel] | Sequence[Role]
    ) -> Reply:
        """Chooses channels or roles in a select of them."""
        select = next(s for s in reply.selects if s.custom_id == custom_id)
        if not select.min_values <= len(chosen) <= select.max_values:
            raise ImpossibleActionError(
                f"{select.min_values} to {select.max_values} values are to be chosen"
            )
        resolved: dict[str, Any] = {}
        for value in chosen:
            kind = CHANNEL if isinstance(value, Channel) else ROLE
            self._option({"type": kind, "name": custom_id}, value, False, reply.channel, resolved)
        data = {"component_type": select.type, "custom_id": custom_id, "resolved": resolved}
        data |= {"values": [str(value.id) for value in chosen]}
        return await self._wait_for_reply(self._use_component(reply, data, f"select {custom_id}"))

    async def submit(self, modal: Modal, **values: Any) -> Reply:
        """Submits a modal; `values` are by custom_id of its fields."""
        left = dict(values)

        def filled(component: dict[str, Any]) -> dict[str, Any]:
            custom_id = component["custom_id"]
            value = left.pop(custom_id, component.get("value"))
            base = {"type": component["type"], "id": component.get("id", 1), "custom_id": custom_id}
            if component["type"] in limits.SELECTS:
                return base | {"values": value or []}
            if not value and component.get("required", True):
                raise ImpossibleActionError(f"field {custom_id} must be filled in")
            if value and len(value) > (component.get("max_length") or 4000):
                raise ImpossibleActionError(
                    f"field {custom_id} takes {component['max_length']} characters"
                )
            return base | {"value": value or ""}

        components = []
        for number, component in enumerate(modal.components, 1):
            base = {"type": component["type"], "id": component.get("id", number)}
            if component["type"] == limits.LABEL:
                components.append(base | {"component": filled(component["component"])})
            elif component["type"] == limits.ROW:
                children = [filled(child) for child in component["components"]]
                components.append(base | {"components": children})
        if left:
            raise ImpossibleActionError(f"the modal {modal.title!r} has no fields {sorted(left)}")
        data = {"custom_id": modal.custom_id, "components": components}
        triggered_by = modal.interaction
        interaction = invocations.new_interaction(
            self.server,
            MODAL_SUBMIT,
            data,
            self.user,
            triggered_by.channel,
            f"modal {modal.title!r} by {self}",
        )
        interaction.message, interaction.triggered_by = triggered_by.message, triggered_by
        return await self._wait_for_reply(interaction)

    async def send(self, text: str, *, channel: Channel | None = None) -> Reply:
        """Sends a message; `discord.mention` in it mentions the bot."""
        channel = self._readable_channel(channel)
        if not channel.permissions(self.user.id) & SEND_MESSAGES:
            raise ImpossibleActionError(f"{self} may not send messages in {channel.name}")
        message = Message(channel, self.user, content=text)
        message.mentions = [user for user in self.server.users.values() if f"<@{user.id}>" in text]
        channel.messages.append(message)
        self.server.messages[message.id] = message
        await self.server.dispatch_message(message, new=True)
        return Reply(self.server, message)

    async def mention_bot(self, text: str, *, channel: Channel | None = None) -> Reply:
        """Sends a message that mentions the bot, and waits for the bot's message in the channel."""
        sent = await self.send(f"{self.server.mention} {text}", channel=channel)

        def answer() -> list[Reply]:
            seen = self.messages(sent.channel)
            return [r for r in seen if r.id > sent.id and r.message.author is self.server.bot]

        return (await self.server.wait_until(answer, f"no answer to {text!r}"))[0]

    async def delete(self, reply: Reply) -> None:
        """Deletes an own message, or any message with the permission to manage messages."""
        own = reply.message.author is self.user
        if not own and not reply.channel.permissions(self.user.id) & MANAGE_MESSAGES:
            raise ImpossibleActionError(f"{self} may not delete this message")
        await self.server.delete_message(reply.message)

    # Interactions and their answers

    async def _slash(
        self, name: str, channel: Channel | None, options: dict[str, Any]
    ) -> Interaction:
        channel = self._readable_channel(channel)
        data = await self._command_data(name, channel, options, None)
        what = f"/{name} {options} by {self}"
        return invocations.new_interaction(self.server, COMMAND, data, self.user, channel, what)

    def _use_component(self, reply: Reply, data: dict[str, Any], what: str) -> Interaction:
        if not self.can_see(reply):
            raise ImpossibleActionError(f"{self} does not see that message")
        interaction = invocations.new_interaction(
            self.server, COMPONENT, data, self.user, reply.channel, f"{what} by {self}"
        )
        interaction.message = reply.message
        if reply.message.interaction is not None:
            interaction.owners = reply.message.interaction.owners
        return interaction

    async def _send_interaction(self, interaction: Interaction) -> None:
        server = self.server
        await invocations.send(server, interaction)

        def answered() -> bool:
            late = server.clock() - interaction.created > server.deadline
            return interaction.answer is not None or bool(interaction.violations) or late

        with contextlib.suppress(BotError):
            await server.wait_until(answered, interaction.label, server.deadline + 0.05)
        if interaction.answer is None:
            if not interaction.violations:
                interaction.failed = True
                reason = f"no answer within {server.deadline:g} s"
                callback = f"/interactions/{interaction.id}/{interaction.token}/callback"
                if not server.rest.injected["POST", callback]:
                    server.add_violation(Violation(10062, reason, interaction.label))
                raise BotError(f"{interaction.label}: the application did not respond ({reason})")
            self._raise(interaction)

    async def _wait_for_modal(self, interaction: Interaction) -> Modal:
        await self._send_interaction(interaction)
        if interaction.answer != MODAL or interaction.modal is None:
            raise BotError(f"{interaction.label}: a reply instead of a modal")
        return Modal(interaction, interaction.modal)

    async def _wait_for_reply(self, interaction: Interaction) -> Reply:
        """Waits until the bot's reply is complete, no longer "thinking…"."""
        await self._send_interaction(interaction)
        if interaction.answer == MODAL:
            raise BotError(f"{interaction.label}: a modal instead of a reply")
        if interaction.answer == CHOICES:
            raise BotError(f"{interaction.label}: suggestions instead of an answer")
        if interaction.answer in (DEFER, DEFER_UPDATE):
            done = lambda: interaction.results or interaction.violations  # noqa: E731
            await self.server.wait_until(done, f"{interaction.label}: only deferred, no answer")
            if not interaction.results:
                self._raise(interaction)
        return Reply(self.server, interaction.results[0])

    def _raise(self, interaction: Interaction) -> None:
        errors = "\n  ".join(str(violation) for violation in interaction.violations)
        raise BotError(f"{interaction.label}: this interaction failed:\n  {errors}")

    # Commands

    async def _command_data(
        self, name: str, channel: Channel, options: dict[str, Any], focused: str | None
    ) -> dict[str, Any]:
        first, *rest = name.split()
        command = await invocations.find_command(self.server, first, 1, self.user, channel)
        data: dict[str, Any] = {"id": command["id"], "name": first, "type": 1}
        offered, parent = command.get("options", []), data
        for part in rest:
            child = next((o for o in offered if o["name"] == part and o["type"] <= GROUP), None)
            if child is None:
                raise ImpossibleActionError(f"/{name}: there is no subcommand {part}")
            inner = {"name": part, "type": child["type"]}
            parent["options"], parent = [inner], inner
            offered = child.get("options", [])
        by_name = {option["name"]: option for option in offered if option["type"] > GROUP}
        if unknown := set(options) - set(by_name):
            raise ImpossibleActionError(
                f"/{name} has no options {unknown}; it has {sorted(by_name)}"
            )
        if focused is None:
            missing = {n for n, o in by_name.items() if o.get("required")} - set(options)
            if missing:
                raise ImpossibleActionError(f"/{name} needs {missing}")
        elif not by_name[focused].get("autocomplete"):
            raise ImpossibleActionError(f"/{name}: option {focused} has no autocomplete")
        resolved: dict[str, Any] = {}
        parent["options"] = [
            self._option(by_name[key], value, key == focused, channel, resolved)
            for key, value in options.items()
        ]
        if resolved:
            data["resolved"] = resolved
        return data

    def _option(
        self,
        option: dict[str, Any],
        value: Any,
        focused: bool,
        channel: Channel,
        resolved: dict[str, Any],
    ) -> dict[str, Any]:
        kind, name = option["type"], option["name"]
        filled = {"name": name, "type": kind}
        if focused:
            # The value that is being typed is text, whatever the option's type.
            return filled | {"value": str(value), "focused": True}
        wanted: dict[int, Any] = {
            STRING: str,
            INTEGER: int,
            BOOLEAN: bool,
            NUMBER: (int, float),
            USER: UserClient,
        }
        if kind == CHANNEL:
            permissions = str(value.permissions(self.user.id))
            shown = value.payload(self.server.bot) | {"permissions": permissions}
            resolved.setdefault("channels", {})[str(value.id)] = shown
            return filled | {"value": str(value.id)}
        if kind == ROLE:
            resolved.setdefault("roles", {})[str(value.id)] = value.payload()
            return filled | {"value": str(value.id)}
        if kind == ATTACHMENT:
            filename, data = value
            file = self.server.attachments.add(filename, data, None, channel.id, ephemeral=True)
            resolved.setdefault("attachments", {})[str(file.id)] = file.payload()
            return filled | {"value": str(file.id)}
        if kind not in wanted or not isinstance(value, wanted[kind]):
            raise ImpossibleActionError(f"option {name} of type {kind} cannot be {value!r}")
        if kind == USER:
            for part, found in self._resolved_user(value, channel).items():
                resolved.setdefault(part, {}).update(found)
            return filled | {"value": str(value.id)}
        choices = [choice["value"] for choice in option.get("choices", [])]
        if choices and value not in choices:
            raise ImpossibleActionError(f"option {name} is one of {choices}, not {value!r}")
        measure = len(value) if kind == STRING else value
        for bound, sign in (
            ("min_value", 1),
            ("max_value", -1),
            ("min_length", 1),
            ("max_length", -1),
        ):
            if bound in option and sign * measure < sign * option[bound]:
                raise ImpossibleActionError(
                    f"option {name} has {bound} {option[bound]}, not {value!r}"
                )
        return filled | {"value": value}

    def _resolved_user(self, client: "UserClient", channel: Channel) -> dict[str, Any]:
        resolved: dict[str, Any] = {"users": {str(client.id): client.user.payload()}}
        if channel.guild is not None and client.id in channel.guild.members:
            member = channel.guild.member_payload(client.user)
            for left_out in ("user", "mute", "deaf"):
                del member[left_out]
            member["permissions"] = str(channel.permissions(client.id))
            resolved["members"] = {str(client.id): member}
        return resolved
