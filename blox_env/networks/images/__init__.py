"""Images from a user's files: the official CIFAR archives, folders by class, JPEG packs."""

from blox_env.networks.images.finding import find_images
from blox_env.networks.images.image_set import ImageSet, reduce

__all__ = ["ImageSet", "find_images", "reduce"]
