"""Language models on this machine: found, loaded, scored with."""
