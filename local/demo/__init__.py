"""The demo: the main job, from nothing, on this machine."""
