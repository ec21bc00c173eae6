"""Einthoven: cli."""
