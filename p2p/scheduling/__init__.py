"""Scheduling: which runs are due, each of them once, and what became of them."""
