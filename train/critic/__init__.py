"""The critic of a model, which chooses the best of several candidates."""

from train.critic.critic import Critic
from train.critic.fit import CRITIC_FILE, fit_critic, load_critic, save_critic
from train.critic.marked import DEFECTS_FILE, MarkedCritic, load_defects, save_defects
from train.critic.sampling import best_of
from train.critic.unusual import MIN_REAL_IMAGES, UnusualCritic

__all__ = [
    "CRITIC_FILE",
    "DEFECTS_FILE",
    "MIN_REAL_IMAGES",
    "Critic",
    "MarkedCritic",
    "UnusualCritic",
    "best_of",
    "fit_critic",
    "load_critic",
    "load_defects",
    "save_critic",
    "save_defects",
]
