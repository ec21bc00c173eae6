"""How every model in ``models/`` was made: a recipe a model, and the code that follows it."""

from training.recipe import Recipe, recipes, trainer_of

__all__ = ["Recipe", "recipes", "trainer_of"]
