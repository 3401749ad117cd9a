"""Lightkeeper: what the Functions app does, without its triggers."""
