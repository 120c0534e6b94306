import torch
from torch import Tensor

from train.scorer import best_of


def test_best_of_keeps_the_first_of_equal_scores() -> None:
    def generate(latents: Tensor, conditions: Tensor) -> Tensor:
        assert latents.shape[1] == 2
        return latents[:, :1].view(-1, 1, 1, 1)

    def score(pictures: Tensor, conditions: Tensor) -> Tensor:
        return pictures.flatten().clamp(max=3) + conditions[:, 0] * 1e-4

    choose = best_of(generate, score, 3)
    latents = torch.tensor([[1.0, 0, 5, 0, 4, 0], [2.0, 0, 1, 0, 2, 0], [4.0, 0, 9, 0, 9, 0]])
    assert choose(latents, torch.rand(3, 5)).flatten().tolist() == [5, 2, 4]
    assert best_of(generate, score, 1) is generate
