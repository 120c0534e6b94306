"""Training images and their tags, read from a folder or a zip file in one of several layouts."""

from train.data.errors import SHOWN, DataError
from train.data.faces import Faces, one_hot
from train.data.files import name_of_data
from train.data.loading import Inspection, inspect, load

__all__ = [
    "SHOWN",
    "DataError",
    "Faces",
    "Inspection",
    "inspect",
    "load",
    "name_of_data",
    "one_hot",
]
