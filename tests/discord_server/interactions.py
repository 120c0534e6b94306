"""Routes that answer interactions: callbacks, @original and followups."""

from typing import TYPE_CHECKING, Any

from . import command_limits, limits, messages
from .errors import ApiError, Form
from .model import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    MODAL_SUBMIT,
    Interaction,
    Message,
)
from .permissions import USE_EXTERNAL_APPS
from .rest import Call, Handler

if TYPE_CHECKING:
    from .server import DiscordServer

ANSWER, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
TOKEN_SECONDS = 15 * 60
FOLLOWUPS_OF_USER_APPS = 5

Result = tuple[int, Any]


class InteractionRoutes:
    def __init__(self, server: "DiscordServer") -> None:
        self.server = server

    def handlers(self) -> dict[str, Handler]:
        hook = "/webhooks/{webhook_id}/{webhook_token}"
        return {
            "POST /interactions/{interaction_id}/{interaction_token}/callback": self.callback,
            f"POST {hook}": self.followup,
            f"GET {hook}/messages/@original": self.get,
            f"PATCH {hook}/messages/@original": self.edit,
            f"DELETE {hook}/messages/@original": self.delete,
            f"GET {hook}/messages/{{message_id}}": self.get,
            f"PATCH {hook}/messages/{{message_id}}": self.edit,
            f"DELETE {hook}/messages/{{message_id}}": self.delete,
        }

    # The first answer

    async def callback(self, call: Call) -> Result:
        interaction = self.server.interactions.get(call.params["interaction_token"])
        if interaction is None or str(interaction.id) != call.params["interaction_id"]:
            raise ApiError(10062)
        if interaction.answer is not None:
            raise ApiError(40060)
        if self.server.clock() - interaction.created > self.server.deadline:
            raise ApiError(10062)
        body = call.body if isinstance(call.body, dict) else {}
        kind, data = int(body.get("type") or 0), body.get("data") or {}
        if kind not in allowed(interaction):
            reason = f"Value must be one of {allowed(interaction)}."
            call.form.add(["type"], "BASE_TYPE_CHOICES", reason)
        call.form.check()
        if kind in (ANSWER, DEFER):
            interaction.original = self._create(interaction, data, call, ["data"], kind == DEFER)
        elif kind in (DEFER_UPDATE, UPDATE):
            interaction.original = interaction.message
            if kind == UPDATE and interaction.message is not None:
                self.server.write(interaction.message, data, call, ["data"])
        elif kind == CHOICES:
            where: list[str | int] = ["data", "choices"]
            command_limits.check_choices(call.form, data.get("choices"), where)
            check_types(call.form, data.get("choices") or [], interaction.data, where)
            call.form.check()
            interaction.choices = data.get("choices") or []
        elif kind == MODAL:
            limits.check_modal(call.form, data, ["data"])
            call.form.check()
            interaction.modal = data
        interaction.answer = kind
        if kind in (ANSWER, UPDATE) and interaction.original is not None:
            await self._publish(interaction, interaction.original, new=kind == ANSWER)
        if call.query.get("with_response") not in ("1", "true"):
            return 204, None
        return 200, self._callback_response(interaction, kind)

    def _callback_response(self, interaction: Interaction, kind: int) -> dict[str, Any]:
        about: dict[str, Any] = {"id": str(interaction.id), "type": interaction.type}
        response: dict[str, Any] = {"interaction": about}
        if interaction.original is not None:
            message = interaction.original
            about["response_message_id"] = str(message.id)
            about["response_message_loading"] = message.loading
            about["response_message_ephemeral"] = bool(message.flags & EPHEMERAL)
            about["channel_id"] = str(message.channel.id)
            if kind in (ANSWER, UPDATE):
                response["resource"] = {"type": kind, "message": message.payload()}
        return response

    # Later answers

    async def followup(self, call: Call) -> Result:
        interaction = self._find_interaction(call)
        data = call.body if isinstance(call.body, dict) else {}
        original = interaction.original
        if original is not None and original.loading and not original.deleted:
            # It replaces "thinking…" and keeps its visibility.
            self.server.write(original, data, call, [])
            await self._publish(interaction, original, new=False)
            return 200, original.payload()
        if interaction.only_user_install and interaction.followups >= FOLLOWUPS_OF_USER_APPS:
            raise ApiError(40094)
        message = self._create(interaction, data, call, [], False)
        interaction.followups += 1
        await self._publish(interaction, message, new=True)
        return 200, message.payload()

    async def get(self, call: Call) -> Result:
        return 200, self._message(call)[1].payload()

    async def edit(self, call: Call) -> Result:
        interaction, message = self._message(call)
        data = call.body if isinstance(call.body, dict) else {}
        was_loading = message.loading
        self.server.write(message, data, call, [])
        if not was_loading:
            messages.mark_edited(message)
        await self._publish(interaction, message, new=False)
        return 200, message.payload()

    async def delete(self, call: Call) -> Result:
        interaction, message = self._message(call)
        await self.server.delete_message(message)
        # Deleting "thinking…" is not an answer.
        if not message.loading:
            interaction.results.append(message)
        return 204, None

    # Helpers

    def _find_interaction(self, call: Call) -> Interaction:
        interaction = self.server.interactions.get(call.params["webhook_token"])
        if interaction is None or call.params["webhook_id"] != str(self.server.application_id):
            raise ApiError(10015)
        if interaction.answer is None or interaction.answer == CHOICES:
            raise ApiError(10015)
        if self.server.clock() - interaction.created > TOKEN_SECONDS:
            raise ApiError(50027)
        return interaction

    def _message(self, call: Call) -> tuple[Interaction, Message]:
        interaction = self._find_interaction(call)
        if "message_id" not in call.params:
            message = interaction.original
        else:
            wanted = call.snowflake("message_id")
            own = [*interaction.results, interaction.original, interaction.message]
            message = next((m for m in own if m is not None and m.id == wanted), None)
        if message is None or message.deleted:
            raise ApiError(10008)
        return interaction, message

    def _create(
        self,
        interaction: Interaction,
        data: dict[str, Any],
        call: Call,
        path: list[Any],
        defer: bool,
    ) -> Message:
        flags = (data.get("flags") or 0) & messages.CREATE_FLAGS
        user = interaction.user
        external = interaction.channel.permissions(user.id) & USE_EXTERNAL_APPS
        if interaction.only_user_install and interaction.channel.guild and not external:
            flags |= EPHEMERAL
        message = Message(interaction.channel, self.server.bot, flags=flags & ~COMPONENTS_V2)
        message.interaction = interaction
        message.only_for = user.id if flags & EPHEMERAL else None
        if interaction.type == COMMAND:
            message.type = 20 if interaction.data["type"] == 1 else 23
        elif interaction.message is not None:
            message.type, message.reference = 19, interaction.message
        if defer:
            message.flags |= LOADING
        else:
            self.server.write(message, data, call, path)
        interaction.channel.messages.append(message)
        self.server.messages[message.id] = message
        return message

    async def _publish(self, interaction: Interaction, message: Message, *, new: bool) -> None:
        """Adds a message to the results of the interaction, and sends it to the gateway."""
        interaction.results.append(message)
        await self.server.dispatch_message(message, new=new)


def allowed(interaction: Interaction) -> tuple[int, ...]:
    """Callback types that the interaction accepts."""
    if interaction.type == AUTOCOMPLETE:
        return (CHOICES,)
    types: tuple[int, ...] = (ANSWER, DEFER)
    if interaction.type == COMPONENT or (
        interaction.type == MODAL_SUBMIT and interaction.message is not None
    ):
        types += (DEFER_UPDATE, UPDATE)
    return types if interaction.type == MODAL_SUBMIT else (*types, MODAL)


def check_types(
    form: Form, choices: list[dict[str, Any]], data: dict[str, Any], path: list[str | int]
) -> None:
    """Checks that suggestions have the type of the option that is being typed."""
    options = data.get("options", [])
    while options and "options" in options[0]:
        options = options[0]["options"]
    kind = next(option["type"] for option in options if option.get("focused"))
    wanted = {3: str, 4: int}.get(kind, (int, float))
    for index, choice in enumerate(choices):
        if not isinstance(choice.get("value"), wanted):
            reason = f"Value is not of the type of the option ({kind})"
            form.add([*path, index, "value"], "BASE_TYPE_BAD_TYPE", reason)
