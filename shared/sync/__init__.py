"""The steps of the synchronisation, one file each: observe, plan, apply."""
