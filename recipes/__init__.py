"""Recipes of training, shipped inside the package as `netdsl.recipes`."""
