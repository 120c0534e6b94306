import pytest
import torch
from torch import Tensor

from train.settings import UpscalerSettings
from train.upscaler.measure import degraded, measure
from train.upscaler.trainer import UpscalerTrainer, charbonnier, edges

CPU = torch.device("cpu")


def test_charbonnier_is_nearly_the_mean_difference() -> None:
    difference = torch.tensor([[3.0, -5.0]])
    assert charbonnier(difference).item() == pytest.approx(4, abs=1e-5)
    assert charbonnier(torch.zeros(2)).item() == pytest.approx(1e-3), "smooth at nought"


def test_edge_loss_ignores_uniform_errors() -> None:
    assert edges(torch.full((1, 3, 8, 8), 0.3)).item() == pytest.approx(2e-3)
    stripes = torch.zeros(1, 1, 8, 8)
    stripes[..., ::2] = 0.4
    assert edges(stripes).item() == pytest.approx(0.4 + 1e-3, abs=1e-4)
    assert edges(stripes.mT).item() == pytest.approx(edges(stripes).item())


def test_state_resumes_exactly(pictures: Tensor, tiny: UpscalerSettings) -> None:
    whole = UpscalerTrainer(tiny, pictures, CPU)
    for _ in range(3):
        whole.train_step(0.5)
    state = {name: tensor.clone() for name, tensor in whole.state_dict().items()}
    cut = UpscalerTrainer(tiny.model_copy(update={"seed": 5}), pictures, CPU)
    cut.load_state_dict(state, whole.step)
    assert cut.images == 3 * tiny.batch
    for trainer in (whole, cut):
        for _ in range(2):
            trainer.train_step(0.5)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(cut.state_dict()[name], tensor), name


def test_training_improves_on_the_interpolation(pictures: Tensor, tiny: UpscalerSettings) -> None:
    settings = tiny.model_copy(update={"width": 16, "blocks": 2, "learning_rate": 3e-3})
    trainer, small = UpscalerTrainer(settings, pictures, CPU), degraded(pictures)
    before = measure(trainer.enlarge, small, pictures)["psnr"]
    for _ in range(120):
        trainer.train_step(0.0)
    assert measure(trainer.enlarge, small, pictures)["psnr"] > before + 0.2
