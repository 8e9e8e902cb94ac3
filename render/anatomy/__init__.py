"""Teeth, mouth, tongue and irises of our own for heads without, as FLAME's: drawn only, never measured or exported."""

from singinghead.render.anatomy.anatomy import Anatomy, anatomy_of

__all__ = ["Anatomy", "anatomy_of"]
