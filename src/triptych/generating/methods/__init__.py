"""Methods: how records are made from seeds and a writer's answers, one file each."""
