"""Registering a customer tenant."""
