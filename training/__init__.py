"""Einthoven: training."""
