"""Weights of a model for data with other attributes."""

import pytest
import torch
from torch import Tensor

from export.manifest import Attribute
from train.networks.irodori import IrodoriDiscriminator, IrodoriGenerator
from train.transfer import adapt, new_layers


def attribute(name: str, **shares: float) -> Attribute:
    return Attribute(name=name, values=tuple(shares), frequencies=tuple(shares.values()))


HAIR = attribute("hair", blue=0.25, pink=0.5, red=0.25)
EYES = attribute("eyes", green=0.4, red=0.6)


def generator(*attributes: Attribute, seed: int = 0) -> IrodoriGenerator:
    torch.manual_seed(seed)
    sizes = [len(a.values) for a in attributes]
    return IrodoriGenerator(32, 8, sizes, width=4).eval()


def adapted(
    old: list[Attribute], new: list[Attribute]
) -> tuple[IrodoriGenerator, IrodoriGenerator]:
    """Generators for both lists of attributes, the second with the weights of the first."""
    first, second = generator(*old), generator(*new, seed=1)
    with torch.no_grad():
        for network in (first, second):
            for name, parameter in network.named_parameters():
                if name.endswith("bias"):
                    parameter.normal_()
    named = {f"generator.{k}": v for k, v in first.state_dict().items()}
    initial = {f"generator.{k}": v for k, v in second.state_dict().items()}
    weights = adapt(named, initial, old, new)
    second.load_state_dict({k.removeprefix("generator."): v for k, v in weights.items()})
    return first, second


def condition(attributes: list[Attribute], **values: str) -> Tensor:
    """One-hot for the given values; for other attributes the frequencies."""
    blocks = [
        torch.tensor([float(v == values[a.name]) for v in a.values])
        if a.name in values
        else torch.tensor(a.frequencies)
        for a in attributes
    ]
    return torch.cat(blocks).unsqueeze(0) if blocks else torch.zeros(1, 0)


@pytest.mark.parametrize(
    ("new", "wish"),
    [
        ([EYES, HAIR], {"hair": "pink", "eyes": "red"}),
        ([attribute("hair", black=0.5, pink=0.5), EYES], {"hair": "pink", "eyes": "green"}),
        ([attribute("hair", pink=0.5, red=0.5)], {"hair": "red"}),
        ([HAIR, EYES, attribute("smile", no=0.5, yes=0.5)], {"hair": "blue", "eyes": "red"}),
        ([], {}),
    ],
)
def test_known_values_give_the_same_faces(new: list[Attribute], wish: dict[str, str]) -> None:
    old = [HAIR, EYES]
    first, second = adapted(old, new)
    latent = torch.randn(1, 8)
    expected = first(latent, condition(old, **wish))
    assert torch.allclose(second(latent, condition(new, **wish)), expected, atol=1e-4)


def test_a_new_value_starts_as_the_mean_of_its_attribute() -> None:
    new = [attribute("hair", black=0.5, pink=0.5), EYES]
    first, second = adapted([HAIR, EYES], new)
    latent = torch.randn(1, 8)
    expected = first(latent, condition([HAIR, EYES], eyes="red"))
    assert torch.allclose(
        second(latent, condition(new, hair="black", eyes="red")), expected, atol=1e-4
    )


def test_an_unconditional_model_starts_a_conditional_one() -> None:
    first, second = adapted([], [HAIR])
    latent = torch.randn(1, 8)
    face = second(latent, condition([HAIR], hair="pink"))
    assert torch.allclose(face, first(latent, torch.zeros(1, 0)), atol=1e-4)


def test_heads_keep_the_rows_of_known_values() -> None:
    old, new = [HAIR, EYES], [EYES, attribute("hair", black=0.5, pink=0.5)]
    first = IrodoriDiscriminator(32, [3, 2], width=4)
    second = IrodoriDiscriminator(32, [2, 2], width=4)
    initial = {f"discriminator.{k}": v for k, v in second.state_dict().items()}
    named = {f"discriminator.{k}": v for k, v in first.state_dict().items()}
    weights = adapt(named, initial, old, new)
    heads = first.heads.state_dict()
    assert torch.equal(weights["discriminator.heads.0.weight"], heads["1.weight"])
    hair = weights["discriminator.heads.1.weight"]
    assert torch.equal(hair[1], heads["0.weight"][1])
    assert torch.equal(hair[0], initial["discriminator.heads.1.weight"][0])


def test_a_head_is_kept_if_the_new_data_has_fewer_attributes() -> None:
    first, second = (IrodoriDiscriminator(32, sizes, width=4) for sizes in ([3, 2], [2]))
    initial = {f"discriminator.{k}": v for k, v in second.state_dict().items()}
    named = {f"discriminator.{k}": v for k, v in first.state_dict().items()}
    weights = adapt(named, initial, [HAIR, EYES], [EYES])
    assert weights.keys() == initial.keys()
    for kind in ("weight", "bias"):
        kept = weights[f"discriminator.heads.0.{kind}"]
        assert torch.equal(kept, named[f"discriminator.heads.1.{kind}"])


def test_layers_of_other_shapes_are_new() -> None:
    first, second = IrodoriDiscriminator(32, [3], width=4), IrodoriDiscriminator(32, [2], width=8)
    weights, initial = (
        {f"discriminator.{k}": v for k, v in network.state_dict().items()}
        for network in (first, second)
    )
    initial["features.weight"] = torch.zeros(2, 2)
    new = new_layers(weights, initial)
    assert "features.weight" in new
    assert "discriminator.downsample.0.weight" in new
    assert not any("heads" in name or "projection" in name for name in new)
    assert new_layers(weights, weights) == []
