"""Several networks share one device, in order of rank."""
