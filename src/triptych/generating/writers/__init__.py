"""What answers asks: an endpoint, a model on this machine, a world, a program, a file of answers. One file each."""
